/**
 * Version 4 of the store's file: outbox drafts stay in the journal rows that they were committed in until somebody looks
 * at the outbox, and `meta` says up to which row they have been taken in. What the steps of version 3 had left to do is
 * done here, once. Rows that were damaged stay damaged.
 */
import type Database from 'better-sqlite3';
import { rowChecksum } from './checksum.ts';

/** A row of version 3 whose drafts are not in the outbox yet: the job's own row does not know of it. */
interface UnsettledRow {
  readonly run_id: number;
  readonly first_seq: number;
  readonly last_seq: number;
  readonly recorded_at_ms: number;
  readonly revision: number;
  readonly outbox_seq: number;
  readonly saved: number;
  readonly entries: string;
  readonly sealed: string | null;
  readonly drafts: string;
  readonly crc: number;
  readonly job_id: string;
  readonly lease_token: string;
}

type Draft = readonly [kind: string, payload: string, keep: boolean];

export function toVersion4(db: Database.Database): void {
  const rows = db
    .prepare<[], UnsettledRow>(
      `SELECT j.*, r.job_id, r.lease_token FROM journal j JOIN jobs r ON r.run_id = j.run_id
       JOIN job_states s ON s.run_id = j.run_id
       WHERE j.drafts IS NOT NULL AND j.last_seq > s.journal_seq ORDER BY j.id`,
    )
    .all();
  const lastId = 'max(coalesce((SELECT max(id) FROM outbox), 0), coalesce((SELECT max(id) FROM dead_letters), 0))';
  const insert = db.prepare(`INSERT INTO outbox SELECT 1 + ${lastId}, ?, ?, ?, ?, ?, ?, 0, NULL, ?`);
  for (const row of rows) {
    if (!isWhole(row)) continue;
    const drafts = JSON.parse(row.drafts) as readonly Draft[];
    for (const [index, [kind, payload, keep]] of drafts.entries()) {
      const seq = row.outbox_seq - drafts.length + 1 + index;
      const columns = [seq, kind, payload, row.recorded_at_ms, keep ? 1 : 0] as const;
      insert.run(row.run_id, ...columns, rowChecksum([row.job_id, row.lease_token, ...columns, 0, null]));
    }
  }
  const cursor = String(db.prepare('SELECT coalesce(max(id), 0) FROM journal').pluck().get());
  db.prepare('INSERT INTO meta VALUES (?, ?, ?)').run('outbox_cursor', cursor, rowChecksum(['outbox_cursor', cursor]));
}

function isWhole(row: UnsettledRow): boolean {
  const { job_id, lease_token, first_seq, last_seq, recorded_at_ms, revision, outbox_seq, saved } = row;
  const { entries, sealed, drafts, crc } = row;
  const columns = [first_seq, last_seq, recorded_at_ms, revision, outbox_seq, saved, entries, sealed, drafts];
  return rowChecksum([job_id, lease_token, ...columns]) === crc;
}
