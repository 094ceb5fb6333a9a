/**
 * The thread that writes: opens the file with the store's settings, runs the loop until it is told to close, then
 * waits for the next store.
 */
import { parentPort } from 'node:worker_threads';
import { openDatabase, readSettings } from '../database/open-database.ts';
import { translateStorageError } from '../database/storage-errors.ts';
import type { RunPosition, RunRef } from '../jobs/job-rows.ts';
import { CheckpointLog } from '../journal/checkpoint-log.ts';
import { RunLog } from '../journal/run-log.ts';
import { MarkFile } from '../marks/mark-file.ts';
import { markOf } from '../marks/mark-of.ts';
import type { Mark } from '../marks/mark-slot.ts';
import { SecretBox } from '../secrets/secret-box.ts';
import { CommitGroups } from './commit-groups.ts';
import { Quota } from './quota.ts';
import { storeTables } from './store-tables.ts';
import { toWire } from './wire-error.ts';
import { runWriterLoop } from './writer-loop.ts';
import { openingId, type WriterSetup } from './writer-messages.ts';

parentPort?.on('message', (setup: WriterSetup) => {
  try {
    serve(setup);
  } catch (error) {
    setup.port.postMessage([{ id: openingId, error: toWire(translateStorageError(error, setup.path)) }]);
    setup.port.close();
  }
});

function serve(setup: WriterSetup): void {
  const { path, port } = setup;
  const db = openDatabase(path, setup.database);
  const marks = new MarkFile(setup.marksPath);
  const touched = new Map<number, Mark>();
  const tables = storeTables(db, {
    box: new SecretBox(setup.keys),
    outbox: setup.outbox,
    jobs: {
      isOnlyWriter: true,
      onSaved: (claim: RunRef, position: RunPosition) => touched.set(claim.runId, markOf(claim, position)),
    },
  });
  const quota = new Quota(db, setup.quota);
  const runLog = new RunLog({ ...tables, keepEntries: setup.keepEntries });
  const commits = new CommitGroups(
    {
      tables,
      runLog,
      checkpoints: new CheckpointLog(tables.jobs, runLog),
      onRemoved: (runId) => marks.forget(runId),
    },
    {
      quota,
      pause: sleep,
      onCommitted: () => {
        if (touched.size > 0) marks.write([...touched.values()]);
        touched.clear();
      },
      onRolledBack: () => touched.clear(),
      ...(setup.commitDelayMs === null ? {} : { beforeCommit: delayBy(setup.commitDelayMs) }),
    },
  );
  quota.look();
  port.postMessage([{ id: openingId, value: readSettings(db) }]);
  runWriterLoop({
    path,
    port,
    bell: setup.bell,
    commits,
    status: () => ({ settings: readSettings(db), pressure: quota.pressure, ...commits.counts }),
    truncate: () => {
      commits.run([{ op: 'settle' }]);
      db.pragma('wal_checkpoint(TRUNCATE)');
      quota.look();
    },
    close: () => {
      commits.run([{ op: 'settle' }]);
      db.close();
      marks.close();
    },
    idleCheckpointMs: setup.idleCheckpointMs,
    monotonic: () => performance.now(),
  });
  port.close();
}

function sleep(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

function delayBy(delayMs: Int32Array): () => void {
  return () => {
    const ms = Atomics.load(delayMs, 0);
    if (ms > 0) sleep(ms);
  };
}
