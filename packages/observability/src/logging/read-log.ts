/**
 * Reads a log that `createLogger` writes, over all its files, while it is written or afterwards. What follows it goes
 * on behind the newest line, through any number of rotations; lines that were removed before they could be read are
 * told as missing.
 */
import type { FileHandle } from 'node:fs/promises';
import * as must from '../arguments.ts';
import type { Clock, LogLevel } from '../ports.ts';
import { systemClock } from '../system-clock.ts';
import type { LogRecord } from './format-line.ts';
import { closeAll, inodeOf, type OpenLogFile, openLogFiles } from './log-files.ts';
import { levelRank, logLevels } from './log-level.ts';

export interface LogFilter {
  /** Only lines with this `job_id`, or one that begins with it. */
  readonly jobId?: string;
  /** Only lines with `jobId` itself. Default false. */
  readonly isWholeId?: boolean;
  /** Least level. */
  readonly level?: LogLevel;
  /** Ms since the epoch; only lines from then on. */
  readonly since?: number;
  /** Only the last so many of them. */
  readonly last?: number;
}

export interface FollowOptions extends LogFilter {
  /** Ends the following. */
  readonly signal: AbortSignal;
  /** Ms between two looks. Default 200. */
  readonly pollIntervalMs?: number;
  /** Called when files were removed before they could be read. */
  readonly onGap?: () => void;
  readonly clock?: Clock;
}

const chunkBytes = 256 * 1024;
/** In bytes. No logger writes a longer line; what stands there instead tells of it. */
const longestLine = 4 * 1024 * 1024;

/**
 * The lines that pass the filter, oldest first. A log that does not exist has none.
 *
 * @throws ArgumentError; what the file system says of files that exist
 * @example
 * const errors = await readLog('/var/lib/robot/logs/robot.log', { level: 'error', last: 20 });
 */
export async function readLog(path: string, filter: LogFilter = {}): Promise<readonly LogRecord[]> {
  must.filledText('path', path);
  requireFilter('filter', filter);
  const files = await openLogFiles(path);
  try {
    return (await readBackwards(files, filter)).lines;
  } finally {
    await closeAll(files);
  }
}

/** As `readLog`, and then every line that is logged from then on, until the signal aborts. */
export async function* followLog(path: string, options: FollowOptions): AsyncGenerator<LogRecord> {
  must.filledText('path', path);
  requireFollow('options', options);
  const { signal, pollIntervalMs = 200, onGap, clock = systemClock } = options;
  const passes = filterOf(options);
  const readOn = async (file: FileReading | null): Promise<LogRecord[]> => (await file?.readOn())?.filter(passes) ?? [];
  let files = await openLogFiles(path);
  const first = await readBackwards(files, options);
  let current = first.newest;
  try {
    yield* first.lines;
    while (!signal.aborted) {
      yield* await readOn(current);
      const inode = await inodeOf(path);
      if (inode !== null && inode !== current?.inode) {
        const next = await openLogFiles(path);
        // Nothing more is written into a file once it was put aside.
        yield* await readOn(current);
        const known = next.findIndex((file) => file.inode === current?.inode);
        if (current !== null && known === -1) onGap?.();
        await closeAll(files);
        files = next;
        for (const file of next.slice(known + 1)) {
          current = new FileReading(file);
          yield* await readOn(current);
        }
        continue;
      }
      await clock.sleep(pollIntervalMs, signal).catch(() => undefined);
    }
  } finally {
    await closeAll(files);
  }
}

const filterParts = {
  jobId: must.optional(must.text),
  isWholeId: must.optional(must.flag),
  level: must.optional(must.oneOf(Object.keys(logLevels))),
  since: must.optional(must.aNumber),
  last: must.optional(must.wholeCount),
};
const requireFilter = must.options(filterParts);
const requireFollow = must.options({
  ...filterParts,
  signal: must.withMethods('addEventListener'),
  pollIntervalMs: must.optional(must.count),
  onGap: must.optional(must.aFunction),
  clock: must.optional(must.withMethods('sleep')),
});

/** From the newest file on, as far as the filter asks. */
async function readBackwards(
  files: readonly OpenLogFile[],
  filter: LogFilter,
): Promise<{ readonly lines: readonly LogRecord[]; readonly newest: FileReading | null }> {
  const { last = Number.POSITIVE_INFINITY, since } = filter;
  const passes = filterOf(filter);
  const readings = files.map((file) => new FileReading(file));
  let lines: LogRecord[] = [];
  for (const reading of readings.toReversed()) {
    const all = await reading.readOn(filter.jobId);
    const wanted = all.filter(passes);
    lines = [...wanted, ...lines].slice(-last);
    const [oldest] = all;
    if (lines.length >= last || (since !== undefined && oldest !== undefined && Date.parse(oldest.at) < since)) break;
  }
  return { lines: last === 0 ? [] : lines, newest: readings.at(-1) ?? null };
}

function filterOf({ jobId, isWholeId = false, level, since }: LogFilter): (line: LogRecord) => boolean {
  return (line) => {
    if (level !== undefined && levelRank(line.level) < levelRank(level)) return false;
    if (since !== undefined && Date.parse(line.at) < since) return false;
    if (jobId === undefined) return true;
    const id = String(line.fields.job_id ?? '');
    return isWholeId ? id === jobId : id.startsWith(jobId);
  };
}

/** How far one file has been read; an unfinished line at its end waits for its rest. */
class FileReading {
  readonly inode: bigint;
  readonly #handle: FileHandle;
  #offset = 0;
  #rest: Buffer = Buffer.alloc(0);
  /** Bytes of the unfinished line that were not kept. */
  #left = 0;

  constructor({ handle, inode }: OpenLogFile) {
    this.#handle = handle;
    this.inode = inode;
  }

  /** @param mention lines without this text are left out, but for the first one: most need not be parsed */
  async readOn(mention = ''): Promise<LogRecord[]> {
    const lines: LogRecord[] = [];
    const chunk = Buffer.allocUnsafe(chunkBytes);
    for (;;) {
      const { bytesRead } = await this.#handle.read(chunk, 0, chunk.length, this.#offset);
      if (bytesRead === 0) {
        if ((await this.#handle.stat()).size >= this.#offset) return lines;
        // Somebody has emptied it: what comes now stands at its beginning.
        this.#offset = 0;
        this.#rest = Buffer.alloc(0);
        this.#left = 0;
        continue;
      }
      this.#offset += bytesRead;
      const bytes = Buffer.concat([this.#rest, chunk.subarray(0, bytesRead)]);
      let from = 0;
      for (let end = bytes.indexOf(0x0a); end !== -1; end = bytes.indexOf(0x0a, from)) {
        const length = end - from + this.#left;
        if (length > longestLine) lines.push(lineInsteadOf(bytes.toString('utf8', from, from + headBytes), length));
        else {
          const text = bytes.toString('utf8', from, end);
          const line = lines.length === 0 || text.includes(mention) ? parseLine(text) : null;
          if (line !== null) lines.push(line);
        }
        this.#left = 0;
        from = end + 1;
      }
      const kept = Math.min(bytes.length, from + longestLine);
      this.#left += bytes.length - kept;
      this.#rest = Buffer.from(bytes.subarray(from, kept));
    }
  }
}

/** Holds the time and the level of a line, which stand first. */
const headBytes = 200;

/** Tells that a line was too long to be read, at its time and under its level where it has them. */
function lineInsteadOf(head: string, length: number): LogRecord {
  const [, at, level = ''] = /^\{"at":"([^"]{1,40})","level":"(\w{1,20})"/.exec(head) ?? [];
  return {
    at: at ?? new Date(0).toISOString(),
    level: Object.hasOwn(logLevels, level) ? (level as LogLevel) : 'warning',
    message: `[a line of ${length} bytes, too long to be read]`,
    fields: {},
  };
}

/** Null for what is no line of a log, such as one that a crash has torn. */
function parseLine(text: string): LogRecord | null {
  try {
    const line = JSON.parse(text) as Partial<LogRecord> | null;
    const isLine = typeof line?.at === 'string' && typeof line.level === 'string' && typeof line.message === 'string';
    return isLine ? { ...(line as LogRecord), fields: line.fields ?? {} } : null;
  } catch {
    return null;
  }
}
