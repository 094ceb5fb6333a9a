/** Ends this process for sure, even while its own thread is held by a call that does not return. */
import { Worker } from 'node:worker_threads';

const script = `
  const { workerData } = require('node:worker_threads');
  setTimeout(() => process.kill(process.pid, 'SIGKILL'), workerData);
`;

/** @param ms from now; nothing happens when the process has ended by then */
export function killAfter(ms: number): void {
  new Worker(script, { eval: true, workerData: ms, execArgv: [], env: {} }).unref();
}
