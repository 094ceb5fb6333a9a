/**
 * Versions of the store's file. Pending migrations and the new `user_version` are one transaction, so a
 * file is at one version or the next, never between. A newer file is refused, not guessed at.
 */
import Database from 'better-sqlite3';
import { StoreError } from '../errors.ts';
import { toVersion2 } from './to-version-2.ts';
import { toVersion3 } from './to-version-3.ts';
import { toVersion4 } from './to-version-4.ts';

/** "CASR": marks the file as a store of this package. */
export const applicationId: number = 0x43415352;

/** A version beyond this one is a damaged number, not a newer package. */
const farVersion = 1_000;

/** SQL, or a function for what SQL cannot say; runs inside the transaction of the migration. */
export type Migration = string | ((db: Database.Database) => void);

/** Entry n brings a file from version n to n + 1. Published entries are never edited. */
export const migrations: readonly Migration[] = [
  `
  CREATE TABLE jobs (
    run_id INTEGER PRIMARY KEY AUTOINCREMENT,
    job_id TEXT NOT NULL,
    lease_token TEXT NOT NULL,
    robot_id TEXT NOT NULL,
    name TEXT,
    workflow_json TEXT NOT NULL,
    variables TEXT NOT NULL,
    original_status TEXT NOT NULL,
    on_lost TEXT NOT NULL CHECK (on_lost IN ('hold', 'restart')),
    in_doubt_policy TEXT CHECK (in_doubt_policy IN ('retry', 'skip', 'fail', 'ask')),
    timeout_ms INTEGER,
    cached_at_ms INTEGER NOT NULL,
    crc INTEGER NOT NULL,
    UNIQUE (job_id, lease_token)
  ) STRICT;

  CREATE TABLE job_states (
    run_id INTEGER PRIMARY KEY REFERENCES jobs (run_id),
    status TEXT NOT NULL CHECK (
      status IN ('cached', 'in_progress', 'in_doubt', 'completed', 'failed', 'cancelled', 'released')
    ),
    state TEXT NOT NULL,
    lease TEXT,
    journal_seq INTEGER NOT NULL,
    outbox_seq INTEGER NOT NULL,
    synced_at_ms INTEGER,
    crc INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX job_states_by_status ON job_states (status, synced_at_ms);

  CREATE TABLE journal (
    run_id INTEGER NOT NULL REFERENCES jobs (run_id),
    seq INTEGER NOT NULL,
    kind TEXT NOT NULL,
    node_id TEXT,
    recorded_at_ms INTEGER NOT NULL,
    payload TEXT NOT NULL,
    crc INTEGER NOT NULL,
    PRIMARY KEY (run_id, seq)
  ) STRICT;
  CREATE INDEX journal_snapshots ON journal (run_id, seq) WHERE kind = 'checkpoint_snapshot';

  CREATE TABLE outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    run_id INTEGER NOT NULL REFERENCES jobs (run_id),
    seq INTEGER NOT NULL,
    kind TEXT NOT NULL,
    payload TEXT NOT NULL,
    recorded_at_ms INTEGER NOT NULL,
    keep INTEGER NOT NULL CHECK (keep IN (0, 1)),
    crc INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    last_error TEXT,
    UNIQUE (run_id, seq)
  ) STRICT;

  CREATE TABLE dead_letters (
    id INTEGER PRIMARY KEY,
    job_id TEXT NOT NULL,
    lease_token TEXT NOT NULL,
    seq INTEGER NOT NULL,
    kind TEXT NOT NULL,
    payload TEXT NOT NULL,
    recorded_at_ms INTEGER NOT NULL,
    keep INTEGER NOT NULL,
    crc INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    reason TEXT NOT NULL,
    dead_at_ms INTEGER NOT NULL
  ) STRICT;

  CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT;
  `,
  toVersion2,
  toVersion3,
  toVersion4,
];

/**
 * Checks that a freshly opened file is ours and not too new, before anything is changed in it.
 *
 * @throws StoreError `STORE_TOO_NEW`, `STORE_FOREIGN`
 */
export function assertKnownFile(db: Database.Database, path: string): void {
  const version = db.pragma('user_version', { simple: true }) as number;
  const id = db.pragma('application_id', { simple: true }) as number;
  const tables = db.prepare('SELECT name FROM sqlite_schema').pluck().all() as string[];
  const isOurs = ['jobs', 'job_states', 'journal'].every((name) => tables.includes(name));
  const isEmpty = id === 0 && version === 0 && tables.length === 0;
  if (isOurs && (id !== applicationId || version === 0 || version > farVersion)) {
    throw new StoreError('STORE_CORRUPT', `${path} has a damaged header.`);
  }
  if (id !== applicationId && !isEmpty) {
    throw new StoreError('STORE_FOREIGN', `${path} is a database of another program; it is left as it is.`);
  }
  if (version > migrations.length) {
    throw new StoreError(
      'STORE_TOO_NEW',
      `${path} has version ${version}, this package knows versions up to ${migrations.length}: use the newer version that wrote it, or another file.`,
    );
  }
}

/**
 * Checks that the tables are those of the newest version, word by word: a damaged definition would otherwise
 * come to light much later.
 *
 * @throws StoreError `STORE_CORRUPT`
 */
export function assertSchema(db: Database.Database, path: string): void {
  expectedSchema ??= freshSchema();
  if (schemaOf(db) === expectedSchema && db.pragma('encoding', { simple: true }) === 'UTF-8') return;
  throw new StoreError('STORE_CORRUPT', `The definitions of the tables in ${path} are damaged.`);
}

/** What a fresh store's tables are; found out once. */
let expectedSchema: string | undefined;

function freshSchema(): string {
  const fresh = new Database(':memory:');
  try {
    migrate(fresh);
    return schemaOf(fresh);
  } finally {
    fresh.close();
  }
}

function schemaOf(db: Database.Database): string {
  return JSON.stringify(db.prepare('SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name').all());
}

/** Brings the file to the newest version, or leaves it at the one it has; true when that changed it. */
export function migrate(db: Database.Database, steps: readonly Migration[] = migrations): boolean {
  const run = db.transaction(() => {
    const version = db.pragma('user_version', { simple: true }) as number;
    if (version >= steps.length) return false;
    for (const step of steps.slice(version)) typeof step === 'string' ? db.exec(step) : step(db);
    db.pragma(`application_id = ${applicationId}`);
    db.pragma(`user_version = ${steps.length}`);
    return true;
  });
  return run.immediate();
}
