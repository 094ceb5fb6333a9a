/** The one place where errors of SQLite and of the file system become this package's. */
import { StoreError, type StoreErrorCode } from '../errors.ts';

interface Rule {
  readonly prefix: string;
  readonly code: StoreErrorCode;
  readonly remedy: string;
}

const full = 'The size limit (maxBytes) or the disk is used up: free space, run cleanup(), or raise the limit.';
const locked = 'Another connection holds the file locked.';
const damaged = 'The file is damaged or no database: set it aside before going on.';
const failing = 'The disk failed; look at the system log.';
const forbidden = 'The file or its folder cannot be used as it is; look at its path and its rights.';

const rules: readonly Rule[] = [
  { prefix: 'SQLITE_FULL', code: 'STORE_FULL', remedy: full },
  { prefix: 'SQLITE_BUSY', code: 'STORE_BUSY', remedy: locked },
  { prefix: 'SQLITE_LOCKED', code: 'STORE_BUSY', remedy: locked },
  { prefix: 'SQLITE_CORRUPT', code: 'STORE_CORRUPT', remedy: damaged },
  { prefix: 'SQLITE_NOTADB', code: 'STORE_CORRUPT', remedy: damaged },
  { prefix: 'SQLITE_IOERR', code: 'STORE_IO', remedy: failing },
  { prefix: 'SQLITE_READONLY', code: 'STORE_ACCESS', remedy: forbidden },
  { prefix: 'SQLITE_CANTOPEN', code: 'STORE_ACCESS', remedy: forbidden },
  { prefix: 'SQLITE_PERM', code: 'STORE_ACCESS', remedy: forbidden },
  { prefix: 'ENOSPC', code: 'STORE_FULL', remedy: full },
  { prefix: 'EDQUOT', code: 'STORE_FULL', remedy: full },
  { prefix: 'EIO', code: 'STORE_IO', remedy: failing },
  { prefix: 'EACCES', code: 'STORE_ACCESS', remedy: forbidden },
  { prefix: 'EPERM', code: 'STORE_ACCESS', remedy: forbidden },
  { prefix: 'EROFS', code: 'STORE_ACCESS', remedy: forbidden },
  { prefix: 'EEXIST', code: 'STORE_ACCESS', remedy: forbidden },
  { prefix: 'EISDIR', code: 'STORE_ACCESS', remedy: forbidden },
  { prefix: 'ERR_FS_EISDIR', code: 'STORE_ACCESS', remedy: forbidden },
  { prefix: 'ELOOP', code: 'STORE_ACCESS', remedy: forbidden },
  { prefix: 'ENAMETOOLONG', code: 'STORE_ACCESS', remedy: forbidden },
  { prefix: 'ENOENT', code: 'STORE_ACCESS', remedy: forbidden },
  { prefix: 'ENOTDIR', code: 'STORE_ACCESS', remedy: forbidden },
];

/** The matching `StoreError`, with the original as its cause; any other error stays as it is. */
export function translateStorageError(error: unknown, path: string): unknown {
  const found = codeOf(error);
  const rule = rules.find(({ prefix }) => found.startsWith(prefix));
  if (rule === undefined) return error;
  return new StoreError(rule.code, `${path}: ${(error as Error).message} (${found}). ${rule.remedy}`, { cause: error });
}

export function isFull(error: unknown): boolean {
  const found = codeOf(error);
  return found.startsWith('SQLITE_FULL') || found === 'STORE_FULL';
}

export function isBusy(error: unknown): boolean {
  const found = codeOf(error);
  return found.startsWith('SQLITE_BUSY') || found.startsWith('SQLITE_LOCKED');
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}
