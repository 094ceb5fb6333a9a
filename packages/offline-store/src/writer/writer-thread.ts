/**
 * The thread that writes: opens the file with the store's settings, runs the loop until it is told to close, then
 * waits for the next store.
 */
import { parentPort } from 'node:worker_threads';
import { openDatabase } from '../database/open-database.ts';
import { translateStorageError } from '../database/storage-errors.ts';
import { openEngine } from './commit-engine.ts';
import { toWire } from './wire-error.ts';
import { runWriterLoop } from './writer-loop.ts';
import { openingId, type WriterSetup } from './writer-messages.ts';

parentPort?.on('message', (setup: WriterSetup) => {
  const { path, port, bell, idleCheckpointMs } = setup;
  try {
    const engine = openEngine(openDatabase(path, setup.database), setup, sleep);
    port.postMessage([{ id: openingId }]);
    runWriterLoop({ path, port, bell, engine, idleCheckpointMs, monotonic: () => performance.now() });
  } catch (error) {
    port.postMessage([{ id: openingId, error: toWire(translateStorageError(error, path)) }]);
  }
  port.close();
});

function sleep(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)), 0, 0, ms);
}
