/** Where an audit folder's chain ends, found at the files' ends, so that opening costs the same at any size. */
import { closeSync, openSync, readFileSync, readSync, statSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { parseAuditEntry } from './audit-entry.ts';
import { type AuditFile, type AuditSegment, isSegment } from './audit-files.ts';
import { type ChainHead, emptyChain, isRecord, readLink } from './chain-line.ts';
import { type Checkpoint, parseRecord } from './signed-records.ts';
import { readTombstone } from './tombstone-file.ts';

export interface SegmentEnd {
  /** The last entry; null when there is none. */
  readonly head: ChainHead | null;
  /** Set when the last line is a checkpoint, so that nothing behind it is unsigned. */
  readonly checkpoint: Checkpoint | null;
  /** Bytes behind the last line that are no line, without a line end behind them; null when there are none. */
  readonly torn: Buffer | null;
}

const newline = 0x0a;
const firstLook = 131_072;

export interface FoundEnd {
  readonly head: ChainHead;
  readonly last: AuditSegment | null;
  /** Of the last segment. */
  readonly end: SegmentEnd | null;
}

/** Where the whole folder's chain ends. */
export function findEnd(folder: string, files: readonly AuditFile[]): FoundEnd {
  const segments = files.filter(isSegment);
  const last = segments.at(-1) ?? null;
  let end: SegmentEnd | null = null;
  for (const segment of segments.toReversed()) {
    const found = readSegmentEnd(segment.path);
    if (segment === last) end = found;
    if (found.head !== null) return { head: found.head, last, end };
  }
  const tombstone = readTombstone(folder);
  if (tombstone !== null && tombstone.entries > 0)
    return { head: { seq: tombstone.last_seq, hash: tombstone.last_hash }, last, end };
  return { head: { ...emptyChain, seq: lastEarlierSequence(files) }, last, end };
}

/** Where one segment ends; of a compressed one, all has to be read. */
export function readSegmentEnd(path: string): SegmentEnd {
  if (path.endsWith('.gz')) return endOf(gunzipSync(readFileSync(path)), true) as SegmentEnd;
  return lookBack(path, endOf) ?? { head: null, checkpoint: null, torn: null };
}

/** Null when nothing but more of the file could tell. */
export function endOf(bytes: Buffer, isWhole: boolean): SegmentEnd | null {
  const textEnd = bytes.at(-1) === newline ? bytes.length - 1 : bytes.length;
  let checkpoint: Checkpoint | null = null;
  let knownEnd: number | null = null;
  for (let end = textEnd; end > 0; ) {
    const start = bytes.lastIndexOf(newline, end - 1) + 1;
    if (start === 0 && !isWhole) return null;
    const link = readLink(bytes, start, end);
    const record = isRecord(bytes, start, end) ? parseRecord(bytes.toString('utf8', start, end)) : null;
    if (knownEnd === null && (link !== null || record !== null)) {
      knownEnd = end;
      if (record?.kind === 'checkpoint') checkpoint = record.checkpoint;
    }
    if (link !== null) {
      return { head: { seq: link.seq, hash: link.hash }, checkpoint, torn: rest(bytes, knownEnd, textEnd) };
    }
    end = start - 1;
  }
  return isWhole ? { head: null, checkpoint, torn: rest(bytes, knownEnd, textEnd) } : null;
}

/** The last sequence number of the files from before the chain; 0 when there is none. */
function lastEarlierSequence(files: readonly AuditFile[]): number {
  for (const { path } of files.filter((file) => !isSegment(file)).toReversed()) {
    const last = lookBack(path, (bytes) => {
      for (const line of bytes.toString('utf8').split('\n').toReversed()) {
        const entry = parseAuditEntry(line);
        if (entry !== null) return entry.seq;
      }
      return null;
    });
    if (last !== null) return last;
  }
  return 0;
}

function rest(bytes: Buffer, knownEnd: number | null, textEnd: number): Buffer | null {
  const from = knownEnd === null ? 0 : Math.min(knownEnd + 1, textEnd);
  return from < textEnd ? Buffer.from(bytes.subarray(from, textEnd)) : null;
}

/** Looks at ever more of the file's end, until `find` finds something. */
function lookBack<T>(path: string, find: (bytes: Buffer, isWhole: boolean) => T | null): T | null {
  const { size } = statSync(path);
  for (let length = firstLook; ; length *= 8) {
    const found = find(readEnd(path, size, length), length >= size);
    if (found !== null || length >= size) return found;
  }
}

function readEnd(path: string, size: number, length: number): Buffer {
  const bytes = Buffer.alloc(Math.min(size, length));
  const descriptor = openSync(path, 'r');
  try {
    const count = readSync(descriptor, bytes, 0, bytes.length, size - bytes.length);
    return bytes.subarray(0, count);
  } finally {
    closeSync(descriptor);
  }
}
