/**
 * Writes a whole file so that readers see the old content or the new one, never a part: a temporary file
 * beside it, then a rename. The file keeps its mode and owner.
 *
 * Where a rename would change what the path is (a device, a hard link, another user's file) or the folder
 * takes no new file, the content is written in place instead.
 */
import { createHash } from 'node:crypto';
import { constants, type Stats } from 'node:fs';
import { type FileHandle, open, realpath, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { codeOf } from './file-errors.ts';
import { statOrNull } from './stat-or-null.ts';

/** @param tag the same for every attempt of a step, so that a repeated attempt reuses the temporary file */
export async function replaceFile(path: string, bytes: Uint8Array, tag: string): Promise<void> {
  const existing = await statOrNull(path);
  const target = existing === null ? path : await realpath(path);
  if (existing !== null && !isReplaceable(existing)) {
    await writeInPlace(target, bytes);
    return;
  }
  const temporary = temporaryPath(target, tag);
  try {
    await writeTemporary(temporary, bytes, existing);
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true });
    const folderIsClosed = codeOf(error) === 'EACCES' || codeOf(error) === 'EPERM';
    if (existing === null || !folderIsClosed) throw error;
    await writeInPlace(target, bytes);
  }
}

/** A hidden name in the folder of `path`. */
export function temporaryPath(path: string, tag: string): string {
  const digest = createHash('sha256').update(tag).update('\0').update(path).digest('hex');
  return join(dirname(path), `.casare-${digest.slice(0, 16)}.tmp`);
}

function isReplaceable(existing: Stats): boolean {
  const user = process.getuid?.();
  const ours = user === undefined || user === 0 || user === existing.uid;
  return existing.isFile() && existing.nlink === 1 && ours;
}

async function writeTemporary(path: string, bytes: Uint8Array, existing: Stats | null): Promise<void> {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | (constants.O_NOFOLLOW ?? 0);
  await withHandle(await open(path, flags), async (handle) => {
    await handle.writeFile(bytes);
    if (existing !== null) {
      if (process.getuid?.() === 0) await handle.chown(existing.uid, existing.gid);
      await handle.chmod(existing.mode & 0o7777);
    }
    await handle.sync();
  });
}

async function writeInPlace(path: string, bytes: Uint8Array): Promise<void> {
  await withHandle(await open(path, 'w'), async (handle) => {
    await handle.writeFile(bytes);
    if ((await handle.stat()).isFile()) await handle.sync();
  });
}

export async function withHandle<T>(handle: FileHandle, work: (handle: FileHandle) => Promise<T>): Promise<T> {
  try {
    return await work(handle);
  } finally {
    await handle.close();
  }
}
