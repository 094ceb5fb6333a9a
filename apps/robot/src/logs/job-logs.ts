/**
 * Sends what jobs log to the database, beside the outbox: an outage neither stalls a job nor takes memory, and what did
 * not fit on the disk meanwhile shows as missing lines. A line belongs to the lease under which its job runs here.
 *
 * begun -> (lines come, batches go) -> ended -> delivered: the files are removed. `stale` removes them at once: those
 * lines stay in this robot's own log.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock, JobGateway, Lease, LogBatch, Logger } from '@casare/execution';
import type { LogRecord } from '@casare/observability';
import { messageOf } from '../message-of.ts';
import { jobLogLine } from './job-log-line.ts';
import { JobLogSpool, type SpoolLimits, type SpoolUsage } from './job-log-spool.ts';

export interface JobLogsOptions {
  /** Where lines wait; see `JobLogSpool`. */
  readonly folder: string;
  readonly gateway: Pick<JobGateway, 'appendJobLogs'>;
  /** Bytes on the disk. */
  readonly limits: SpoolLimits;
  /** Whether an error says that the database does not take these very lines. */
  readonly isAboutLines: (error: unknown) => boolean;
  readonly logger: Logger;
  readonly clock: Pick<Clock, 'monotonic'>;
}

interface Stream {
  readonly spool: JobLogSpool;
  /** Monotonic, in ms; null while the job is here. */
  endedAt: number | null;
}

const linesPerBatch = 500;
const linesPerRequest = 2_000;
/** The last lines of a job come shortly after its end. */
const lingerMs = 5_000;
const nameShape = /^([0-9a-f-]{36})\.(\d{1,18})\.\d{12}\.jsonl$/;

export class JobLogs {
  readonly #options: JobLogsOptions;
  readonly #streams = new Map<string, Stream>();
  /** The lease under which a job runs now. */
  readonly #current = new Map<string, Stream>();
  readonly #usage: SpoolUsage = { bytes: 0 };

  /** Takes up what an earlier process has left. */
  constructor(options: JobLogsOptions) {
    this.#options = options;
    const found = new Map<string, { readonly lease: Lease; readonly names: string[] }>();
    for (const name of namesIn(options.folder)) {
      const [, jobId = '', leaseToken = ''] = nameShape.exec(name) ?? [];
      const key = keyOf({ jobId, leaseToken });
      const entry = found.get(key) ?? { lease: { jobId, leaseToken }, names: [] };
      entry.names.push(name);
      found.set(key, entry);
    }
    // Those whose jobs are taken up again are begun; the rest is sent and removed.
    for (const { lease, names } of found.values()) this.#open(lease, names).endedAt = options.clock.monotonic();
  }

  /** Lines that could not be kept, of all jobs that are here. */
  get dropped(): number {
    return [...this.#streams.values()].reduce((sum, { spool }) => sum + spool.dropped, 0);
  }

  /** From now on, lines of the job belong to this lease. */
  begin(lease: Lease): void {
    if (!/^[0-9a-f-]{36}$/.test(lease.jobId)) return;
    const stream = this.#streams.get(keyOf(lease)) ?? this.#open(lease, []);
    const former = this.#current.get(lease.jobId);
    if (former !== undefined) former.endedAt ??= this.#options.clock.monotonic();
    stream.endedAt = null;
    this.#current.set(lease.jobId, stream);
  }

  /** The job is over here. */
  end(jobId: string): void {
    const stream = this.#current.get(jobId);
    if (stream !== undefined) stream.endedAt ??= this.#options.clock.monotonic();
  }

  /** Takes every line of the robot's log; keeps those of jobs. */
  take(record: LogRecord): void {
    const jobId = record.fields.job_id;
    if (typeof jobId === 'string') this.#current.get(jobId)?.spool.append(jobLogLine(record));
  }

  /**
   * Delivers until nothing waits any more.
   *
   * @throws what the gateway throws; everything is kept then
   */
  async drain(signal: AbortSignal): Promise<void> {
    for (;;) {
      signal.throwIfAborted();
      const batches = this.#batches();
      if (batches.length === 0) break;
      await this.#send(batches, signal);
    }
    this.#tidy();
  }

  close(): void {
    this.#tidy(0);
    for (const { spool } of this.#streams.values()) spool.close();
  }

  #batches(): LogBatch[] {
    const batches: LogBatch[] = [];
    let lines = 0;
    for (const { spool } of this.#streams.values()) {
      if (lines >= linesPerRequest) break;
      const batch = spool.next(linesPerBatch);
      if (batch === null) continue;
      batches.push(batch);
      lines += batch.lines.length;
    }
    return batches;
  }

  async #send(batches: readonly LogBatch[], signal: AbortSignal): Promise<void> {
    try {
      const answers = await this.#options.gateway.appendJobLogs(batches, { signal });
      for (const [index, batch] of batches.entries()) {
        if (answers[index]?.outcome === 'stale') this.#abandon(batch);
        else this.#streams.get(keyOf(batch))?.spool.delivered(batch);
      }
    } catch (error) {
      if (signal.aborted || !this.#options.isAboutLines(error)) throw error;
      const [batch, ...others] = batches;
      if (batch !== undefined && others.length === 0) return this.#skip(batch, error);
      for (const one of batches) await this.#send([one], signal);
    }
  }

  /** The lines stay in the robot's own log; in the database they are missing. */
  #skip(batch: LogBatch, error: unknown): void {
    this.#streams.get(keyOf(batch))?.spool.delivered(batch);
    const lines = `${batch.lines.length} log lines of job ${batch.jobId}`;
    this.#options.logger.log('warning', `the server refused ${lines}: ${messageOf(error)}`);
  }

  #abandon(lease: Lease): void {
    const stream = this.#streams.get(keyOf(lease));
    if (stream === undefined) return;
    stream.spool.remove();
    this.#forget(stream);
  }

  #tidy(afterMs = lingerMs): void {
    const now = this.#options.clock.monotonic();
    for (const stream of [...this.#streams.values()]) {
      const { endedAt, spool } = stream;
      if (endedAt === null || now - endedAt < afterMs || !spool.isDelivered) continue;
      spool.remove();
      this.#forget(stream);
    }
  }

  #forget(stream: Stream): void {
    const { lease } = stream.spool;
    this.#streams.delete(keyOf(lease));
    if (this.#current.get(lease.jobId) === stream) this.#current.delete(lease.jobId);
  }

  #open(lease: Lease, names: readonly string[]): Stream {
    const { folder, limits } = this.#options;
    const spool = new JobLogSpool(lease, folder, { limits, usage: this.#usage, names });
    const stream: Stream = { spool, endedAt: null };
    this.#streams.set(keyOf(lease), stream);
    return stream;
  }
}

function keyOf({ jobId, leaseToken }: Lease): string {
  return `${jobId}.${leaseToken}`;
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
      .filter((name) => nameShape.test(name))
      .sort();
  } catch {
    return [];
  }
}

export function jobLogsFolder(logDir: string): string {
  return join(logDir, 'outgoing');
}
