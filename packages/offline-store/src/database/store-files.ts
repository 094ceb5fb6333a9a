/** The store's files: where they are and who may read them (owner only, I8). */
import { chmodSync, closeSync, existsSync, mkdirSync, openSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { StoreError } from '../errors.ts';

export interface StoreFiles {
  readonly store: string;
  /** Holds the lock that makes one process the owner. */
  readonly owner: string;
  /** Says who that is; of no weight for the lock itself. */
  readonly ownerNote: string;
  /** High-water marks of the store's claims. */
  readonly marks: string;
}

/** The files of a store, by their real paths, so that two names of one file meet in one lock. */
export function locateStore(path: string): StoreFiles {
  if (path.trim() === '' || path === ':memory:' || path.trim() !== path) {
    throw new StoreError('INVALID_ARGUMENT', `"${path}" is not a path of a store file.`);
  }
  const given = resolve(path);
  mkdirSync(dirname(given), { recursive: true, mode: 0o700 });
  const store = existsSync(given) ? realpathSync(given) : join(realpathSync(dirname(given)), basename(given));
  if (existsSync(store) && !statSync(store).isFile()) {
    throw new StoreError('INVALID_ARGUMENT', `${store} is not a file.`);
  }
  const stem = basename(store).replace(/\.db$/, '');
  const owner = join(dirname(store), stem === 'store' ? 'owner' : `${stem}.owner`);
  return { store, owner: `${owner}.db`, ownerNote: `${owner}.json`, marks: `${store}-marks` };
}

/**
 * Makes the file exist, for its owner only. An existing file is never opened here: closing a second
 * descriptor of it would drop the locks that SQLite holds in this process.
 */
export function ensureOwnerOnly(path: string): void {
  try {
    closeSync(openSync(path, 'wx', 0o600));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    if ((statSync(path).mode & 0o077) !== 0) chmodSync(path, 0o600);
  }
}
