/**
 * Runs jobs side by side, never more than the limit (admission control).
 *
 *   queued -> running -> ending -> gone
 *        \-------------> ending
 *
 * The queue is bounded and ordered by priority, then age. A job is `ending` while its listeners are told; if it
 * ran, it keeps its slot until then. Raising or lowering the limit touches no running job. Every job that was
 * accepted leaves exactly once, and `onJobComplete` is told how.
 */

import {
  ArgumentError,
  requireAnyText,
  requireClock,
  requireFunctions,
  requireMethods,
  requireOneOf,
  requireOptions,
  requireText,
  requireWhole,
} from '../argument-error.ts';
import { anyMs, requireShape, shapeOf } from '../argument-shapes.ts';
import type { StopRequest } from '../engine/run-options.ts';
import type { Clock } from '../ports.ts';
import { systemClock } from '../system-clock.ts';
import { type JobCompleteListener, type JobEnd, tellCompletion } from './job-completion.ts';
import { JobQueue } from './job-queue.ts';
import type { JobRunner, JobSpec } from './job-runner.ts';
import { jobSpecOf, type SubmitOptions } from './submit-options.ts';

export interface JobExecutorOptions {
  readonly runner: JobRunner;
  /** Jobs that run at the same time. Default 3. */
  readonly maxConcurrentJobs?: number;
  /** Jobs that may wait; more are refused. Default 1,000. */
  readonly maxQueuedJobs?: number;
  /** Told when a job gets a slot, right before its run begins. */
  readonly onJobStart?: (job: JobSpec) => void;
  /** Told about every job that leaves. Its slot is free once the returned promise settles, or its time is over. */
  readonly onJobComplete?: JobCompleteListener;
  /** How long a slot waits for those who are told, in ms. Default 60,000. */
  readonly completionLimitMs?: number;
  /** Told when a listener throws, rejects or takes too long. */
  readonly onError?: (error: unknown) => void;
  readonly clock?: Clock;
}

export type SubmitOutcome =
  | { readonly accepted: true }
  | { readonly accepted: false; readonly reason: 'duplicate' | 'queue-full' | 'not-running' };

export type ExecutorStopMode = 'drain' | 'cancel' | 'suspend';

export interface ExecutorStatus {
  readonly state: 'created' | 'running' | 'stopping' | 'stopped';
  readonly runningCount: number;
  readonly queuedCount: number;
  readonly maxConcurrentJobs: number;
  readonly isAtCapacity: boolean;
  readonly running: readonly { readonly jobId: string; readonly name: string; readonly runningForMs: number }[];
  /** Ids in the order in which they will start. */
  readonly queued: readonly string[];
  /** Submissions that were refused so far. */
  readonly refusedCount: number;
}

interface Running {
  readonly job: JobSpec;
  readonly controller: AbortController;
  readonly startedAt: number;
  isEnding: boolean;
}

const optionNames = [
  'runner',
  'maxConcurrentJobs',
  'maxQueuedJobs',
  'onJobStart',
  'onJobComplete',
  'completionLimitMs',
  'onError',
  'clock',
] as const;

const suspendLimits = shapeOf({ withinMs: anyMs.optional() });

/**
 * @example
 * const executor = new JobExecutor({ runner, maxConcurrentJobs: 3, onJobComplete: (end) => console.log(end) });
 * await executor.start();
 * await executor.submitJob('job-1', workflowJson);
 * await executor.cancelJob('job-1', { reason: 'User requested' });
 * executor.setMaxConcurrent(5);
 * await executor.stop();
 */
export class JobExecutor {
  readonly #runner: JobRunner;
  readonly #clock: Clock;
  readonly #onJobStart: (job: JobSpec) => void;
  readonly #listeners = new Set<JobCompleteListener>();
  readonly #completionLimitMs: number;
  readonly #onError: (error: unknown) => void;
  readonly #queue: JobQueue;
  readonly #running = new Map<string, Running>();
  /** What has to settle before the executor has stopped: one promise per job that runs or is ending. */
  readonly #leaving = new Map<string, Promise<void>>();
  #limit: number;
  #state: ExecutorStatus['state'] = 'created';
  #stopped: Promise<void> | null = null;
  #refusedCount = 0;

  /** @throws ArgumentError naming the option that cannot be */
  constructor(options: JobExecutorOptions) {
    requireOptions('options', options, optionNames);
    const { runner, maxConcurrentJobs = 3, maxQueuedJobs = 1_000, completionLimitMs = 60_000 } = options;
    const { onJobStart, onJobComplete, onError, clock } = options;
    requireMethods('runner', runner, ['run']);
    requireFunctions({ onJobStart, onJobComplete, onError });
    requireClock(clock);
    requireWhole('maxConcurrentJobs', maxConcurrentJobs, 1);
    requireWhole('maxQueuedJobs', maxQueuedJobs, 0);
    requireWhole('completionLimitMs', completionLimitMs, 1);
    this.#runner = runner;
    this.#limit = maxConcurrentJobs;
    this.#queue = new JobQueue(maxQueuedJobs);
    this.#completionLimitMs = completionLimitMs;
    this.#onJobStart = options.onJobStart ?? (() => undefined);
    this.#onError = (error) => {
      try {
        options.onError?.(error);
      } catch {
        // Whoever listens for errors cannot be told that listening failed.
      }
    };
    this.#clock = options.clock ?? systemClock;
    if (options.onJobComplete !== undefined) this.#listeners.add(options.onJobComplete);
  }

  /**
   * Begins to take jobs; a stopped executor can be started again.
   *
   * @throws Error with code `EXECUTOR_STOPPING` while `stop` is under way: await it first
   */
  async start(): Promise<void> {
    if (this.#state === 'stopping') {
      throw Object.assign(new Error('the executor is stopping; await stop() before starting it again'), {
        code: 'EXECUTOR_STOPPING',
        category: 'permanent',
      });
    }
    this.#state = 'running';
  }

  /**
   * Queues a job and starts it as soon as a slot is free. A refusal is an answer, not an error.
   *
   * @throws ArgumentError naming the argument that cannot be
   */
  async submitJob(jobId: string, workflowJson: string, options: SubmitOptions = {}): Promise<SubmitOutcome> {
    const job = jobSpecOf(jobId, workflowJson, options);
    const reason = this.#refusal(jobId);
    if (reason !== null) {
      this.#refusedCount += 1;
      return { accepted: false, reason };
    }
    this.#queue.add(job);
    this.#fill();
    return { accepted: true };
  }

  /** Whether the job is queued or running here, or its end is being told. */
  has(jobId: string): boolean {
    return this.#running.has(jobId) || this.#leaving.has(jobId) || this.#queue.ids.includes(jobId);
  }

  /** Asks a queued or running job to stop as cancelled; false when it is not here or has already ended. */
  async cancelJob(
    jobId: string,
    request: { readonly reason?: string; readonly requestedBy?: string | null } = {},
  ): Promise<boolean> {
    requireText('jobId', jobId);
    requireOptions('request', request, ['reason', 'requestedBy']);
    const { reason = 'cancelled', requestedBy = null } = request;
    requireAnyText('reason', reason);
    return this.#stopJob(jobId, { kind: 'cancel', reason, requestedBy });
  }

  /**
   * Stops a job without ending it: it can be resumed later, here or elsewhere.
   *
   * @param limits.withinMs an effect that is under way is not let finish for longer than this, in ms
   */
  async suspendJob(jobId: string, reason: string, limits: { readonly withinMs?: number } = {}): Promise<boolean> {
    requireText('jobId', jobId);
    requireAnyText('reason', reason);
    requireOptions('limits', limits, ['withinMs']);
    requireShape('limits', limits, suspendLimits);
    return this.#stopJob(jobId, { kind: 'suspend', reason, ...limits });
  }

  /**
   * Takes effect at once upwards; downwards as running jobs end. No job is stopped or lost.
   *
   * @throws ArgumentError unless `limit` is a whole number of at least 1; to run none, stop the executor
   */
  setMaxConcurrent(limit: number): void {
    requireWhole('maxConcurrentJobs', limit, 1);
    this.#limit = limit;
    this.#fill();
  }

  /** Adds one more listener for the end of jobs. @returns a function that removes it */
  addCompletionListener(listener: JobCompleteListener): () => void {
    if (typeof listener !== 'function') throw new ArgumentError('listener', 'a function', listener);
    const own: JobCompleteListener = (end) => listener(end);
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }

  /** How many more jobs would start at once. */
  get freeSlots(): number {
    return this.#state === 'running' ? Math.max(0, this.#limit - this.#running.size - this.#queue.size) : 0;
  }

  getStatus(): ExecutorStatus {
    const now = this.#clock.monotonic();
    return {
      state: this.#state,
      runningCount: this.#running.size,
      queuedCount: this.#queue.size,
      maxConcurrentJobs: this.#limit,
      isAtCapacity: this.#running.size >= this.#limit,
      running: [...this.#running.values()].map(({ job, startedAt }) => ({
        jobId: job.jobId,
        name: job.name,
        runningForMs: now - startedAt,
      })),
      queued: this.#queue.ids,
      refusedCount: this.#refusedCount,
    };
  }

  /**
   * Stops taking jobs, hands back what is queued, and resolves when nothing runs any more. `drain` (default) lets
   * running jobs finish, `cancel` and `suspend` ask them to stop first; a later call may ask for more than an earlier.
   *
   * @throws ArgumentError for an unknown mode
   */
  async stop(
    options: { readonly mode?: ExecutorStopMode; readonly reason?: string; readonly requestedBy?: string | null } = {},
  ): Promise<void> {
    requireOptions('options', options, ['mode', 'reason', 'requestedBy']);
    const { mode = 'drain', reason = 'the robot is stopping', requestedBy = null } = options;
    requireAnyText('reason', reason);
    requireOneOf('mode', mode, ['drain', 'cancel', 'suspend']);
    if (this.#state === 'created') this.#state = 'stopped';
    if (this.#state === 'stopped') return;
    this.#state = 'stopping';
    for (const job of this.#queue.clear()) {
      void this.#leave({ kind: 'never-started', job, request: { kind: 'suspend', reason } });
    }
    if (mode !== 'drain')
      for (const { controller } of this.#running.values())
        controller.abort({ kind: mode, reason, requestedBy } satisfies StopRequest);
    this.#stopped ??= this.#untilEmpty();
    return this.#stopped;
  }

  async #untilEmpty(): Promise<void> {
    do await Promise.all(this.#leaving.values());
    while (this.#leaving.size > 0);
    this.#state = 'stopped';
    this.#stopped = null;
  }

  #refusal(jobId: string): Extract<SubmitOutcome, { accepted: false }>['reason'] | null {
    if (this.#state !== 'running') return 'not-running';
    if (this.has(jobId)) return 'duplicate';
    return this.#queue.isFull && this.#running.size >= this.#limit ? 'queue-full' : null;
  }

  async #stopJob(jobId: string, request: StopRequest): Promise<boolean> {
    const running = this.#running.get(jobId);
    if (running !== undefined) {
      if (running.isEnding) return false;
      running.controller.abort(request);
      return true;
    }
    const job = this.#queue.remove(jobId);
    if (job === undefined) return false;
    await this.#leave({ kind: 'never-started', job, request });
    return true;
  }

  #fill(): void {
    while (this.#state === 'running' && this.#running.size < this.#limit) {
      const job = this.#queue.next();
      if (job === undefined) return;
      const running: Running = {
        job,
        controller: new AbortController(),
        startedAt: this.#clock.monotonic(),
        isEnding: false,
      };
      this.#running.set(job.jobId, running);
      this.#leaving.set(job.jobId, this.#run(running));
    }
  }

  async #run(running: Running): Promise<void> {
    const { job, controller } = running;
    let end: JobEnd;
    try {
      this.#tellStart(job);
      end = { kind: 'ran', job, report: await this.#runner.run(job, controller.signal) };
    } catch (error) {
      end = { kind: 'crashed', job, error };
    }
    running.isEnding = true;
    await this.#tell(end);
    this.#running.delete(job.jobId);
    this.#leaving.delete(job.jobId);
    this.#fill();
  }

  #leave(end: JobEnd): Promise<void> {
    const { jobId } = end.job;
    const left = this.#tell(end).then(() => void this.#leaving.delete(jobId));
    this.#leaving.set(jobId, left);
    return left;
  }

  #tellStart(job: JobSpec): void {
    try {
      this.#onJobStart(job);
    } catch (error) {
      this.#onError(error);
    }
  }

  #tell(end: JobEnd): Promise<void> {
    const options = { clock: this.#clock, limitMs: this.#completionLimitMs, onError: this.#onError };
    return tellCompletion(this.#listeners, end, options);
  }
}
