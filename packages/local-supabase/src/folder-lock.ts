/**
 * One process per data folder: two on the same one destroy it.
 *
 * The lock is an exclusive transaction held on a small SQLite file. The kernel frees it on any death of the process,
 * so there is no stale lock to clean up. Who holds it is written beside it, for the message to whoever comes second.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { LocalSupabaseError } from './errors.ts';
import type { Clock } from './ports.ts';

export interface FolderLock {
  release(): void;
}

export interface FolderLockOptions {
  readonly clock: Clock;
  /** How long to wait for a holder that may be about to end, in ms. Default 5,000. */
  readonly waitMs?: number;
}

interface Holder {
  readonly pid: number;
  readonly host: string;
  readonly since: string;
}

const sqliteBusy = 5;
const retryMs = 50;

/** Throws a `LocalSupabaseError` with code `DATA_DIR_IN_USE` that names the holder when the wait was in vain. */
export async function lockFolder(folder: string, options: FolderLockOptions): Promise<FolderLock> {
  const { clock, waitMs = 5_000 } = options;
  const { DatabaseSync } = await import('node:sqlite');
  const path = join(folder, 'owner.db');
  await writeFile(path, '', { flag: 'a', mode: 0o600 });
  const deadline = clock.monotonic() + waitMs;
  for (;;) {
    const database = tryLock(new DatabaseSync(path));
    if (database !== null) {
      await writeHolder(folder, clock.now());
      return { release: () => database.close() };
    }
    if (clock.monotonic() >= deadline) break;
    await clock.sleep(retryMs);
  }
  throw new LocalSupabaseError(
    'DATA_DIR_IN_USE',
    `${folder} is in use by ${await describeHolder(folder)}; connect to it with the URL and the key that it printed (a robot: \`start\` without \`--local\`), stop it, or choose another data folder`,
  );
}

function tryLock(database: DatabaseSync): DatabaseSync | null {
  try {
    database.exec('PRAGMA busy_timeout = 0; BEGIN EXCLUSIVE');
    return database;
  } catch (error) {
    database.close();
    if ((error as { errcode?: number }).errcode === sqliteBusy) return null;
    throw error;
  }
}

async function writeHolder(folder: string, now: number): Promise<void> {
  const holder: Holder = { pid: process.pid, host: hostname(), since: new Date(now).toISOString() };
  await writeFile(join(folder, 'owner.json'), `${JSON.stringify(holder)}\n`, { mode: 0o600 });
}

async function describeHolder(folder: string): Promise<string> {
  const text = await readFile(join(folder, 'owner.json'), 'utf8').catch(() => '');
  const holder = parseHolder(text);
  return holder === null ? 'another process' : `the process ${holder.pid} on ${holder.host} (since ${holder.since})`;
}

function parseHolder(text: string): Holder | null {
  try {
    const value = JSON.parse(text) as Partial<Holder>;
    const { pid, host, since } = value;
    return pid !== undefined && host !== undefined && since !== undefined ? { pid, host, since } : null;
  } catch {
    return null; // half-written by a holder that is just starting
  }
}
