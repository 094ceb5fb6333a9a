/** Where an audit folder's chain ends, found at the files' ends, so that opening costs the same at any size. */
import { closeSync, openSync, readFileSync, readSync, statSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { parseAuditEntry } from './audit-entry.ts';
import { type AuditFile, type AuditSegment, isSegment } from './audit-files.ts';
import { type ChainHead, dayText, emptyChain, isRecord, readLink } from './chain-line.ts';
import { readPlainHead } from './segment-head.ts';
import { type Checkpoint, type ClosedMark, parseRecord, type SegmentRecord } from './signed-records.ts';
import { readTombstone } from './tombstone-file.ts';

export interface SegmentEnd {
  /** The last entry; null when there is none. */
  readonly head: ChainHead | null;
  /** Its day; null without an entry. */
  readonly day: string | null;
  /** The last checkpoint, where it stands behind the last entry, so that nothing is unsigned. */
  readonly checkpoint: Checkpoint | null;
  /** Set when the log was closed in order behind the last entry, and not opened again. */
  readonly closed: ClosedMark | null;
  /** Bytes behind the last line that are no line, without a line end behind them; null when there are none. */
  readonly torn: Buffer | null;
}

const newline = 0x0a;
const firstLook = 131_072;

export interface FoundEnd {
  readonly head: ChainHead;
  /** The last file; null when there is none. */
  readonly last: AuditSegment | null;
  /** Of the last file. */
  readonly end: SegmentEnd | null;
  /** The last file has the name it was written under, so that it can be written on. */
  readonly isAsNamed: boolean;
  /** The mark at the chain's end by which it was closed. */
  readonly closed: ClosedMark | null;
  /** Entries at its end that nobody has signed; null when there are none. */
  readonly unsigned: UnsignedEnd | null;
}

export interface UnsignedEnd {
  readonly fromSeq: number;
  readonly toSeq: number;
  readonly hash: string;
  /** They stand behind a mark by which the log was closed in order. */
  readonly isAfterClose: boolean;
}

/** Where the whole folder's chain ends: with the last file, or, where that is not what its name says, with the highest entry. */
export function findEnd(folder: string, files: readonly AuditFile[]): FoundEnd {
  const segments = files.filter(isSegment);
  const last = segments.at(-1) ?? null;
  let end: SegmentEnd | null = null;
  let isAsNamed = true;
  let best: { readonly head: ChainHead; readonly end: SegmentEnd; readonly index: number } | null = null;
  for (const [index, segment] of [...segments.entries()].reverse()) {
    const found = readSegmentEnd(segment.path);
    const isTrue = hasItsName(segment, segments[index - 1]?.day ?? null, found);
    if (segment === last) {
      end = found;
      isAsNamed = isTrue;
    }
    if (found.head === null) continue;
    if (best === null || found.head.seq > best.head.seq) best = { head: found.head, end: found, index };
    if (isTrue) break;
  }
  if (best !== null) {
    const { head, end: of, index } = best;
    const unsigned = of.checkpoint?.seq === head.seq ? null : unsignedEnd(head, segments[index], segments[index - 1]);
    return { head, last, end, isAsNamed, closed: of.closed, unsigned };
  }
  const nothing = { last, end, isAsNamed, closed: null, unsigned: null };
  const tombstone = readTombstone(folder);
  if (tombstone !== null && tombstone.entries > 0)
    return { head: { seq: tombstone.last_seq, hash: tombstone.last_hash }, ...nothing };
  return { head: { ...emptyChain, seq: lastEarlierSequence(files) }, ...nothing };
}

/** Whether what is within agrees with the name, as far as both ends tell (see `name-check.ts`). */
function hasItsName(
  { path, segment, day, isCompressed }: AuditSegment,
  before: string | null,
  end: SegmentEnd,
): boolean {
  if (isCompressed || end.head === null) return true;
  const head = readPlainHead(path);
  const written = lastRecord(path)?.facts.segment ?? segment;
  const begun = head?.openedDay ?? head?.day ?? day;
  return written === segment && (end.day ?? day) <= day && (begun === day || (begun < day && before === day));
}

function unsignedEnd({ seq, hash }: ChainHead, segment?: AuditSegment, before?: AuditSegment): UnsignedEnd | null {
  if (segment === undefined || segment.isCompressed) return null;
  const record = lastRecord(segment.path);
  const signedUpTo = record?.facts.seq ?? (readPlainHead(segment.path)?.seq ?? seq) - 1;
  const closed = record === null && before !== undefined ? readSegmentEnd(before.path).closed : null;
  const isAfterClose = record?.kind === 'closed' || closed !== null;
  return { fromSeq: Math.min(signedUpTo + 1, seq), toSeq: seq, hash, isAfterClose };
}

/** The last that says how far the chain had come. */
function lastRecord(path: string): SegmentRecord | null {
  return lookBack(path, (bytes) => {
    for (let end = bytes.length; end > 0; ) {
      const start = bytes.lastIndexOf(newline, end - 1) + 1;
      const record = isRecord(bytes, start, end) ? parseRecord(bytes.toString('utf8', start, end)) : null;
      if (record !== null && record.kind !== 'torn') return record;
      end = start - 1;
    }
    return null;
  });
}

/** Where one segment ends; of a compressed one, all has to be read. */
export function readSegmentEnd(path: string): SegmentEnd {
  if (path.endsWith('.gz')) return endOf(gunzipSync(readFileSync(path)), true) as SegmentEnd;
  return lookBack(path, endOf) ?? { head: null, day: null, checkpoint: null, closed: null, torn: null };
}

/** Null when nothing but more of the file could tell. */
export function endOf(bytes: Buffer, isWhole: boolean): SegmentEnd | null {
  const textEnd = bytes.at(-1) === newline ? bytes.length - 1 : bytes.length;
  let checkpoint: Checkpoint | null = null;
  let mark: SegmentRecord | null = null;
  let knownEnd: number | null = null;
  const found = (head: ChainHead | null, day: string | null): SegmentEnd => {
    const closed = mark?.kind === 'closed' ? mark.facts : null;
    return { head, day, checkpoint, closed, torn: rest(bytes, knownEnd, textEnd) };
  };
  for (let end = textEnd; end > 0; ) {
    const start = bytes.lastIndexOf(newline, end - 1) + 1;
    if (start === 0 && !isWhole) return null;
    const link = readLink(bytes, start, end);
    const record = isRecord(bytes, start, end) ? parseRecord(bytes.toString('utf8', start, end)) : null;
    if (link !== null || record !== null) knownEnd ??= end;
    if (record?.kind === 'checkpoint') checkpoint ??= record.facts;
    if (record?.kind === 'closed' || record?.kind === 'opened') mark ??= record;
    if (link !== null) {
      const day = link.dayAt < 0 ? null : dayText(bytes, link.dayAt);
      return found({ seq: link.seq, hash: link.hash }, day);
    }
    end = start - 1;
  }
  return isWhole ? found(null, null) : null;
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
