/** The files of an audit folder: one per day in UTC, `audit-2026-01-31.jsonl`. */
import { closeSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parseAuditEntry } from './audit-entry.ts';

const fileName = /^audit-(\d{4}-\d{2}-\d{2})\.jsonl$/;

export interface AuditFile {
  readonly path: string;
  /** `2026-01-31`. */
  readonly day: string;
}

/** Oldest first; empty when the folder does not exist. */
export function listAuditFiles(folder: string): readonly AuditFile[] {
  let names: readonly string[];
  try {
    names = readdirSync(folder);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
  return names
    .flatMap((name) => {
      const day = fileName.exec(name)?.[1];
      return day === undefined ? [] : [{ path: join(folder, name), day }];
    })
    .sort((a, b) => (a.day < b.day ? -1 : 1));
}

export function auditFilePath(folder: string, day: string): string {
  return join(folder, `audit-${day}.jsonl`);
}

export function dayOf(atMs: number): string {
  return new Date(atMs).toISOString().slice(0, 10);
}

/** The last sequence number that any file holds; 0 when there is none. */
export function lastSequence(files: readonly AuditFile[]): number {
  for (const { path } of files.toReversed()) {
    const last = lastSequenceIn(path);
    if (last !== null) return last;
  }
  return 0;
}

/** Looks at ever more of the file's end, until there is an entry. */
function lastSequenceIn(path: string): number | null {
  const { size } = statSync(path);
  for (let length = 131_072; ; length *= 8) {
    const lines = readEnd(path, size, length).split('\n');
    for (const line of lines.toReversed()) {
      const entry = parseAuditEntry(line);
      if (entry !== null) return entry.seq;
    }
    if (length >= size) return null;
  }
}

function readEnd(path: string, size: number, length: number): string {
  const bytes = Buffer.alloc(Math.min(size, length));
  const descriptor = openSync(path, 'r');
  try {
    const count = readSync(descriptor, bytes, 0, bytes.length, size - bytes.length);
    return bytes.toString('utf8', 0, count);
  } finally {
    closeSync(descriptor);
  }
}
