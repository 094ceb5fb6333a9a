/**
 * The thread of `lifeline.ts`: the end of the lifeline, whatever brings it about, is the process's own end; so is the
 * deadline that comes through it.
 */
import { Socket } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';
import { DeadlineReader, sinceBootMs } from '../process-deadline.ts';
import type { LifelineData } from './lifeline.ts';
import { killOwnTree } from './own-tree.ts';

/** A timer stands while the machine is suspended, so the clock is looked at again and again. */
const longestWaitMs = 1_000;

const { fd, mark } = workerData as LifelineData;
const lifeline = new Socket({ fd, readable: true, writable: false });
const cut = (): void => killOwnTree(mark);
const deadline = new DeadlineReader();
let timer: NodeJS.Timeout | undefined;

function watchDeadline(): void {
  clearTimeout(timer);
  const remainingMs = deadline.remainingMs(sinceBootMs());
  if (remainingMs === null) return;
  if (remainingMs === 0) cut();
  timer = setTimeout(watchDeadline, Math.min(remainingMs, longestWaitMs));
}

lifeline.setEncoding('latin1');
lifeline.on('data', (piece: string) => {
  deadline.take(piece);
  watchDeadline();
});
lifeline.on('end', cut);
lifeline.on('error', cut);
lifeline.on('close', cut);
parentPort?.postMessage('listening');
