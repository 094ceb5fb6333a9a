/**
 * One store, one owner. Ownership is an exclusive transaction held open on a small database of its own:
 * the kernel frees it on any death of the process, so there is nothing stale to clean up.
 */
import { readdirSync, readFileSync, readlinkSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { StoreError, type StoreHolder, StoreOwnedError } from '../errors.ts';
import { isBusy, translateStorageError } from './storage-errors.ts';
import { ensureOwnerOnly, type StoreFiles } from './store-files.ts';

export interface OwnerLock {
  /** Gives the store free. Idempotent. */
  release(): void;
}

/** Long enough for a dying owner's locks to go, short enough not to be noticed at start. */
const lockWaitMs = 250;

/** @throws StoreOwnedError naming the holder */
export function acquireOwnerLock(files: StoreFiles, robotId: string, nowMs: number): OwnerLock {
  ensureOwnerOnly(files.owner);
  const db = new Database(files.owner, { timeout: lockWaitMs });
  try {
    db.exec('BEGIN EXCLUSIVE');
    const known = readNote(files.ownerNote);
    if (known !== null && hasOpen(known, files.store)) throw new StoreOwnedError(files.store, known);
    writeNote(files.ownerNote, {
      pid: process.pid,
      host: hostname(),
      since: new Date(nowMs).toISOString(),
      robotId,
    });
  } catch (error) {
    db.close();
    if (isBusy(error)) throw new StoreOwnedError(files.store, readNote(files.ownerNote));
    const translated = translateStorageError(error, files.owner);
    if (!(translated instanceof StoreError) || translated.code !== 'STORE_CORRUPT') throw translated;
    const remedy = 'It holds a lock and nothing else: delete it when no process uses the store.';
    throw new StoreError('STORE_ACCESS', `${files.owner} is damaged. ${remedy}`, { cause: error });
  }
  return {
    release: () => {
      if (!db.open) return;
      rmSync(files.ownerNote, { force: true });
      db.close();
    },
  };
}

/** Whoever deletes the lock's file takes it from nobody: where the system can tell, the holder is asked after. */
function hasOpen({ pid, host }: StoreHolder, path: string): boolean {
  if (host !== hostname()) return false;
  const folder = `/proc/${pid}/fd`;
  try {
    return readdirSync(folder).some((name) => linkOf(join(folder, name)) === path);
  } catch {
    return false;
  }
}

function linkOf(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch {
    return null;
  }
}

function writeNote(path: string, holder: StoreHolder): void {
  const draft = `${path}.new`;
  rmSync(draft, { force: true });
  writeFileSync(draft, `${JSON.stringify(holder)}\n`, { mode: 0o600, flag: 'wx' });
  renameSync(draft, path);
}

/** Null when there is no readable note: the holder may be about to write it. */
function readNote(path: string): StoreHolder | null {
  let note: unknown;
  try {
    note = JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return null;
  }
  if (typeof note !== 'object' || note === null) return null;
  const { pid, host, since, robotId } = note as Partial<Record<keyof StoreHolder, unknown>>;
  if (typeof pid !== 'number' || typeof host !== 'string' || typeof since !== 'string') return null;
  return { pid, host, since, robotId: typeof robotId === 'string' ? robotId : 'unknown' };
}
