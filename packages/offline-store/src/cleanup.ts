/**
 * Retention (I7). Removes claims that are over and need nothing more, in small transactions, so that a
 * large journal does not keep running jobs waiting. What waits to be sent is never removed.
 */
import type Database from 'better-sqlite3';
import type { Counters } from './database/counters.ts';
import type { Clock } from './ports.ts';
import type { CleanupOptions, CleanupReport } from './store.ts';
import type { StoreAccess } from './store-access.ts';

export interface CleanupParts {
  readonly db: Database.Database;
  readonly access: StoreAccess;
  readonly counters: Counters;
  readonly clock: Clock;
}

const dayMs = 24 * 60 * 60 * 1_000;
const rowsPerTransaction = 2_000;

export async function cleanStore(
  parts: CleanupParts,
  options: CleanupOptions,
): Promise<{ readonly counts: CleanupReport; readonly runIds: readonly number[] }> {
  const { db, access, counters, clock } = parts;
  const now = clock.now();
  const runIds = await access.read(() => expiredRuns(db, now, options));
  let journalEntries = 0;
  for (const runId of runIds) journalEntries += await removeRun(parts, runId);
  const deadLetters = await access.write(() => {
    const before = now - (options.deadLettersForMs ?? 30 * dayMs);
    const { changes } = db.prepare('DELETE FROM dead_letters WHERE dead_at_ms < ?').run(before);
    counters.add('dead_letters_cleaned', changes);
    return changes;
  });
  return { counts: { jobs: runIds.length, journalEntries, deadLetters }, runIds };
}

function expiredRuns(db: Database.Database, now: number, options: CleanupOptions): number[] {
  const ended = now - (options.endedForMs ?? 7 * dayMs);
  const unsynced =
    options.unsyncedForMs === undefined || options.unsyncedForMs === null ? null : now - options.unsyncedForMs;
  const rows = db
    .prepare<[number, number | null], { run_id: number }>(
      `SELECT s.run_id FROM job_states s
       WHERE s.status IN ('completed', 'failed', 'cancelled', 'released')
         AND s.state ->> '$.endedAtMs' < CASE
           WHEN s.status = 'released' OR s.synced_at_ms IS NOT NULL THEN ? ELSE ? END
         AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.run_id = s.run_id)
       ORDER BY s.run_id`,
    )
    .all(ended, unsynced);
  return rows.map((row) => row.run_id);
}

/** The journal goes first, in pieces; what an interruption leaves over is removed the next time. */
async function removeRun({ db, access, counters }: CleanupParts, runId: number): Promise<number> {
  let removed = 0;
  for (;;) {
    const changes = await access.write(
      () =>
        db
          .prepare(
            'DELETE FROM journal WHERE run_id = ? AND seq IN (SELECT seq FROM journal WHERE run_id = ? ORDER BY seq LIMIT ?)',
          )
          .run(runId, runId, rowsPerTransaction).changes,
    );
    removed += changes;
    if (changes < rowsPerTransaction) break;
  }
  await access.write(() => {
    db.prepare('DELETE FROM job_states WHERE run_id = ?').run(runId);
    db.prepare('DELETE FROM jobs WHERE run_id = ?').run(runId);
    counters.add('jobs_cleaned', 1);
  });
  return removed;
}
