/**
 * Runs jobs side by side, never more than the limit (admission control).
 *
 * A job is `queued`, then `running`, then gone. The queue is bounded and ordered by priority, then age;
 * raising or lowering the limit never touches a running job. `stop` drains, cancels or suspends.
 */
import type { RunReport, StopRequest } from '../engine/run-options.ts';
import type { JsonObject } from '../json.ts';
import type { Clock } from '../ports.ts';
import { systemClock } from '../system-clock.ts';
import type { JobRunner, JobSpec } from './job-runner.ts';

/** How a job left the executor. `crashed` is a defect of the robot, not a failure of the job. */
export type JobEnd =
  | { readonly kind: 'ran'; readonly job: JobSpec; readonly report: RunReport }
  | { readonly kind: 'never-started'; readonly job: JobSpec; readonly request: StopRequest }
  | { readonly kind: 'crashed'; readonly job: JobSpec; readonly error: unknown };

export interface JobExecutorOptions {
  readonly runner: JobRunner;
  /** Default 3. */
  readonly maxConcurrentJobs?: number;
  /** Jobs that may wait; more are refused. Default 1,000. */
  readonly maxQueuedJobs?: number;
  /** Told about every job that leaves; the job's slot is free when the returned promise settles. */
  readonly onJobComplete?: (end: JobEnd) => void | Promise<void>;
  /** Told when `onJobComplete` itself fails. */
  readonly onError?: (error: unknown) => void;
  readonly clock?: Clock;
}

export interface SubmitOptions {
  readonly name?: string;
  readonly variables?: JsonObject;
  readonly priority?: number;
  readonly inDoubtPolicy?: JobSpec['inDoubtPolicy'];
  readonly timeoutMs?: number | null;
}

export type SubmitOutcome =
  | { readonly accepted: true }
  | { readonly accepted: false; readonly reason: 'duplicate' | 'queue-full' | 'not-running' };

export interface ExecutorStatus {
  readonly state: 'created' | 'running' | 'stopping' | 'stopped';
  readonly runningCount: number;
  readonly queuedCount: number;
  readonly maxConcurrentJobs: number;
  readonly isAtCapacity: boolean;
  readonly running: readonly { readonly jobId: string; readonly name: string; readonly runningForMs: number }[];
  readonly queued: readonly string[];
}

interface Running {
  readonly job: JobSpec;
  readonly controller: AbortController;
  readonly startedAt: number;
  readonly done: Promise<void>;
}

/**
 * @example
 * const executor = new JobExecutor({ runner, maxConcurrentJobs: 3, onJobComplete: (end) => console.log(end) });
 * await executor.start();
 * await executor.submitJob('job-1', workflowJson);
 * await executor.cancelJob('job-1', { reason: 'User requested' });
 * await executor.stop();
 */
export class JobExecutor {
  readonly #options: JobExecutorOptions;
  readonly #clock: Clock;
  readonly #running = new Map<string, Running>();
  #queue: JobSpec[] = [];
  #limit: number;
  #state: ExecutorStatus['state'] = 'created';

  constructor(options: JobExecutorOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#limit = checkedLimit(options.maxConcurrentJobs ?? 3);
  }

  async start(): Promise<void> {
    if (this.#state === 'created' || this.#state === 'stopped') this.#state = 'running';
  }

  /** Queues a job and starts it as soon as a slot is free. A refusal is an answer, not an error. */
  async submitJob(jobId: string, workflowJson: string, options: SubmitOptions = {}): Promise<SubmitOutcome> {
    if (this.#state !== 'running') return { accepted: false, reason: 'not-running' };
    if (this.has(jobId)) return { accepted: false, reason: 'duplicate' };
    if (this.#queue.length >= (this.#options.maxQueuedJobs ?? 1_000)) return { accepted: false, reason: 'queue-full' };
    const job: JobSpec = {
      jobId,
      name: options.name ?? jobId,
      workflowJson,
      variables: options.variables ?? {},
      priority: options.priority ?? 0,
      inDoubtPolicy: options.inDoubtPolicy ?? null,
      timeoutMs: options.timeoutMs ?? null,
    };
    const behind = this.#queue.findIndex((other) => other.priority < job.priority);
    this.#queue.splice(behind === -1 ? this.#queue.length : behind, 0, job);
    this.#fill();
    return { accepted: true };
  }

  /** Whether the job is queued or running here. */
  has(jobId: string): boolean {
    return this.#running.has(jobId) || this.#queue.some((job) => job.jobId === jobId);
  }

  /** Asks a queued or running job to stop as cancelled; false when it is not here. */
  async cancelJob(
    jobId: string,
    request: { readonly reason?: string; readonly requestedBy?: string | null } = {},
  ): Promise<boolean> {
    const { reason = 'cancelled', requestedBy = null } = request;
    return this.#stopJob(jobId, { kind: 'cancel', reason, requestedBy });
  }

  /** Stops a job without ending it: it can be resumed later, here or elsewhere. */
  async suspendJob(jobId: string, reason: string): Promise<boolean> {
    return this.#stopJob(jobId, { kind: 'suspend', reason });
  }

  /** Takes effect at once upwards; downwards as running jobs end. */
  setMaxConcurrent(limit: number): void {
    this.#limit = checkedLimit(limit);
    this.#fill();
  }

  /** How many more jobs would start at once. */
  get freeSlots(): number {
    return this.#state === 'running' ? Math.max(0, this.#limit - this.#running.size - this.#queue.length) : 0;
  }

  getStatus(): ExecutorStatus {
    const now = this.#clock.monotonic();
    return {
      state: this.#state,
      runningCount: this.#running.size,
      queuedCount: this.#queue.length,
      maxConcurrentJobs: this.#limit,
      isAtCapacity: this.#running.size >= this.#limit,
      running: [...this.#running.values()].map(({ job, startedAt }) => ({
        jobId: job.jobId,
        name: job.name,
        runningForMs: now - startedAt,
      })),
      queued: this.#queue.map((job) => job.jobId),
    };
  }

  /**
   * Stops taking jobs, hands back what is queued, and waits for what runs. `drain` (default) lets it
   * finish, `cancel` and `suspend` ask it to stop first; a later call may ask for more than an earlier.
   */
  async stop(
    options: { readonly mode?: 'drain' | 'cancel' | 'suspend'; readonly reason?: string } = {},
  ): Promise<void> {
    if (this.#state === 'created') this.#state = 'stopped';
    if (this.#state === 'stopped') return;
    this.#state = 'stopping';
    const reason = options.reason ?? 'the robot is stopping';
    const queued = this.#queue;
    this.#queue = [];
    const suspend: StopRequest = { kind: 'suspend', reason };
    await Promise.all(queued.map((job) => this.#tell({ kind: 'never-started', job, request: suspend })));
    if (options.mode === 'cancel' || options.mode === 'suspend') {
      for (const { controller } of this.#running.values()) {
        controller.abort({ kind: options.mode, reason } satisfies StopRequest);
      }
    }
    await Promise.all([...this.#running.values()].map((running) => running.done));
    this.#state = 'stopped';
  }

  async #stopJob(jobId: string, request: StopRequest): Promise<boolean> {
    const running = this.#running.get(jobId);
    if (running !== undefined) {
      running.controller.abort(request);
      return true;
    }
    const job = this.#queue.find((queued) => queued.jobId === jobId);
    if (job === undefined) return false;
    this.#queue = this.#queue.filter((queued) => queued !== job);
    await this.#tell({ kind: 'never-started', job, request });
    return true;
  }

  #fill(): void {
    while (this.#state === 'running' && this.#running.size < this.#limit) {
      const job = this.#queue.shift();
      if (job === undefined) return;
      const controller = new AbortController();
      const done = this.#run(job, controller.signal).finally(() => {
        this.#running.delete(job.jobId);
        this.#fill();
      });
      this.#running.set(job.jobId, { job, controller, startedAt: this.#clock.monotonic(), done });
    }
  }

  async #run(job: JobSpec, signal: AbortSignal): Promise<void> {
    let end: JobEnd;
    try {
      end = { kind: 'ran', job, report: await this.#options.runner.run(job, signal) };
    } catch (error) {
      end = { kind: 'crashed', job, error };
    }
    await this.#tell(end);
  }

  async #tell(end: JobEnd): Promise<void> {
    try {
      await this.#options.onJobComplete?.(end);
    } catch (error) {
      this.#options.onError?.(error);
    }
  }
}

function checkedLimit(limit: number): number {
  if (Number.isInteger(limit) && limit >= 1) return limit;
  throw new RangeError(`maxConcurrentJobs must be a whole number of at least 1, but is ${limit}`);
}
