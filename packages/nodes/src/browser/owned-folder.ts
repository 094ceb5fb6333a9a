/**
 * Temporary folders that carry their owner in their name (host and process), so that whoever comes later can tell
 * an abandoned one, left behind by a killed process, from one in use.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { isProcessAlive } from './process-tree.ts';

const host = (): string => hostname().replace(/[^A-Za-z0-9.]/g, '_');

/** A path of this process below `parent` that nothing else uses. */
export function ownedPath(parent: string, prefix: string): string {
  return join(parent, `${prefix}-${host()}-${process.pid}-${randomBytes(4).toString('hex')}`);
}

/** Makes such a folder, readable by its owner only. */
export async function createOwnedFolder(parent: string, prefix: string): Promise<string> {
  const folder = ownedPath(parent, prefix);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  return folder;
}

/** Removes the folders below `parent` whose process on this host is gone, after `release` let go of each. */
export async function sweepAbandoned(
  parent: string,
  prefix: string,
  release: (folder: string) => Promise<void> = async () => undefined,
): Promise<void> {
  const start = `${prefix}-${host()}-`;
  for (const name of await readdir(parent)) {
    const pid = name.startsWith(start) ? /^(\d+)-[0-9a-f]{8}$/.exec(name.slice(start.length))?.[1] : undefined;
    if (pid === undefined || isProcessAlive(Number(pid))) continue;
    const folder = join(parent, name);
    await release(folder);
    await removeFolder(folder);
  }
}

/** Removes a folder, waiting a little for a process that is still letting go of it. */
export async function removeFolder(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
}
