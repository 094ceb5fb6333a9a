/** Copies a file so that the destination appears whole: a copy beside it first, then a link or a rename. */
import { constants } from 'node:fs';
import { copyFile, link, rename, rm, stat, utimes } from 'node:fs/promises';
import { codeOf } from './file-errors.ts';
import { temporaryPath } from './replace-file.ts';

/** Keeps mode and times. Without `overwrite` an existing destination is an `EEXIST` error. */
export async function placeCopy(
  source: string,
  destination: string,
  options: { readonly overwrite: boolean; readonly tag: string },
): Promise<void> {
  const temporary = temporaryPath(destination, options.tag);
  try {
    await copyFile(source, temporary, constants.COPYFILE_FICLONE);
    const original = await stat(source);
    await utimes(temporary, original.atime, original.mtime);
    if (options.overwrite) await rename(temporary, destination);
    else await linkInto(temporary, destination);
  } finally {
    await rm(temporary, { force: true });
  }
}

/** A hard link never replaces what is there; some file systems have none. */
async function linkInto(temporary: string, destination: string): Promise<void> {
  try {
    await link(temporary, destination);
  } catch (error) {
    if (!['EPERM', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP', 'EMLINK'].includes(codeOf(error))) throw error;
    await copyFile(temporary, destination, constants.COPYFILE_EXCL);
  }
}
