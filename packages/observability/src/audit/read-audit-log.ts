/** Reads the audit log back, over all its files, in bounded memory. */
import { lstatSync } from 'node:fs';
import * as must from '../arguments.ts';
import { AuditError } from '../errors.ts';
import { isCode } from '../files/durable-file.ts';
import { isDamagedFile, NoRegularFile } from '../files/read-chunks.ts';
import { readLines } from '../files/read-lines.ts';
import { type AuditEntry, longestEntryBytes, parseAuditEntry } from './audit-entry.ts';
import { type AuditEventType, AuditSeverity, isAtLeast } from './audit-event.ts';
import { type AuditFile, isSegment } from './audit-files.ts';
import { isIntact, readLink } from './chain-line.ts';
import { filesInOrder, type SegmentHeads } from './order-files.ts';
import { parseRecord } from './signed-records.ts';

export interface AuditFilter {
  /** Any of these. Default: all. */
  readonly eventTypes?: readonly AuditEventType[];
  /** At least this severe. Default: all. */
  readonly severity?: AuditSeverity;
  readonly jobId?: string;
  /** Only of jobs whose id begins so. */
  readonly jobIdPrefix?: string;
  readonly nodeId?: string;
  /** From this time on: a date, or wall-clock ms. */
  readonly since?: Date | number;
  /** Up to this time, included. */
  readonly until?: Date | number;
  /** The last ones that match. Default 1,000. */
  readonly limit?: number;
}

/**
 * A line that is no entry, or (`changed`) one that is not as it was written and is among the entries all the same. `torn`: the
 * last of a file, cut off by a crash or being written right now.
 */
export interface DamagedLine {
  readonly file: string;
  /** Null: the compressed file itself is damaged, and some of its lines were not read. */
  readonly line: number | null;
  readonly kind: 'torn' | 'unreadable' | 'changed';
}

export interface AuditReading {
  /** Oldest first. */
  readonly entries: readonly AuditEntry[];
  /** Damage in the files that had to be read, at most 100 lines of it. */
  readonly damaged: readonly DamagedLine[];
}

const mostDamage = 100;

/**
 * Reads the entries that match, the last `limit` of them. Safe beside a running robot.
 *
 * @throws ArgumentError
 * @example
 * const { entries, damaged } = await readAuditLog('/home/ann/.casare_rpa/audit', { jobId: 'job-456' });
 */
export async function readAuditLog(folder: string, filter: AuditFilter = {}): Promise<AuditReading> {
  return readEntries(folder, filter);
}

/** As `readAuditLog`; `heads` is what the reader keeps of one reading for the next. */
export async function readEntries(folder: string, filter: AuditFilter, heads?: SegmentHeads): Promise<AuditReading> {
  requireReading(folder, filter);
  const limit = filter.limit ?? 1_000;
  const damaged: DamagedLine[] = [];
  let entries: AuditEntry[] = [];
  for (const file of (await filesInOrder(folder, sinceOf(filter), heads)).toReversed()) {
    if (entries.length >= limit) break;
    const found: AuditEntry[] = [];
    try {
      for await (const entry of entriesOf(file, filter, damaged)) {
        found.push(entry);
        if (found.length >= 2 * limit) found.splice(0, found.length - limit);
      }
    } catch (error) {
      if (!isDamagedFile(error)) throw error;
      if (damaged.length < mostDamage) damaged.push({ file: file.path, line: null, kind: 'unreadable' });
    }
    entries = [...found, ...entries];
  }
  return { entries: limit <= 0 ? [] : entries.slice(-limit), damaged };
}

/**
 * All entries that match, oldest first, one after the other; `limit` does not count here.
 *
 * @throws AuditError `AUDIT_UNREADABLE` at a compressed file that is damaged: without it, the entries are not all
 */
export async function* streamAuditLog(folder: string, filter: AuditFilter = {}): AsyncGenerator<AuditEntry> {
  requireReading(folder, filter);
  for (const file of await filesInOrder(folder, sinceOf(filter))) {
    try {
      yield* entriesOf(file, filter, []);
    } catch (error) {
      if (!isDamagedFile(error)) throw error;
      const what = `${file.path} is damaged: ${error.message}; entries from somewhere in it on are left out`;
      throw new AuditError('AUDIT_UNREADABLE', what, error);
    }
  }
}

const requireFilter = must.only({
  eventTypes: must.optional(must.listOf(must.text)),
  severity: must.optional(must.oneOf(Object.values(AuditSeverity))),
  jobId: must.optional(must.text),
  jobIdPrefix: must.optional(must.text),
  nodeId: must.optional(must.text),
  since: must.optional(must.date),
  until: must.optional(must.date),
  limit: must.optional(must.wholeCount),
});

function requireReading(folder: string, filter: AuditFilter): void {
  must.filledText('folder', folder);
  requireFilter('filter', filter);
}

function sinceOf({ since }: AuditFilter): number | undefined {
  return since === undefined ? undefined : Number(since);
}

/** A file that retention removes meanwhile has no entries. */
async function* entriesOf(file: AuditFile, filter: AuditFilter, damaged: DamagedLine[]): AsyncGenerator<AuditEntry> {
  const matches = matcher(filter);
  try {
    for await (const { number, text, ended } of readLines(file.path, 2 * longestEntryBytes)) {
      const chained = text === null || !isSegment(file) ? null : chainedLine(text);
      const entry = text === null || (isSegment(file) && chained === null) ? null : parseAuditEntry(text);
      if (entry !== null) {
        if (chained === 'changed' && damaged.length < mostDamage)
          damaged.push({ file: file.path, line: number, kind: 'changed' });
        if (matches(entry)) yield entry;
      } else if (text !== '' && damaged.length < mostDamage && (text === null || parseRecord(text) === null)) {
        damaged.push({ file: file.path, line: number, kind: ended ? 'unreadable' : 'torn' });
      }
    }
  } catch (error) {
    if (!isCode(error, 'ENOENT') && !isCode(error, 'ELOOP')) throw error;
    if (lstatSync(file.path, { throwIfNoEntry: false })?.isSymbolicLink() === true)
      throw new NoRegularFile('it is a symbolic link that leads nowhere');
  }
}

/**
 * Null: in a segment nothing else is an entry, whatever it looks like, since `verify` holds only such lines against their
 * hashes.
 */
function chainedLine(text: string): 'intact' | 'changed' | null {
  const line = Buffer.from(text, 'utf8');
  const link = readLink(line, 0, line.length);
  if (link === null) return null;
  return isIntact(line, 0, line.length, link) ? 'intact' : 'changed';
}

function matcher(filter: AuditFilter): (entry: AuditEntry) => boolean {
  const types = filter.eventTypes === undefined ? null : new Set<string>(filter.eventTypes);
  const since = filter.since === undefined ? null : new Date(filter.since).toISOString();
  const until = filter.until === undefined ? null : new Date(filter.until).toISOString();
  return (entry) =>
    (types === null || types.has(entry.type)) &&
    (filter.severity === undefined || isAtLeast(entry.severity, filter.severity)) &&
    (filter.jobId === undefined || entry.job_id === filter.jobId) &&
    (filter.jobIdPrefix === undefined || entry.job_id?.startsWith(filter.jobIdPrefix) === true) &&
    (filter.nodeId === undefined || entry.node_id === filter.nodeId) &&
    (since === null || entry.at >= since) &&
    (until === null || entry.at <= until);
}
