/**
 * Tells the server how far each job is: merged per job (the latest state wins), all jobs in one request, and at most
 * once per interval. Being offline loses nothing but states in between: what is newest is sent when sending works
 * again. A job's last state is handed back by `endJob`, to be written together with the job's end.
 */

import {
  requireClock,
  requireFunctions,
  requireMethods,
  requireObject,
  requireOneOf,
  requireOptions,
  requireWhole,
} from '../argument-error.ts';
import type { JournalEntry } from '../engine/journal.ts';
import type { JsonObject } from '../json.ts';
import type { Clock } from '../ports.ts';
import { systemClock } from '../system-clock.ts';
import { requireArguments } from './gateway-arguments.ts';
import type { Lease, LeaseAnswer } from './gateway-types.ts';
import { JobProgress, type JobProgressOptions } from './job-progress.ts';
import type { ProgressShape } from './progress-shape.ts';
import type { ProgressSnapshot } from './progress-snapshot.ts';
import { repeat } from './repeat.ts';

export interface ProgressReport {
  readonly lease: Lease;
  readonly progress: JsonObject;
}

export interface ProgressReporterOptions {
  readonly gateway: {
    reportProgressBatch(
      reports: readonly ProgressReport[],
      options?: { signal?: AbortSignal },
    ): Promise<readonly Pick<LeaseAnswer, 'jobId' | 'leaseToken' | 'outcome'>[]>;
  };
  /** Ms between two reports. Default 1,000. */
  readonly updateIntervalMs?: number;
  /**
   * False while the server cannot be reached: then nothing is sent, which would wait with a state that is old by the
   * time it arrives. Call `reportNow` when it can be reached again. Default: it always can.
   */
  readonly canReport?: () => boolean;
  readonly clock?: Clock;
  /** Told about a report that could not be sent; its jobs are in the next one. */
  readonly onReportFailed?: (error: unknown) => void;
  /** The server said more than `ok`: a lease is lost, or a job was asked to stop. */
  readonly onNews?: () => void;
}

/** The progress of a job that is reported. */
export class ReportedProgress extends JobProgress {
  readonly #untrack: () => void;
  readonly #missing: Set<'journal' | 'workflow'>;

  constructor(options: JobProgressOptions & { readonly isResumed?: boolean }, untrack: () => void) {
    super(options);
    this.#untrack = untrack;
    this.#missing = new Set(options.isResumed === true ? (['journal', 'workflow'] as const) : []);
  }

  /** False while a resumed job knows less of itself than has been reported before. */
  get isKnown(): boolean {
    return this.#missing.size === 0;
  }

  override reportWorkflow(shape: ProgressShape): void {
    this.#missing.delete('workflow');
    super.reportWorkflow(shape);
  }

  override replay(entries: readonly JournalEntry[]): void {
    this.#missing.delete('journal');
    super.replay(entries);
  }

  /**
   * Ends reporting; the returned last state belongs into the job's completion.
   *
   * @throws ArgumentError for another status
   */
  endJob(end: { readonly status: 'completed' | 'failed' | 'cancelled' }): ProgressSnapshot {
    requireObject('end', end);
    requireOneOf('end.status', end.status, ['completed', 'failed', 'cancelled']);
    this.reportStage('completing');
    this.reportStage(end.status);
    this.#untrack();
    return this.snapshot();
  }

  /** Ends reporting without a last word: the job goes on elsewhere or later. */
  detach(): void {
    this.#untrack();
  }
}

interface Tracked {
  readonly lease: Lease;
  readonly progress: ReportedProgress;
  isDirty: boolean;
}

const optionNames = ['gateway', 'updateIntervalMs', 'canReport', 'clock', 'onReportFailed', 'onNews'] as const;

/** Jobs in one request; more go into further ones (I7). */
const maxReports = 100;

/**
 * @example
 * const reporter = new ProgressReporter({ gateway, updateIntervalMs: 1_000 });
 * const progress = reporter.startJob({ jobId, leaseToken }, { totalNodes: 10 });
 * progress.reportNodeStart('node-1', 'ClickElementNode');
 * progress.reportNodeComplete('node-1', { success: true, durationMs: 150 });
 * progress.endJob({ status: 'completed' });
 */
export class ProgressReporter {
  readonly #options: ProgressReporterOptions;
  readonly #clock: Clock;
  readonly #jobs = new Map<string, Tracked>();
  #loop: AbortController | null = null;

  /** @throws ArgumentError */
  constructor(options: ProgressReporterOptions) {
    requireOptions('options', options, optionNames);
    requireMethods('gateway', options.gateway, ['reportProgressBatch']);
    requireClock(options.clock);
    const { canReport, onReportFailed, onNews } = options;
    requireFunctions({ canReport, onReportFailed, onNews });
    requireWhole('updateIntervalMs', options.updateIntervalMs ?? 1_000, 1);
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  /**
   * Begins to report about a job; another claim of the same job takes the place of the former. Of a resumed job nothing
   * is reported before it was told both its journal and its workflow: what was reported earlier does not go back.
   *
   * @throws ArgumentError
   */
  startJob(lease: Lease, job: { readonly totalNodes?: number; readonly isResumed?: boolean } = {}): ReportedProgress {
    requireArguments({ lease });
    requireOptions('job', job, ['totalNodes', 'isResumed']);
    const { jobId, leaseToken } = lease;
    const progress = new ReportedProgress(
      {
        ...job,
        clock: this.#clock,
        onChange: () => {
          tracked.isDirty = true;
        },
      },
      () => this.#untrack(tracked),
    );
    const tracked: Tracked = { lease: { jobId, leaseToken }, progress, isDirty: true };
    this.#jobs.set(jobId, tracked);
    this.#ensureLoop();
    return progress;
  }

  /** Sends what changed since the last report. Never rejects. */
  async flush(signal?: AbortSignal): Promise<void> {
    if (this.#options.canReport?.() === false) return;
    const due = [...this.#jobs.values()].filter((job) => job.isDirty && job.progress.isKnown);
    for (let at = 0; at < due.length; at += maxReports) await this.#send(due.slice(at, at + maxReports), signal);
  }

  /** Does not wait for the next interval; a report that is under way is given up for a newer one. */
  reportNow(): void {
    if (this.#loop === null) return;
    this.#loop.abort();
    this.#loop = null;
    this.#ensureLoop();
  }

  stop(): void {
    this.#jobs.clear();
    this.#loop?.abort();
    this.#loop = null;
  }

  async #send(jobs: readonly Tracked[], signal?: AbortSignal): Promise<void> {
    const { gateway, onReportFailed, onNews } = this.#options;
    for (const job of jobs) job.isDirty = false;
    const reports = jobs.map(({ lease, progress }) => ({ lease, progress: progress.snapshot() }));
    try {
      const answers = await gateway.reportProgressBatch(reports, signal === undefined ? {} : { signal });
      if (answers.some((answer) => answer.outcome !== 'ok')) onNews?.();
    } catch (error) {
      for (const job of jobs) job.isDirty = true;
      if (signal?.aborted !== true) onReportFailed?.(error);
    }
  }

  #untrack(tracked: Tracked): void {
    if (this.#jobs.get(tracked.lease.jobId) === tracked) this.#jobs.delete(tracked.lease.jobId);
    if (this.#jobs.size === 0) this.stop();
  }

  #ensureLoop(): void {
    if (this.#loop !== null) return;
    const loop = new AbortController();
    this.#loop = loop;
    const intervalMs = this.#options.updateIntervalMs ?? 1_000;
    void repeat(() => this.flush(loop.signal), { intervalMs, clock: this.#clock, signal: loop.signal });
  }
}
