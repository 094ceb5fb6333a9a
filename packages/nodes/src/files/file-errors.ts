/**
 * Errors of the file system in the words of the product: the one place that knows Node's codes.
 * Each message names the path and what to do about it.
 */
import { type ErrorCategory, NodeError } from '../errors.ts';

interface Translation {
  readonly code: string;
  readonly errorType: string;
  readonly category?: ErrorCategory;
  /** With a system error the effect may have happened in part. */
  readonly ambiguous?: boolean;
  readonly message: (path: string) => string;
}

const TRANSLATIONS: Readonly<Record<string, Translation>> = {
  ENOENT: {
    code: 'FILE_NOT_FOUND',
    errorType: 'FileNotFoundError',
    message: (path) => `There is no ${path}: check the path, or create it first`,
  },
  EACCES: {
    code: 'FILE_ACCESS_DENIED',
    errorType: 'PermissionError',
    message: (path) => `Access to ${path} is denied: give the robot's user the right to it`,
  },
  EPERM: {
    code: 'FILE_ACCESS_DENIED',
    errorType: 'PermissionError',
    message: (path) =>
      `The system does not permit this on ${path}: check its owner, its attributes, or whether it is a folder`,
  },
  EROFS: {
    code: 'FILE_ACCESS_DENIED',
    errorType: 'PermissionError',
    message: (path) => `${path} is on a read-only file system: choose another folder`,
  },
  EEXIST: {
    code: 'FILE_EXISTS',
    errorType: 'FileExistsError',
    message: (path) => `${path} exists already: choose another name, or allow overwriting`,
  },
  EISDIR: {
    code: 'FILE_IS_FOLDER',
    errorType: 'IsADirectoryError',
    message: (path) => `${path} is a folder: give the path of a file`,
  },
  ENOTDIR: {
    code: 'FOLDER_IS_FILE',
    errorType: 'NotADirectoryError',
    message: (path) => `A part of ${path} is a file where a folder is needed`,
  },
  ENOTEMPTY: {
    code: 'FILE_EXISTS',
    errorType: 'OSError',
    message: (path) => `${path} is a folder that is not empty`,
  },
  ENAMETOOLONG: {
    code: 'FILE_PATH_INVALID',
    errorType: 'OSError',
    message: (path) => `The path is too long: ${path.slice(0, 120)}...`,
  },
  ELOOP: {
    code: 'FILE_PATH_INVALID',
    errorType: 'OSError',
    message: (path) => `${path} leads through links that go round in a circle`,
  },
  EXDEV: {
    code: 'FILE_OTHER_DISK',
    errorType: 'OSError',
    message: (path) => `${path} is on another disk: a folder can only be moved within one`,
  },
  ENOSPC: {
    code: 'DISK_FULL',
    errorType: 'OSError',
    category: 'transient',
    message: (path) => `The disk of ${path} is full: free some space`,
  },
  EDQUOT: {
    code: 'DISK_FULL',
    errorType: 'OSError',
    category: 'transient',
    message: (path) => `The quota on the disk of ${path} is used up: free some space`,
  },
  EMFILE: {
    code: 'TOO_MANY_OPEN_FILES',
    errorType: 'OSError',
    category: 'transient',
    message: (path) => `${path} cannot be opened: the robot has too many files open`,
  },
  ENFILE: {
    code: 'TOO_MANY_OPEN_FILES',
    errorType: 'OSError',
    category: 'transient',
    message: (path) => `${path} cannot be opened: the system has too many files open`,
  },
  EBUSY: {
    code: 'FILE_BUSY',
    errorType: 'OSError',
    category: 'transient',
    message: (path) => `${path} is in use by another program: close it there`,
  },
  ETXTBSY: {
    code: 'FILE_BUSY',
    errorType: 'OSError',
    category: 'transient',
    message: (path) => `${path} is a program that is running: stop it first`,
  },
  EIO: {
    code: 'FILE_IO_FAILED',
    errorType: 'OSError',
    category: 'transient',
    ambiguous: true,
    message: (path) => `The disk reported an error at ${path}: check it`,
  },
};

/** A node error for whatever a file operation threw; node errors and aborts stay what they are. */
export function fileError(error: unknown, path: string): unknown {
  if (error instanceof NodeError || isAbort(error)) return error;
  const systemCode = codeOf(error);
  const translation = TRANSLATIONS[systemCode];
  if (translation === undefined) {
    const reason = error instanceof Error ? error.message : String(error);
    return new NodeError(`${path}: ${reason}`, {
      code: 'FILE_FAILED',
      category: 'unknown',
      ambiguous: true,
      errorType: 'OSError',
      cause: error,
    });
  }
  return new NodeError(translation.message(path), { ...translation, cause: error });
}

/** Runs file operations on `path`, with their errors translated. */
export async function onFile<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw fileError(error, path);
  }
}

/** Node's code of a system error (`ENOENT`), or "". */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError';
}
