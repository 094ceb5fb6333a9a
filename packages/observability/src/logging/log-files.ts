/**
 * The files of one log, as a reader beside the robot sees them: `robot.log`, and before it `robot.log.1`, `robot.log.2`
 * and so on, all of which move up when the newest is put aside. A file is known by its inode, because its name changes.
 */
import { type FileHandle, open, readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

export interface OpenLogFile {
  readonly handle: FileHandle;
  readonly inode: bigint;
}

/** A log that moves on again and again while it is opened is read as it was at the last look. */
const mostLooks = 20;

/** Oldest first. The caller closes them. */
export async function openLogFiles(path: string): Promise<readonly OpenLogFile[]> {
  for (let look = 1; ; look += 1) {
    const opened: OpenLogFile[] = [];
    const names = await logFileNames(path);
    for (const name of names) {
      const file = await openLogFile(name);
      if (file !== null) opened.push(file);
    }
    const inodes = await Promise.all(names.map(inodeOf));
    const isSteady = opened.length === names.length && opened.every(({ inode }, index) => inode === inodes[index]);
    if (isSteady || look === mostLooks) return opened;
    await closeAll(opened);
  }
}

export async function closeAll(files: readonly OpenLogFile[]): Promise<void> {
  for (const { handle } of files) await handle.close();
}

/** Null when there is no such file. */
export async function inodeOf(path: string): Promise<bigint | null> {
  try {
    return (await stat(path, { bigint: true })).ino;
  } catch {
    return null;
  }
}

async function openLogFile(path: string): Promise<OpenLogFile | null> {
  try {
    const handle = await open(path, 'r');
    return { handle, inode: (await handle.stat({ bigint: true })).ino };
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ENOENT') return null;
    throw error;
  }
}

async function logFileNames(path: string): Promise<readonly string[]> {
  const current = basename(path);
  const names = await readdir(dirname(path)).catch(() => [] as string[]);
  const aside = names.flatMap((name) => {
    const number = name.startsWith(`${current}.`) ? name.slice(current.length + 1) : '';
    return /^\d{1,9}$/.test(number) ? [Number(number)] : [];
  });
  const older = aside.sort((a, b) => b - a).map((number) => join(dirname(path), `${current}.${number}`));
  return names.includes(current) ? [...older, path] : older;
}
