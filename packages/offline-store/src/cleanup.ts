/**
 * Retention (I7). Removes claims that are over and need nothing more, in small transactions, so that a
 * large journal does not keep running jobs waiting. What waits to be sent is never removed.
 */
import type Database from 'better-sqlite3';
import { storedCursor } from './outbox/outbox-cursor.ts';
import type { SqliteOutbox } from './outbox/sqlite-outbox.ts';
import type { Clock } from './ports.ts';
import type { CleanupOptions, CleanupReport } from './store.ts';
import type { StoreAccess } from './store-access.ts';

export interface CleanupParts {
  readonly db: Database.Database;
  readonly access: StoreAccess;
  readonly outbox: SqliteOutbox;
  readonly clock: Clock;
}

const dayMs = 24 * 60 * 60 * 1_000;
const commitsPerTransaction = 2_000;

export async function cleanStore(parts: CleanupParts, options: CleanupOptions): Promise<CleanupReport> {
  const { db, access, outbox, clock } = parts;
  const now = clock.now();
  await outbox.fillAll();
  const notes = await access.write({
    op: 'remove-notes',
    deadBeforeMs: now - (options.deadLettersForMs ?? 30 * dayMs),
    incidentsBeforeMs: now - (options.incidentsForMs ?? 90 * dayMs),
  });
  const runIds = await access.read(() => expiredRuns(db, now, options));
  let journalEntries = 0;
  for (const runId of runIds) journalEntries += await removeRun(access, runId);
  return { jobs: runIds.length, journalEntries, ...notes };
}

function expiredRuns(db: Database.Database, now: number, options: CleanupOptions): number[] {
  const ended = now - (options.endedForMs ?? 7 * dayMs);
  const unsynced =
    options.unsyncedForMs === undefined || options.unsyncedForMs === null ? null : now - options.unsyncedForMs;
  const rows = db
    .prepare<[number, number | null], { run_id: number }>(
      `SELECT s.run_id FROM job_states s JOIN jobs j ON j.run_id = s.run_id
       WHERE s.status IN ('completed', 'failed', 'cancelled', 'released')
         AND s.state ->> '$.endedAtMs' < CASE
           WHEN s.status = 'released' OR s.synced_at_ms IS NOT NULL THEN ? ELSE ? END
         AND s.run_id NOT IN (SELECT run_id FROM outbox)
         AND s.run_id NOT IN (SELECT run_id FROM journal WHERE drafts IS NOT NULL AND id > ${storedCursor})
         AND (j.job_id, j.lease_token) NOT IN (SELECT job_id, lease_token FROM dead_letters WHERE disposition = 'dead')
       ORDER BY s.run_id`,
    )
    .all(ended, unsynced);
  return rows.map((row) => row.run_id);
}

/** The journal goes first, in pieces; what an interruption leaves over is removed the next time. */
async function removeRun(access: StoreAccess, runId: number): Promise<number> {
  let removed = 0;
  for (;;) {
    const entries = await access.write({ op: 'remove-entries', runId, limit: commitsPerTransaction });
    removed += entries;
    if (entries === 0) break;
  }
  await access.write({ op: 'remove-run', runId });
  return removed;
}
