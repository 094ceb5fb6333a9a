/**
 * One writer per folder. The lock is an exclusive transaction held open on an empty SQLite file, `owner.db`: the kernel
 * frees it on any death of the process, so nothing stale is ever left. Needs Node's own SQLite (which Node 22 and 23
 * call experimental, with a warning at first use).
 */
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';

export interface FolderLock {
  release(): void;
}

const sqliteBusy = 5;

/** Null when another writer, in this process or another, holds the folder. Throws what the file system says. */
export function lockFolder(folder: string): FolderLock | null {
  const { DatabaseSync } = process.getBuiltinModule('node:sqlite');
  const path = join(folder, 'owner.db');
  closeSync(openSync(path, 'a', 0o600));
  const database = new DatabaseSync(path);
  try {
    // A dying owner's lock may take a moment to go.
    database.exec('PRAGMA busy_timeout = 250; PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
    return { release: () => database.close() };
  } catch (error) {
    database.close();
    if ((error as { errcode?: unknown }).errcode === sqliteBusy) return null;
    throw error;
  }
}
