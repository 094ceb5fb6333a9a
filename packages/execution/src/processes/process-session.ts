/**
 * One job on one process, from handing it over to the end of either: answers the process's questions, passes on what
 * it reports, tells it to stop, and watches that it does.
 */
import type { JobTimeout, RunObserver, StopRequest } from '../engine/run-options.ts';
import { EntryTooLargeError } from '../engine/too-large.ts';
import type { JobSpec } from '../jobs/job-runner.ts';
import { type ProgressShape, progressShapeOf } from '../jobs/progress-shape.ts';
import type { Clock, Logger } from '../ports.ts';
import type { JobProcess } from './job-process.ts';
import { journalParts } from './journal-parts.ts';
import type { JournalWatch } from './journal-watch.ts';
import type { FinishedMessage, Notice, ProcessMessage, Question, Resumption, RunLimits } from './messages.ts';
import { sinceBootMs } from './process-deadline.ts';
import type { Setback } from './recovery.ts';
import { RunWatch } from './run-watch.ts';

export type SessionEnd =
  | { readonly kind: 'finished'; readonly message: FinishedMessage }
  /** The process is of no more use for this job and has to be ended. */
  | { readonly kind: 'lost'; readonly setback: Setback }
  /** A defect of the robot. */
  | { readonly kind: 'crashed'; readonly message: string };

export interface SessionOptions {
  readonly process: JobProcess;
  readonly job: JobSpec;
  readonly journal: JournalWatch;
  /** Called when the workflow has passed its check, once per session. */
  readonly observe: (shape: ProgressShape) => RunObserver | null;
  readonly workDir: () => Promise<string>;
  readonly resumption: Resumption;
  /** Asks the run to stop, with a `StopRequest` as its reason. */
  readonly signal: AbortSignal;
  readonly limits: RunLimits;
  /** See `ProcessRunnerOptions`. */
  readonly mayActForMs: () => number | null;
  /** See `ProcessRunnerOptions`. */
  readonly mayBeginForMs: () => number | null;
  readonly clock: Clock;
  readonly logger: Logger;
}

type TooLargeSetback = Extract<Setback, { readonly kind: 'too_large' }>;

/** How often the watch looks, in ms. */
const WATCH_INTERVAL_MS = 100;
/** How long a process whose channel broke may take to end by itself, in ms. */
const BROKEN_GRACE_MS = 500;

export class ProcessSession {
  readonly #options: SessionOptions;
  readonly #watch: RunWatch;
  readonly #end = Promise.withResolvers<SessionEnd>();
  readonly #over = new AbortController();
  #observer: RunObserver | null = null;
  #stopRequest: StopRequest | JobTimeout | null = null;
  #lastError: string | null = null;
  #tooLarge: TooLargeSetback | null = null;

  constructor(options: SessionOptions) {
    const { clock, limits, resumption } = options;
    this.#options = options;
    const stallMs = limits.nodeTimeoutMs + limits.cancelGraceMs;
    this.#watch = new RunWatch({ graceMs: limits.cancelGraceMs, stallMs }, clock.monotonic());
    if (resumption.stop !== undefined) this.#noteStop(resumption.stop);
  }

  /** Why the run has to stop; null while it has not. */
  get stopRequest(): StopRequest | JobTimeout | null {
    return this.#stopRequest;
  }

  async run(): Promise<SessionEnd> {
    const { process, job, journal, resumption, limits, signal } = this.#options;
    const { snapshotEveryEntries } = journal;
    process.output.reset(job.jobId);
    process.listen(
      (message) => this.#take(message),
      (reason) => void this.#broken(reason),
    );
    void process.ended.then((end) => {
      this.lose({ kind: 'died', end, error: this.#lastError, isHeapFull: isHeapFull(process.output.text) });
    });
    process.endBy(this.#options.mayActForMs());
    process.send({ type: 'run', job, resumption, limits, snapshotEveryEntries });
    const onAbort = (): void => this.#stop(stopRequestOf(signal));
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    void this.#watchRun();
    const end = await this.#end.promise;
    this.#over.abort();
    signal.removeEventListener('abort', onAbort);
    process.listen(
      () => undefined,
      () => undefined,
    );
    return this.#meant(end);
  }

  /** Some ends of the run are for the supervisor to mend. */
  #meant(end: SessionEnd): SessionEnd {
    const left = end.kind === 'finished' ? end.message.report.end : null;
    if (left?.status !== 'suspended') return end;
    if (left.cause === 'node-still-running') return { kind: 'lost', setback: { kind: 'stop_ignored' } };
    return left.cause === 'journal' && this.#tooLarge !== null ? { kind: 'lost', setback: this.#tooLarge } : end;
  }

  /** The first request counts. */
  #stop(request: StopRequest | JobTimeout): void {
    if (this.#stopRequest !== null) return;
    this.#noteStop(request);
    this.#options.process.send({ type: 'stop', request });
  }

  #noteStop(request: StopRequest | JobTimeout): void {
    this.#stopRequest = request;
    const withinMs = request.kind === 'suspend' ? (request.withinMs ?? null) : null;
    this.#watch.stopped(request.kind, this.#options.clock.monotonic(), withinMs);
  }

  /** The process is to be given up; the first reason counts. */
  lose(setback: Setback): void {
    this.#end.resolve({ kind: 'lost', setback });
  }

  #take(message: ProcessMessage): void {
    this.#watch.heard(this.#options.clock.monotonic());
    switch (message.type) {
      case 'checked':
        this.#observer = this.#options.observe(progressShapeOf(message.shape));
        return;
      case 'load':
      case 'work_dir':
      case 'commit':
        void this.#answer(message);
        return;
      case 'notice':
        this.#noticed(message);
        return;
      case 'remark':
        this.#options.logger.log(message.level, message.message, message.fields ?? {});
        return;
      case 'dying':
        this.#lastError = message.message;
        return;
      case 'too_large':
        this.#tooLarge = { kind: 'too_large', bytes: message.bytes, limitBytes: message.limitBytes };
        return;
      case 'finished':
        this.#options.process.rssBytes = message.rssBytes;
        this.#end.resolve({ kind: 'finished', message });
        return;
      case 'crashed':
        this.#end.resolve({ kind: 'crashed', message: message.message });
        return;
      case 'alive':
      case 'ready':
      case 'unfit':
        return;
      default:
        this.lose({ kind: 'channel', reason: `it said "${(message as { type: string }).type}", which means nothing` });
    }
  }

  #noticed(message: Notice): void {
    const now = this.#options.clock.monotonic();
    if (message.name === 'runStarted') this.#watch.jobStarted(message.notice.remaining_ms, now);
    if (message.name === 'nodeStarted') this.#watch.nodeStarted(message.notice.step, message.notice.limit_ms, now);
    tell(this.#observer, message, this.#options.logger);
  }

  /** Of a journal that is long, part after part. */
  async #answer(question: Question): Promise<void> {
    const { process, journal, workDir, mayBeginForMs } = this.#options;
    const { id } = question;
    try {
      if (question.type === 'work_dir') return process.send({ type: 'answer', id, value: await workDir() });
      if (question.type === 'commit') {
        await journal.commit(question.entries);
        const forMs = mayBeginForMs();
        return process.send({ type: 'answer', id, value: forMs === null ? null : sinceBootMs() + forMs });
      }
      const entries = await journal.load();
      for (const value of journalParts(entries)) {
        process.send({ type: 'part', id, value });
        await process.drained();
      }
      process.send({ type: 'answer', id, value: [] });
    } catch (error) {
      if (error instanceof EntryTooLargeError) this.#tooLarge = tooLarge(error);
      process.send({ type: 'refusal', id, message: error instanceof Error ? error.message : String(error) });
    }
  }

  /** A channel that ends because its process ends says nothing new. */
  async #broken(reason: Error | null): Promise<void> {
    await this.#options.clock.sleep(BROKEN_GRACE_MS, this.#over.signal).catch(() => undefined);
    this.lose({ kind: 'channel', reason: reason === null ? 'it ended' : reason.message });
  }

  /** What is due has to be so at two looks: the supervisor itself may have been kept from listening. */
  async #watchRun(): Promise<void> {
    const { process, clock, journal, job, limits, mayActForMs } = this.#options;
    let wasDue = false;
    while (!this.#over.signal.aborted) {
      await clock.sleep(WATCH_INTERVAL_MS, this.#over.signal).catch(() => undefined);
      if (this.#over.signal.aborted) return;
      process.endBy(mayActForMs());
      const now = clock.monotonic();
      if (this.#watch.isJobOver(now)) {
        this.#stop({ kind: 'job_timeout', limitMs: job.timeoutMs ?? limits.jobTimeoutMs ?? 0 });
      }
      const cause = this.#watch.due(now, journal.open, journal.stoppedAt);
      if (cause !== null && wasDue) this.lose(cause);
      wasDue = cause !== null;
    }
  }
}

export function tooLarge({ bytes, limitBytes, step }: EntryTooLargeError): TooLargeSetback {
  return { kind: 'too_large', bytes, limitBytes, step };
}

/** Anything that is no request counts as a cancel without a reason. */
function stopRequestOf({ reason }: AbortSignal): StopRequest {
  const given: Partial<StopRequest> = typeof reason === 'object' && reason !== null ? reason : {};
  const { kind, reason: text, requestedBy = null, withinMs } = given;
  if (kind === 'suspend')
    return { kind, reason: text ?? 'asked to suspend', ...(withinMs === undefined ? {} : { withinMs }) };
  return { kind: 'cancel', reason: kind === 'cancel' ? (text ?? 'cancelled') : 'cancelled', requestedBy };
}

/** Tells one listener; what it throws is its own affair. */
export function tell(observer: RunObserver | null, { name, notice }: Notice, logger: Logger): void {
  const listen = observer?.[name] as ((notice: unknown) => void) | undefined;
  try {
    listen?.call(observer, notice);
  } catch (error) {
    logger.log('warning', `A listener of the run failed: ${String(error)}`);
  }
}

/** What V8 prints before it gives up. */
function isHeapFull(output: string): boolean {
  return /heap out of memory|allocation failed/i.test(output);
}
