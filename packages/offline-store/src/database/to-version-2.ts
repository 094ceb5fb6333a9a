/**
 * Version 2 of the store's file: revisions of a job's state (the number its high-water mark is compared
 * with), one B-tree for the journal, executed nodes and incidents as tables of their own, sealed parts of an
 * entry, and checksums on every table whose values are handed out. Rows that were damaged stay damaged.
 */
import { randomUUID } from 'node:crypto';
import type Database from 'better-sqlite3';
import { rowChecksum } from './checksum.ts';
import { journalId } from './journal-id.ts';

const tables = `
  CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL, crc INTEGER NOT NULL) STRICT, WITHOUT ROWID;

  ALTER TABLE job_states RENAME TO job_states_1;
  DROP INDEX job_states_by_status;
  CREATE TABLE job_states (
    run_id INTEGER PRIMARY KEY REFERENCES jobs (run_id),
    status TEXT NOT NULL CHECK (
      status IN ('cached', 'in_progress', 'in_doubt', 'completed', 'failed', 'cancelled', 'released')
    ),
    state TEXT NOT NULL,
    lease TEXT,
    revision INTEGER NOT NULL,
    journal_seq INTEGER NOT NULL,
    first_seq INTEGER NOT NULL,
    snapshot_seq INTEGER NOT NULL,
    checkpoint_seq INTEGER NOT NULL,
    outbox_seq INTEGER NOT NULL,
    synced_at_ms INTEGER,
    crc INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX job_states_by_status ON job_states (status, synced_at_ms);

  ALTER TABLE journal RENAME TO journal_1;
  DROP INDEX journal_snapshots;
  CREATE TABLE journal (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    node_id TEXT,
    recorded_at_ms INTEGER NOT NULL,
    payload TEXT NOT NULL,
    sealed TEXT,
    revision INTEGER NOT NULL,
    outbox_seq INTEGER NOT NULL,
    drafts TEXT,
    crc INTEGER NOT NULL
  ) STRICT;

  CREATE TABLE executed (
    run_id INTEGER NOT NULL,
    node_id TEXT NOT NULL,
    first_seq INTEGER NOT NULL,
    iteration TEXT NOT NULL,
    crc INTEGER NOT NULL,
    PRIMARY KEY (run_id, node_id)
  ) STRICT, WITHOUT ROWID;

  ALTER TABLE outbox RENAME TO outbox_1;
  CREATE TABLE outbox (
    id INTEGER PRIMARY KEY,
    run_id INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    kind TEXT NOT NULL,
    payload TEXT NOT NULL,
    recorded_at_ms INTEGER NOT NULL,
    keep INTEGER NOT NULL CHECK (keep IN (0, 1)),
    attempts INTEGER NOT NULL,
    last_error TEXT,
    crc INTEGER NOT NULL
  ) STRICT;

  ALTER TABLE dead_letters RENAME TO dead_letters_1;
  CREATE TABLE dead_letters (
    id INTEGER PRIMARY KEY,
    job_id TEXT NOT NULL,
    lease_token TEXT NOT NULL,
    seq INTEGER NOT NULL,
    kind TEXT NOT NULL,
    payload TEXT NOT NULL,
    recorded_at_ms INTEGER NOT NULL,
    keep INTEGER NOT NULL CHECK (keep IN (0, 1)),
    attempts INTEGER NOT NULL,
    disposition TEXT NOT NULL CHECK (disposition IN ('dead', 'superseded', 'damaged')),
    reason TEXT NOT NULL,
    dead_at_ms INTEGER NOT NULL,
    crc INTEGER NOT NULL
  ) STRICT;

  ALTER TABLE counters RENAME TO counters_1;
  CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL, crc INTEGER NOT NULL) STRICT, WITHOUT ROWID;

  CREATE TABLE incidents (
    id INTEGER PRIMARY KEY,
    at_ms INTEGER NOT NULL,
    kind TEXT NOT NULL,
    job_id TEXT,
    lease_token TEXT,
    detail TEXT NOT NULL,
    crc INTEGER NOT NULL
  ) STRICT;
`;

const version1Tables = ['job_states_1', 'journal_1', 'outbox_1', 'dead_letters_1', 'counters_1'] as const;

type Value = string | number | null;
type Row = Readonly<Record<string, Value>>;

export function toVersion2(db: Database.Database): void {
  db.exec(tables);
  const storeId = randomUUID();
  db.prepare('INSERT INTO meta VALUES (?, ?, ?)').run('store_id', storeId, rowChecksum(['store_id', storeId]));
  moveStates(db);
  moveJournal(db);
  moveOutbox(db);
  moveDeadLetters(db);
  for (const { name, value } of rowsOf(db, 'counters_1')) {
    db.prepare('INSERT INTO counters VALUES (?, ?, ?)').run(name, value, rowChecksum(valuesOf([name, value])));
  }
  for (const table of version1Tables) db.exec(`DROP TABLE ${table}`);
}

function rowsOf(db: Database.Database, table: string): Row[] {
  return db.prepare<[], Row>(`SELECT * FROM ${table}`).all();
}

function valuesOf(columns: readonly (Value | undefined)[]): Value[] {
  return columns.map((column) => column ?? null);
}

/** The new checksum, wrong again where the old one was wrong. */
function carried(wasIntact: boolean, columns: readonly (Value | undefined)[]): number {
  const value = rowChecksum(valuesOf(columns));
  return wasIntact ? value : value ^ 1;
}

function moveStates(db: Database.Database): void {
  const insert = db.prepare('INSERT INTO job_states VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)');
  const lastSnapshot = db
    .prepare("SELECT max(seq) FROM journal_1 WHERE run_id = ? AND kind = 'checkpoint_snapshot'")
    .pluck();
  for (const row of rowsOf(db, 'job_states_1')) {
    const { run_id, status, state, lease, journal_seq, outbox_seq, synced_at_ms, crc } = row;
    const old = [run_id, status, state, lease, journal_seq, outbox_seq, synced_at_ms];
    const revision = Number(journal_seq) + 1;
    const snapshot = (lastSnapshot.get(run_id) as number | null) ?? 0;
    const columns = [run_id, status, state, lease, revision, journal_seq, 1, 0, snapshot, outbox_seq, synced_at_ms];
    insert.run(...columns, carried(rowChecksum(valuesOf(old)) === crc, columns));
  }
}

function moveJournal(db: Database.Database): void {
  const insert = db.prepare('INSERT INTO journal VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)');
  const execute = db.prepare('INSERT OR IGNORE INTO executed VALUES (?, ?, ?, ?, ?)');
  const rows = db.prepare<[], Row>(
    'SELECT j.*, r.job_id, r.lease_token FROM journal_1 j JOIN jobs r ON r.run_id = j.run_id ORDER BY j.run_id, j.seq',
  );
  for (const row of rows.all()) {
    const { job_id, lease_token, run_id, seq, kind, node_id, recorded_at_ms, payload, crc } = row;
    const old = [job_id, lease_token, seq, kind, node_id, recorded_at_ms, payload];
    const next = carried(rowChecksum(valuesOf(old)) === crc, [...old, null, seq, 0, null]);
    const id = journalId(Number(run_id), Number(seq));
    insert.run(id, kind, node_id, recorded_at_ms, payload, null, seq, 0, null, next);
    if (node_id === null || !['result', 'checkpoint_snapshot', 'checkpoint_delta'].includes(String(kind))) continue;
    const executed = [run_id, node_id, seq, '[]'];
    execute.run(...executed, rowChecksum(valuesOf(executed)));
  }
}

function moveOutbox(db: Database.Database): void {
  const insert = db.prepare('INSERT INTO outbox VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)');
  const rows = db.prepare<[], Row>(
    'SELECT o.*, r.job_id, r.lease_token FROM outbox_1 o JOIN jobs r ON r.run_id = o.run_id ORDER BY o.id',
  );
  for (const row of rows.all()) {
    const { id, run_id, job_id, lease_token, seq, kind, payload, recorded_at_ms, keep, attempts, last_error } = row;
    const old = [job_id, lease_token, seq, kind, payload, recorded_at_ms, keep];
    const next = carried(rowChecksum(valuesOf(old)) === row.crc, [...old, attempts, last_error]);
    insert.run(id, run_id, seq, kind, payload, recorded_at_ms, keep, attempts, last_error, next);
  }
}

function moveDeadLetters(db: Database.Database): void {
  const insert = db.prepare('INSERT INTO dead_letters VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)');
  for (const row of rowsOf(db, 'dead_letters_1')) {
    const { id, job_id, lease_token, seq, kind, payload, recorded_at_ms, keep, attempts, reason, dead_at_ms } = row;
    const old = [job_id, lease_token, seq, kind, payload, recorded_at_ms, keep];
    const columns = [...old, attempts, 'dead', reason, dead_at_ms];
    insert.run(id, ...columns, carried(rowChecksum(valuesOf(old)) === row.crc, columns));
  }
}
