/** `stat` and `lstat` that answer null when there is nothing at the path. */
import type { Stats } from 'node:fs';
import { lstat, stat } from 'node:fs/promises';
import { codeOf } from './file-errors.ts';

export async function statOrNull(path: string): Promise<Stats | null> {
  return nullIfMissing(stat(path));
}

/** Of a link itself, not of what it leads to. */
export async function lstatOrNull(path: string): Promise<Stats | null> {
  return nullIfMissing(lstat(path));
}

async function nullIfMissing(found: Promise<Stats>): Promise<Stats | null> {
  try {
    return await found;
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(codeOf(error))) return null;
    throw error;
  }
}
