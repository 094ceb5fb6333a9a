/** Takes a damaged store out of the way, as a whole and under a name that says when: nothing of it is changed. */
import { existsSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { StoreFiles } from '../database/store-files.ts';

/** Damaged stores that are kept; older ones are removed (I7). */
const maxKept = 5;

/** What belongs to a store besides its file. */
const companions = ['-wal', '-marks'] as const;

/** @returns the path of the damaged file now, with its write-ahead log and marks beside it */
export function setAside(files: StoreFiles, nowMs: number): string {
  const stamp = new Date(nowMs).toISOString().replaceAll(':', '');
  const target = freeName(`${files.store}.damaged-${stamp}`);
  for (const suffix of companions) {
    if (existsSync(files.store + suffix)) renameSync(files.store + suffix, target + suffix);
  }
  if (existsSync(files.store)) renameSync(files.store, target);
  rmSync(`${files.store}-shm`, { force: true });
  removeOldest(files);
  return target;
}

function freeName(wanted: string): string {
  for (let n = 2, name = wanted; ; n += 1) {
    if (!existsSync(name) && companions.every((suffix) => !existsSync(name + suffix))) return name;
    name = `${wanted}-${n}`;
  }
}

function removeOldest(files: StoreFiles): void {
  const prefix = `${basename(files.store)}.damaged-`;
  const names = readdirSync(dirname(files.store)).filter((name) => name.startsWith(prefix));
  const stores = [...new Set(names.map((name) => name.replace(/-(wal|marks|shm)$/, '')))].sort();
  for (const store of stores.slice(0, Math.max(0, stores.length - maxKept))) {
    for (const suffix of ['', '-shm', ...companions]) {
      rmSync(join(dirname(files.store), store + suffix), { force: true });
    }
  }
}
