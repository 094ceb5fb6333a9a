/** Opens a store: finds its files, becomes their owner, brings the schema up to date. */
import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import type Database from 'better-sqlite3';
import { openDatabase } from './database/open-database.ts';
import { acquireOwnerLock } from './database/owner-lock.ts';
import { translateStorageError } from './database/storage-errors.ts';
import { locateStore } from './database/store-files.ts';
import { StoreError } from './errors.ts';
import type { Logger } from './ports.ts';
import { SqliteStore } from './sqlite-store.ts';
import type { Store, StoreOptions } from './store.ts';
import { systemClock } from './system-clock.ts';

const defaultMaxBytes = 1024 ** 3;
const maxBusyTimeoutMs = 250;

/**
 * Opens a store and becomes its owner.
 *
 * @example
 * const store = await openStore({ path: '/var/lib/robot/store.db', robotId: 'robot-123' });
 * await store.close();
 *
 * @throws StoreOwnedError `STORE_OWNED`: another process holds it
 * @throws StoreError `STORE_TOO_NEW`, `STORE_FOREIGN`, `STORE_UNSUPPORTED`, `STORE_CORRUPT`, `STORE_ACCESS`
 */
export async function openStore(options: StoreOptions): Promise<Store> {
  return openStoreNow(options);
}

/** The same without a promise, for constructors. */
export function openStoreNow(options: StoreOptions): Store {
  const busyTimeoutMs = options.busyTimeoutMs ?? maxBusyTimeoutMs;
  if (!Number.isInteger(busyTimeoutMs) || busyTimeoutMs < 0 || busyTimeoutMs > maxBusyTimeoutMs) {
    throw new StoreError('INVALID_ARGUMENT', `busyTimeoutMs is a whole number from 0 to ${maxBusyTimeoutMs}.`);
  }
  try {
    return openAsOwner(options, busyTimeoutMs);
  } catch (error) {
    throw translateStorageError(error, options.path);
  }
}

function openAsOwner(options: StoreOptions, busyTimeoutMs: number): Store {
  const { synchronous = 'full', maxBytes = defaultMaxBytes, clock = systemClock } = options;
  const files = locateStore(options.path);
  warnAboutFolder(dirname(files.store), options.logger);
  const lock = acquireOwnerLock(files, options.robotId, clock.now());
  let db: Database.Database | undefined;
  try {
    db = openDatabase(files.store, { synchronous, maxBytes, busyTimeoutMs });
    return new SqliteStore(db, lock, { ...options, path: files.store, synchronous, maxBytes, clock });
  } catch (error) {
    db?.close();
    lock.release();
    throw error;
  }
}

function warnAboutFolder(folder: string, logger: Logger | undefined): void {
  if (process.platform === 'win32' || (statSync(folder).mode & 0o077) === 0) return;
  logger?.log('warning', 'the folder of the store is open to other users', { folder });
}
