/**
 * Threads for writers. Starting one costs tens of milliseconds, so the thread of a store that was closed is kept
 * for the next one; it does not keep the process alive.
 */
import { Worker } from 'node:worker_threads';

let spare: Worker | null = null;

export function takeThread(): Worker {
  const thread = spare ?? new Worker(threadFile(), { name: 'store-writer', execArgv: [] });
  spare = null;
  thread.removeAllListeners();
  return thread;
}

export function giveBackThread(thread: Worker): void {
  thread.removeAllListeners();
  thread.unref();
  if (spare !== null) {
    void thread.terminate();
    return;
  }
  spare = thread;
  const gone = (): void => {
    if (spare === thread) spare = null;
  };
  thread.once('error', gone);
  thread.once('exit', gone);
}

/** The thread's file beside this one: the source, or what was built from it. */
function threadFile(): URL {
  return new URL(import.meta.url.endsWith('.ts') ? './writer-thread.ts' : './writer-thread.js', import.meta.url);
}
