/** The thread of `lifeline.ts`: nothing ever comes through the lifeline, so whatever happens to it is its end. */
import { Socket } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';
import type { LifelineData } from './lifeline.ts';
import { killOwnTree } from './own-tree.ts';

const { fd, mark } = workerData as LifelineData;
const lifeline = new Socket({ fd, readable: true, writable: false });
const cut = (): void => killOwnTree(mark);
lifeline.on('end', cut);
lifeline.on('error', cut);
lifeline.on('close', cut);
lifeline.resume();
parentPort?.postMessage('listening');
