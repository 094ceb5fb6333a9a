/**
 * Version 3 of the store's file: a row per commit instead of one per journal entry, in the order of the commits
 * instead of by claim, and an index that finds a claim's rows. Rows that were damaged stay damaged.
 */
import type Database from 'better-sqlite3';
import { rowChecksum } from './checksum.ts';
import { runOf, seqOf } from './journal-id.ts';

const tables = `
  ALTER TABLE journal RENAME TO journal_2;
  CREATE TABLE journal (
    id INTEGER PRIMARY KEY,
    run_id INTEGER NOT NULL,
    first_seq INTEGER NOT NULL,
    last_seq INTEGER NOT NULL,
    recorded_at_ms INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    outbox_seq INTEGER NOT NULL,
    saved INTEGER NOT NULL CHECK (saved IN (0, 1)),
    entries TEXT NOT NULL,
    sealed TEXT,
    drafts TEXT,
    crc INTEGER NOT NULL
  ) STRICT;

  CREATE TABLE journal_index (
    run_id INTEGER NOT NULL,
    last_seq INTEGER NOT NULL,
    id INTEGER NOT NULL,
    PRIMARY KEY (run_id, last_seq)
  ) STRICT, WITHOUT ROWID;
`;

/** A row of version 2: one entry. */
interface EntryRow {
  readonly id: number;
  readonly kind: string;
  readonly node_id: string | null;
  readonly recorded_at_ms: number;
  readonly payload: string;
  readonly sealed: string | null;
  readonly revision: number;
  readonly outbox_seq: number;
  readonly drafts: string | null;
  readonly crc: number;
  readonly job_id: string;
  readonly lease_token: string;
}

export function toVersion3(db: Database.Database): void {
  db.exec(tables);
  const select = db.prepare<[number], EntryRow>(
    `SELECT j.*, r.job_id, r.lease_token FROM journal_2 j JOIN jobs r ON r.run_id = j.id / (1 << 28)
     WHERE j.id > ? ORDER BY j.id LIMIT 1000`,
  );
  const insert = db.prepare('INSERT INTO journal VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)');
  for (let rows = select.all(0); rows.length > 0; rows = select.all(rows.at(-1)?.id ?? 0)) {
    for (const row of rows) insert.run(...commitOf(row));
  }
  db.exec(`
    INSERT INTO journal_index SELECT run_id, last_seq, id FROM journal ORDER BY run_id, last_seq;
    DROP TABLE journal_2;
  `);
}

function commitOf(row: EntryRow): (string | number | null)[] {
  const { job_id, lease_token, kind, node_id, recorded_at_ms, payload, sealed, revision, outbox_seq, drafts } = row;
  const seq = seqOf(row.id);
  const old = [job_id, lease_token, seq, kind, node_id, recorded_at_ms, payload, sealed, revision, outbox_seq, drafts];
  const saved = kind === 'checkpoint_snapshot' || kind === 'checkpoint_delta' ? 1 : 0;
  const parts = sealed === null ? null : JSON.stringify([[0, sealed]]);
  const columns = [seq, seq, recorded_at_ms, revision, outbox_seq, saved, `[${payload}]`, parts, drafts];
  const crc = rowChecksum([job_id, lease_token, ...columns]);
  return [runOf(row.id), ...columns, rowChecksum(old) === row.crc ? crc : crc ^ 1];
}
