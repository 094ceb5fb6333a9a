/**
 * One store, one owner. Ownership is an exclusive transaction held open on a small database of its own:
 * the kernel frees it on any death of the process, so there is nothing stale to clean up.
 */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import Database from 'better-sqlite3';
import { type StoreHolder, StoreOwnedError } from '../errors.ts';
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
    writeNote(files.ownerNote, {
      pid: process.pid,
      host: hostname(),
      since: new Date(nowMs).toISOString(),
      robotId,
    });
  } catch (error) {
    db.close();
    if (isBusy(error)) throw new StoreOwnedError(files.store, readNote(files.ownerNote));
    throw translateStorageError(error, files.owner);
  }
  return {
    release: () => {
      if (!db.open) return;
      rmSync(files.ownerNote, { force: true });
      db.close();
    },
  };
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
