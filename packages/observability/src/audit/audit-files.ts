/**
 * The files of an audit folder. `audit-2026-01-31-000007.jsonl` is segment 7, begun on that day in UTC; with `.gz`
 * behind it, it is closed and compressed. `audit-2026-01-31.jsonl` is a file from before the chain.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { isCode } from '../files/durable-file.ts';

const fileName = /^audit-(\d{4}-\d{2}-\d{2})(?:-(\d{6,}))?\.jsonl(\.gz)?$/;

const companionNames: ReadonlySet<string> = new Set([
  'owner.db',
  'audit-keys.json',
  'audit-tombstone.json',
  'audit-earlier.sha256',
]);

export interface AuditFile {
  readonly name: string;
  readonly path: string;
  /** `2026-01-31`, as the name says: no entry of the file is later, unless somebody renamed it. */
  readonly day: string;
  /** Null: from before the chain. */
  readonly segment: number | null;
  readonly isCompressed: boolean;
}

export type AuditSegment = AuditFile & { readonly segment: number };

/**
 * Oldest first, those from before the chain before all others; empty when the folder does not exist. A segment that is
 * there both ways, as while it is compressed, is listed once.
 */
export function listAuditFiles(folder: string): readonly AuditFile[] {
  let names: readonly string[];
  try {
    names = readdirSync(folder);
  } catch (error) {
    if (isCode(error, 'ENOENT')) return [];
    throw error;
  }
  const plain = new Set(names);
  return names
    .filter((name) => !(name.endsWith('.gz') && plain.has(name.slice(0, -3))))
    .flatMap((name) => {
      const [, day, number, gz] = fileName.exec(name) ?? [];
      const segment = number === undefined ? null : Number(number);
      const path = join(folder, name);
      return day === undefined ? [] : [{ name, path, day, segment, isCompressed: gz !== undefined }];
    })
    .sort((a, b) => (a.segment ?? 0) - (b.segment ?? 0) || (a.name < b.name ? -1 : 1));
}

export function isSegment(file: AuditFile): file is AuditSegment {
  return file.segment !== null;
}

export function segmentPath(folder: string, day: string, segment: number): string {
  return join(folder, `audit-${day}-${String(segment).padStart(6, '0')}.jsonl`);
}

/** Wall-clock ms. */
export function endOfDay(day: string): number {
  return Date.parse(`${day}T00:00:00Z`) + 86_400_000;
}

/** What anything else that stands in an audit folder is: null when the log has no such file. */
export function knownName(name: string): 'segment' | 'companion' | 'draft' | null {
  if (fileName.test(name)) return 'segment';
  if (companionNames.has(name) || name.startsWith('owner.db-')) return 'companion';
  return /^audit-.+\.tmp$/.test(name) ? 'draft' : null;
}

export function dayOf(atMs: number): string {
  return new Date(atMs).toISOString().slice(0, 10);
}
