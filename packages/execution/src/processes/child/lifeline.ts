/**
 * Ends this process when its supervisor is gone, or at the deadline that it was given. A thread of its own holds the
 * lifeline, because the main thread may be kept busy by a node.
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { lifelineFd } from '../messages.ts';
import { killOwnTree, ownMark } from './own-tree.ts';

/** Handed to the thread. */
export interface LifelineData {
  readonly fd: number;
  readonly mark: string;
}

/** Resolves when the thread listens. Without it the process must not live: it ends when the thread does. */
export async function holdLifeline(): Promise<void> {
  const workerData: LifelineData = { fd: lifelineFd, mark: ownMark() };
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const thread = new Worker(new URL(`./lifeline-thread.${extension}`, import.meta.url), { workerData });
  thread.on('error', () => killOwnTree(workerData.mark));
  thread.on('exit', () => killOwnTree(workerData.mark));
  await once(thread, 'message');
  thread.unref();
}
