/**
 * Opens a damaged store for reading, as far as that goes. It works on a copy, so that the damaged file stays as
 * evidence, and brings a copy of an older version to the newest one. A file whose first page is unreadable gets the first page of a fresh store,
 * and definitions of tables are replaced by those of a fresh store: what is read by their help is believed only if its
 * checksum says so.
 */
import { closeSync, copyFileSync, existsSync, fstatSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import Database from 'better-sqlite3';
import { migrate } from '../database/migrations.ts';

const pageBytes = 4_096;

/** Hands the readable copy to `read`, with the schema of a fresh store in `fresh` to fall back on. */
export function readDamaged(path: string, fresh: Database.Database, read: (db: Database.Database) => void): void {
  const copy = `${path}.copy`;
  removeCopy(copy);
  try {
    for (const attempt of ['as it is', 'grafted'] as const) {
      copyFile(path, copy);
      if (attempt === 'grafted') graftFirstPage(copy, fresh.serialize().subarray(0, pageBytes));
      if (tryRead(copy, fresh, read)) return;
    }
  } finally {
    removeCopy(copy);
  }
}

function copyFile(path: string, copy: string): void {
  removeCopy(copy);
  for (const suffix of ['', '-wal']) {
    if (existsSync(path + suffix)) copyFileSync(path + suffix, copy + suffix);
  }
}

function removeCopy(copy: string): void {
  for (const suffix of ['', '-wal', '-shm']) rmSync(copy + suffix, { force: true });
}

/** False when not even the schema can be read. */
function tryRead(copy: string, fresh: Database.Database, read: (db: Database.Database) => void): boolean {
  let db: Database.Database | undefined;
  try {
    db = openDamaged(copy);
    tryMigrate(db);
    if (tryToRedefine(db, fresh)) {
      close(db);
      db = openDamaged(copy);
    }
    const tables = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").pluck().all();
    if (!tables.includes('jobs') || !tables.includes('journal')) return false;
    read(db);
    return true;
  } catch {
    return false;
  } finally {
    close(db);
  }
}

/** A definition that cannot be understood leaves its table out, and no other. */
function openDamaged(copy: string): Database.Database {
  const db = new Database(copy);
  db.unsafeMode(true);
  db.pragma('writable_schema = ON');
  return db;
}

/** What stays at an older version, because the damage is in the way, is not salvaged. */
function tryMigrate(db: Database.Database): void {
  try {
    migrate(db);
  } catch {
    // As a transaction it has changed nothing.
  }
}

/** Gives tables of the newest version the definitions that they have there; true when that changed any. */
function tryToRedefine(db: Database.Database, fresh: Database.Database): boolean {
  try {
    if (versionOf(db) !== versionOf(fresh)) return false;
    const definitions = fresh.prepare<[], { name: string; sql: string }>(
      "SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
    );
    const redefine = db.prepare("UPDATE sqlite_schema SET sql = ? WHERE type = 'table' AND name = ? AND sql IS NOT ?");
    return definitions.all().reduce((count, { name, sql }) => count + redefine.run(sql, name, sql).changes, 0) > 0;
  } catch {
    return false;
  }
}

function versionOf(db: Database.Database): unknown {
  return db.pragma('user_version', { simple: true });
}

/** Closing writes the copy's log into the copy, which may fail on what is damaged. */
function close(db: Database.Database | undefined): void {
  try {
    db?.close();
  } catch {
    // The copy is removed in any case.
  }
}

function graftFirstPage(copy: string, firstPage: Buffer): void {
  if (!existsSync(copy)) return;
  const file = openSync(copy, 'r+');
  try {
    const { size } = fstatSync(file);
    if (size < pageBytes) return;
    const page = Buffer.from(firstPage);
    const counter = Buffer.alloc(4);
    readSync(file, counter, 0, 4, 24);
    counter.copy(page, 24);
    counter.copy(page, 92);
    page.writeUInt32BE(Math.floor(size / pageBytes), 28);
    page.fill(0, 32, 40);
    page[18] = 2;
    page[19] = 2;
    writeSync(file, page, 0, pageBytes, 0);
  } finally {
    closeSync(file);
  }
}
