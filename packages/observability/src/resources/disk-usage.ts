/** Room on the robot's disk, and what its own files take of it. */
import { readdir, stat, statfs } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

export interface DiskSpace {
  /** What this account may still use. */
  readonly freeMb: number;
  readonly totalMb: number;
}

export type ReadDiskSpace = (folder: string) => Promise<DiskSpace>;
/** In MB; 0 for what is not there. */
export type ReadSize = (path: string) => Promise<number>;

const mebibyte = 1024 * 1024;

export const readDiskSpace: ReadDiskSpace = async (folder) => {
  const { bsize, bavail, blocks } = await statfs(folder);
  return { freeMb: (bavail * bsize) / mebibyte, totalMb: (blocks * bsize) / mebibyte };
};

/** The files of a folder (not of those below it), or a file with what lies beside it under its name, as SQLite's logs do. */
export const readSize: ReadSize = async (path) => {
  const isFolder = (await stat(path).catch(() => null))?.isDirectory() === true;
  const folder = isFolder ? path : dirname(path);
  const names = await readdir(folder).catch(() => []);
  const own = isFolder ? names : names.filter((name) => name.startsWith(basename(path)));
  const sizes = await Promise.all(
    own.map(async (name) => (await stat(join(folder, name)).catch(() => null))?.size ?? 0),
  );
  return sizes.reduce((sum, size) => sum + size, 0) / mebibyte;
};
