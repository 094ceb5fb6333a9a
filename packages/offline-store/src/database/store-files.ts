/** The store's files: where they are and who may read them (owner only, I8). */
import {
  chmodSync,
  closeSync,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  readlinkSync,
  realpathSync,
  statSync,
} from 'node:fs';
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
  if (path.trim() === '' || path.trim() !== path || path.includes('\0') || /^(:memory:$|file:)/i.test(path)) {
    throw new StoreError('INVALID_ARGUMENT', `${JSON.stringify(path)} is not a path of a store file.`);
  }
  const given = resolve(path);
  mkdirSync(dirname(given), { recursive: true, mode: 0o700 });
  const store = existsSync(given) ? realpathSync(given) : join(realpathSync(dirname(given)), basename(given));
  const found = statSync(store, { throwIfNoEntry: false });
  if (found !== undefined && !found.isFile()) {
    throw new StoreError('INVALID_ARGUMENT', `${store} is not a file: name the store's file, or move this away.`);
  }
  if (found !== undefined && found.nlink > 1) {
    const remedy = 'copy it with its -wal and -marks under one name, and remove the others';
    throw new StoreError(
      'STORE_ACCESS',
      `${store} has ${found.nlink} names (hard links), so that two owners could write it at once: ${remedy}.`,
    );
  }
  if (isLink(given)) checkLink(given, store);
  const stem = basename(store).replace(/\.db$/, '');
  const owner = join(dirname(store), stem === 'store' ? 'owner' : `${stem}.owner`);
  const files = { store, owner: `${owner}.db`, ownerNote: `${owner}.json`, marks: `${store}-marks` };
  checkCompanions(files);
  return files;
}

/** A store that was moved away from its log and marks would open as it was at an earlier time. */
function checkLink(link: string, store: string): void {
  if (!existsSync(store)) {
    const remedy = 'put the file back there, or remove the link to begin with an empty store';
    throw new StoreError('STORE_ACCESS', `${link} is a link to ${readlinkSync(link)}, where no file is: ${remedy}.`);
  }
  for (const suffix of ['-wal', '-marks']) {
    if (store === link + suffix || !existsSync(link + suffix) || statSync(link + suffix).size === 0) continue;
    const remedy = `move it beside ${store}, as ${basename(store)}${suffix}`;
    throw new StoreError('STORE_ACCESS', `${link} is a link, and ${link}${suffix} belongs to its file: ${remedy}.`);
  }
}

/** SQLite would refuse these without saying which file it means; the files that are replaced as a whole may be links. */
function checkCompanions({ store, marks, owner, ownerNote }: StoreFiles): void {
  const inUse = [`${store}-wal`, `${store}-shm`, owner, `${owner}-journal`];
  const replaced = [marks, `${marks}.new`, ownerNote, `${ownerNote}.new`];
  for (const path of [...inUse, ...replaced]) {
    const found = lstatSync(path, { throwIfNoEntry: false });
    if (found === undefined || found.isFile() || (found.isSymbolicLink() && replaced.includes(path))) continue;
    const kind = found.isDirectory() ? 'a folder' : found.isSymbolicLink() ? 'a link' : 'a device or pipe';
    throw new StoreError(
      'STORE_ACCESS',
      `${path} is ${kind}, and has to be a file: move it away, or put the file back.`,
    );
  }
}

function isLink(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;
}

/** For its owner only; what a link leads to is left alone when it is no file, but a device of the machine's. */
export function keepFromOthers(path: string): void {
  const found = statSync(path);
  if (process.platform !== 'win32' && found.isFile() && (found.mode & 0o077) !== 0) chmodSync(path, 0o600);
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
    keepFromOthers(path);
  }
}
