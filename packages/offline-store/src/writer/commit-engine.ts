/** What writes a store, in whichever thread: the connection with its settings, its tables, quota and marks. */
import type Database from 'better-sqlite3';
import { readSettings } from '../database/open-database.ts';
import type { RunPosition, RunRef } from '../jobs/job-rows.ts';
import { CheckpointLog } from '../journal/checkpoint-log.ts';
import { RunLog } from '../journal/run-log.ts';
import { MarkFile } from '../marks/mark-file.ts';
import type { Progress } from '../marks/mark-slot.ts';
import { progressOf } from '../marks/progress-of.ts';
import { SecretBox } from '../secrets/secret-box.ts';
import { CommitGroups } from './commit-groups.ts';
import { Quota } from './quota.ts';
import { storeTables } from './store-tables.ts';
import type { EngineSetup, WriterStatus } from './writer-messages.ts';

export interface CommitEngine {
  readonly commits: CommitGroups;
  status(): WriterStatus;
  /** Moves the write-ahead log into the file. */
  truncate(): void;
  close(): void;
}

/**
 * @param db the connection to write on
 * @param pause blocks the thread for so many ms; null: a file that is locked is not waited for beyond `busyTimeoutMs`
 */
export function openEngine(
  db: Database.Database,
  setup: EngineSetup,
  pause: ((ms: number) => void) | null,
): CommitEngine {
  const marks = new MarkFile(setup.marksPath);
  const touched = new Map<number, Progress>();
  const tables = storeTables(db, {
    box: new SecretBox(setup.keys),
    outbox: setup.outbox,
    jobs: {
      isOnlyWriter: true,
      onSaved: (claim: RunRef, position: RunPosition) => touched.set(claim.runId, progressOf(claim, position)),
    },
  });
  const quota = new Quota(db, setup.quota);
  const runLog = new RunLog({ ...tables, keepEntries: setup.keepEntries, keepBytes: setup.keepBytes });
  const checkpoints = new CheckpointLog(tables.jobs, runLog);
  const commits = new CommitGroups(
    { tables, runLog, checkpoints, onRemoved: (runId) => marks.forget(runId) },
    {
      quota,
      pause,
      onCommitted: () => {
        if (touched.size > 0 || marks.problem !== null) marks.write(touched.values());
        touched.clear();
      },
      onRolledBack: () => touched.clear(),
      ...(setup.commitDelayMs === null || pause === null ? {} : { beforeCommit: delayBy(setup.commitDelayMs, pause) }),
    },
  );
  quota.look();
  return {
    commits,
    status: () => ({
      settings: readSettings(db),
      pressure: quota.pressure,
      marksProblem: marks.problem,
      ...commits.counts,
    }),
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
  };
}

function delayBy(delayMs: Int32Array, pause: (ms: number) => void): () => void {
  return () => {
    const ms = Atomics.load(delayMs, 0);
    if (ms > 0) pause(ms);
  };
}
