/**
 * Opens the store's file with the settings its promises rest on, and asserts them on the live
 * connection: a pragma that a file system or a build ignores is an error here, not a surprise later.
 */
import Database from 'better-sqlite3';
import { StoreError } from '../errors.ts';
import type { Synchronous } from '../store.ts';
import { assertKnownFile, assertSchema, migrate } from './migrations.ts';
import { translateStorageError } from './storage-errors.ts';
import { ensureOwnerOnly } from './store-files.ts';

export interface DatabaseOptions {
  readonly synchronous: Synchronous;
  /** Blocks the thread while it waits, hence at most 250. */
  readonly busyTimeoutMs: number;
}

/** First SQLite release without a known way to damage a WAL database. */
const minimumSqlite = '3.51.3';
const journalSizeLimitBytes = 16 * 1024 * 1024;

/** @throws StoreError `STORE_UNSUPPORTED`, `STORE_TOO_NEW`, `STORE_FOREIGN`, `STORE_CORRUPT`, `STORE_ACCESS` */
export function openDatabase(path: string, options: DatabaseOptions): Database.Database {
  let db: Database.Database | undefined;
  try {
    ensureOwnerOnly(path);
    db = new Database(path, { timeout: options.busyTimeoutMs });
    assertSqliteVersion(db);
    assertKnownFile(db, path);
    applySettings(db, options);
    if (migrate(db)) moveLogIntoFile(db);
    return db;
  } catch (error) {
    db?.close();
    throw asDamage(translateStorageError(error, path), path);
  }
}

/**
 * Keeps SQLite's own locks from one transaction to the next, for a connection that is the file's only one: taking and
 * giving them back is half of the work of a small transaction. Other programs cannot read the file meanwhile.
 *
 * @throws StoreError `STORE_UNSUPPORTED`
 */
export function holdAlone(db: Database.Database, path: string): void {
  const mode: unknown = db.pragma('locking_mode = exclusive', { simple: true });
  if (mode === 'exclusive') return;
  throw new StoreError(
    'STORE_UNSUPPORTED',
    `SQLite cannot hold ${path} alone: it reports locking_mode ${String(mode)}.`,
  );
}

/** So that a damaged log can never take the file's identity along, by which it knows its high-water marks. */
function moveLogIntoFile(db: Database.Database): void {
  db.pragma('wal_checkpoint(TRUNCATE)');
}

/** SQL that a whole file would not refuse: what it is about is damaged. */
function asDamage(error: unknown, path: string): unknown {
  if (!(error instanceof Database.SqliteError)) return error;
  return new StoreError('STORE_CORRUPT', `${path} is damaged: ${error.message}.`, { cause: error });
}

/** Compares dotted version numbers: is `version` at least `minimum`? */
export function isAtLeast(version: string, minimum: string): boolean {
  const actual = version.split('.').map(Number);
  for (const [index, part] of minimum.split('.').map(Number).entries()) {
    const difference = (actual[index] ?? 0) - part;
    if (difference !== 0) return difference > 0;
  }
  return true;
}

function assertSqliteVersion(db: Database.Database): void {
  const version = db.prepare<[], { v: string }>('SELECT sqlite_version() AS v').get()?.v ?? '0';
  if (isAtLeast(version, minimumSqlite)) return;
  throw new StoreError('STORE_UNSUPPORTED', `SQLite ${version} is too old: the store needs ${minimumSqlite} or newer.`);
}

/** The settings in force on a live connection, by their names in SQLite. */
export function readSettings(db: Database.Database): Readonly<Record<string, string | number>> {
  const names = [
    'journal_mode',
    'synchronous',
    'busy_timeout',
    'wal_autocheckpoint',
    'journal_size_limit',
    'mmap_size',
  ];
  return Object.fromEntries(names.map((name) => [name, db.pragma(name, { simple: true }) as string | number]));
}

/**
 * Looks at the definitions of the tables, at every page and at every index of the file.
 *
 * @throws StoreError `STORE_CORRUPT` with the first fault found
 */
export function assertWhole(db: Database.Database, path: string): void {
  assertSchema(db, path);
  const found: unknown = db.pragma('integrity_check(1)', { simple: true });
  if (found !== 'ok') throw new StoreError('STORE_CORRUPT', `${path} is damaged: ${String(found)}.`);
}

function applySettings(db: Database.Database, options: DatabaseOptions): void {
  const full = options.synchronous === 'full';
  const settings: readonly (readonly [name: string, value: string | number, expected: string | number])[] = [
    ['journal_mode', 'wal', 'wal'],
    ['synchronous', options.synchronous, full ? 2 : 1],
    ['fullfsync', full ? 1 : 0, full ? 1 : 0],
    ['checkpoint_fullfsync', full ? 1 : 0, full ? 1 : 0],
    ['foreign_keys', 1, 1],
    ['busy_timeout', options.busyTimeoutMs, options.busyTimeoutMs],
    ['wal_autocheckpoint', 1_000, 1_000],
    ['journal_size_limit', journalSizeLimitBytes, journalSizeLimitBytes],
    ['mmap_size', 0, 0],
    ['trusted_schema', 0, 0],
    ['cell_size_check', 1, 1],
  ];
  for (const [name, value, expected] of settings) {
    db.pragma(`${name} = ${value}`);
    const actual: unknown = db.pragma(name, { simple: true });
    if (actual === expected) continue;
    throw new StoreError(
      'STORE_UNSUPPORTED',
      `The store needs ${name} = ${expected}, but SQLite reports ${String(actual)} here. Is the file on a network file system?`,
    );
  }
}
