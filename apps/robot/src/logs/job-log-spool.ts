/**
 * The lines of one lease on a job until the database has them: files `<job>.<token>.<number of the first line>.jsonl`, so
 * that neither an outage of the database nor the death of this process loses one, and no memory is spent on them (I7).
 *
 * Numbers go on without a gap, also over a restart. A line that does not fit is dropped, but has had its number: that is
 * how it is seen to be missing. The newest file stays until there is a newer one, because its name and lines say where
 * the numbers are.
 */
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { JobLogLine, Lease, LogBatch } from '@casare/execution';
import type { NumberedLine } from './job-log-line.ts';

export interface SpoolLimits {
  /** Bytes that one lease may take. */
  readonly perLease: number;
  /** Bytes that all may take. */
  readonly total: number;
}

/** Shared by all spools of a folder. */
export interface SpoolUsage {
  bytes: number;
}

interface Segment {
  readonly path: string;
  readonly firstSeq: number;
  bytes: number;
}

const segmentBytes = 256 * 1024;
/** A file with nothing left to send is replaced by a new one at this size. */
const worthReplacingBytes = 64 * 1024;

export class JobLogSpool {
  readonly lease: Lease;
  readonly #folder: string;
  readonly #limits: SpoolLimits;
  readonly #usage: SpoolUsage;
  #segments: Segment[];
  #descriptor: number | null = null;
  #nextSeq: number;
  /** The first number that the database may not know of. */
  #sentSeq: number;
  /** Lines of the oldest file from `#sentSeq` on, as far as they were read. */
  #read: NumberedLine[] = [];
  #readBytes = 0;
  #bytes = 0;
  dropped = 0;

  /** @param names of the files that are there already, oldest first */
  constructor(
    lease: Lease,
    folder: string,
    options: { readonly limits: SpoolLimits; readonly usage: SpoolUsage; readonly names?: readonly string[] },
  ) {
    const { limits, usage, names = [] } = options;
    this.lease = lease;
    this.#folder = folder;
    this.#limits = limits;
    this.#usage = usage;
    this.#segments = names.map((name) => {
      const path = join(folder, name);
      return { path, firstSeq: Number(name.split('.')[2]), bytes: readFileSync(path).length };
    });
    for (const { bytes } of this.#segments) this.#count(bytes);
    const newest = this.#segments.at(-1);
    const lastSeq = newest === undefined ? 0 : (linesIn(newest.path).at(-1)?.seq ?? newest.firstSeq - 1);
    // What was dropped at the limit was counted in memory alone: one at least shows.
    this.#nextSeq = lastSeq + (this.#isFull(0) ? 2 : 1);
    this.#sentSeq = this.#segments[0]?.firstSeq ?? 1;
  }

  get isDelivered(): boolean {
    return this.#sentSeq === this.#nextSeq;
  }

  /** Never throws: a disk that is full drops the line. */
  append(line: JobLogLine & { readonly at: string }): void {
    const seq = this.#nextSeq;
    this.#nextSeq += 1;
    const bytes = Buffer.from(`${JSON.stringify({ ...line, seq })}\n`);
    if (this.#isFull(bytes.length)) {
      this.dropped += 1;
      return;
    }
    try {
      const segment = this.#segmentFor(seq);
      segment.bytes += writeSync(this.#descriptor ?? -1, bytes);
      this.#count(bytes.length);
    } catch {
      this.#release();
      this.dropped += 1;
    }
  }

  /** Lines that follow each other, at most `limit`; null when there is nothing to tell. */
  next(limit: number): LogBatch | null {
    if (this.isDelivered) return null;
    this.#readOn();
    const [first] = this.#read;
    if (first === undefined) return { ...this.lease, firstSeq: this.#nextSeq, lines: [] };
    const lines = this.#read.slice(0, limit);
    const gap = lines.findIndex(({ seq }, index) => seq !== first.seq + index);
    const joined = gap === -1 ? lines : lines.slice(0, gap);
    return { ...this.lease, firstSeq: first.seq, lines: joined.map(({ seq: _seq, ...line }) => line) };
  }

  /** The batch need not be sent again. */
  delivered({ firstSeq, lines }: LogBatch): void {
    this.#sentSeq = Math.max(this.#sentSeq, firstSeq + lines.length);
    this.#read = this.#read.filter(({ seq }) => seq >= this.#sentSeq);
    const [oldest, newer] = this.#segments;
    if (oldest === undefined || this.#read.length > 0 || this.#readBytes < oldest.bytes) return;
    if (newer !== undefined) this.#drop(oldest);
    else if (oldest.bytes >= worthReplacingBytes) this.#release();
  }

  /** Removes all files. */
  remove(): void {
    this.#release();
    for (const segment of [...this.#segments]) this.#drop(segment);
    this.#sentSeq = this.#nextSeq;
  }

  /** What there is stays for the next start. */
  close(): void {
    this.#release();
  }

  #isFull(more: number): boolean {
    return this.#bytes + more > this.#limits.perLease || this.#usage.bytes + more > this.#limits.total;
  }

  #count(bytes: number): void {
    this.#bytes += bytes;
    this.#usage.bytes += bytes;
  }

  #segmentFor(seq: number): Segment {
    const newest = this.#segments.at(-1);
    if (newest !== undefined && this.#descriptor !== null && newest.bytes < segmentBytes) return newest;
    this.#release();
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    const { jobId, leaseToken } = this.lease;
    const name = `${jobId}.${leaseToken}.${String(seq).padStart(12, '0')}.jsonl`;
    const segment = { path: join(this.#folder, name), firstSeq: seq, bytes: 0 };
    this.#descriptor = openSync(segment.path, 'a', 0o600);
    this.#segments.push(segment);
    return segment;
  }

  /** Reads the oldest file that holds something to send, as far as it goes now. */
  #readOn(): void {
    while (this.#read.length === 0) {
      const [oldest, newer] = this.#segments;
      if (oldest === undefined) return;
      this.#read = linesIn(oldest.path).filter(({ seq }) => seq >= this.#sentSeq);
      this.#readBytes = oldest.bytes;
      if (this.#read.length > 0 || newer === undefined) return;
      this.#drop(oldest);
    }
  }

  #drop(segment: Segment): void {
    rmSync(segment.path, { force: true });
    this.#segments = this.#segments.filter((other) => other !== segment);
    this.#count(-segment.bytes);
    this.#read = [];
    this.#readBytes = 0;
  }

  #release(): void {
    if (this.#descriptor !== null) closeSync(this.#descriptor);
    this.#descriptor = null;
  }
}

/** A line that a crash has torn is none. */
function linesIn(path: string): NumberedLine[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .flatMap((text) => {
      try {
        const line = JSON.parse(text) as Partial<NumberedLine> | null;
        return typeof line?.seq === 'number' && typeof line.message === 'string' ? [line as NumberedLine] : [];
      } catch {
        return [];
      }
    });
}
