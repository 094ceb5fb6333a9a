/**
 * The files from before the chain, `audit-<day>.jsonl`. They are kept and read as they are. When the chain begins, it
 * writes down what they were: `audit-earlier.sha256` in the format of `sha256sum`, whose own hash is in the chain's
 * first entry, so that a later change shows.
 */
import { createHash, hash } from 'node:crypto';
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { isCode, replaceFile } from '../files/durable-file.ts';
import { readChunks } from '../files/read-chunks.ts';
import type { AuditFile } from './audit-files.ts';

export const earlierListName = 'audit-earlier.sha256';

/** @returns the SHA-256 of the list */
export function recordEarlierFiles(folder: string, files: readonly AuditFile[]): string {
  const list = files.map(({ name, path }) => `${sha256OfFile(path)}  ${name}\n`).join('');
  replaceFile(join(folder, earlierListName), list);
  return hash('sha256', list, 'hex');
}

export interface EarlierList {
  readonly sha256: string;
  readonly byName: ReadonlyMap<string, string>;
}

/** Null when there is none. */
export function readEarlierList(folder: string): EarlierList | null {
  let list: string;
  try {
    list = readFileSync(join(folder, earlierListName), 'utf8');
  } catch (error) {
    if (isCode(error, 'ENOENT')) return null;
    throw error;
  }
  const lines = list.split('\n').flatMap((line) => {
    const [, sha256, name] = /^([0-9a-f]{64}) {2}(.+)$/.exec(line) ?? [];
    return sha256 === undefined || name === undefined ? [] : [[name, sha256] as const];
  });
  return { sha256: hash('sha256', list, 'hex'), byName: new Map(lines) };
}

export async function sha256Of(path: string): Promise<string> {
  const digest = createHash('sha256');
  for await (const chunk of readChunks(path)) digest.update(chunk);
  return digest.digest('hex');
}

function sha256OfFile(path: string): string {
  const digest = createHash('sha256');
  const piece = Buffer.alloc(262_144);
  const descriptor = openSync(path, 'r');
  try {
    for (;;) {
      const count = readSync(descriptor, piece);
      if (count === 0) return digest.digest('hex');
      digest.update(piece.subarray(0, count));
    }
  } finally {
    closeSync(descriptor);
  }
}
