/**
 * Keeps processes ready, so that a job does not wait for one to start: `warm` new ones, and up to `keep` used ones.
 * A process is used again until it has run its number of jobs, is too old or holds too much memory.
 */
import type { Clock, Logger } from '../ports.ts';
import type { JobProcess } from './job-process.ts';

export interface RecycleLimits {
  /** Jobs that a process runs before another one takes its place. */
  readonly afterJobs: number;
  /** Age at which it gets no further job, in ms. */
  readonly afterMs: number;
  /** Resident memory, when idle, above which it gets no further job, in bytes. */
  readonly aboveBytes: number;
}

export interface PoolOptions {
  readonly start: () => JobProcess;
  /** Idle processes to have ready; with 0 the first jobs wait for theirs to start. */
  readonly warm: number;
  /** Used processes to keep for further jobs, at most. */
  readonly keep: number;
  readonly recycle: RecycleLimits;
  /** Told when a process's whole tree is gone. */
  readonly onGone: (process: JobProcess) => void;
  readonly clock: Clock;
  readonly logger: Logger;
}

const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 60_000;

export class ProcessPool {
  readonly #options: PoolOptions;
  readonly #closed = new AbortController();
  /** Ready, or on their way to be. */
  readonly #idle = new Set<JobProcess>();
  readonly #ending = new Set<Promise<unknown>>();
  #failures = 0;
  #isWaiting = false;

  constructor(options: PoolOptions) {
    this.#options = options;
    this.#fill();
  }

  get idleCount(): number {
    return this.#idle.size;
  }

  /**
   * A process of the caller's own, until it is given back or ended.
   *
   * @throws Error when no process can be started
   */
  async take(): Promise<JobProcess> {
    for (const process of [...this.#idle]) {
      this.#idle.delete(process);
      if (!process.isUsable || this.#isWornOut(process)) {
        void this.end(process);
        continue;
      }
      this.#fill();
      return this.#whenReady(process);
    }
    const process = this.#options.start();
    this.#fill();
    return this.#whenReady(process);
  }

  /** The process has done its job and nothing of the job is left in it. */
  giveBack(process: JobProcess): void {
    process.jobs += 1;
    this.#watch(process);
    const isSpare = this.#idle.size >= Math.max(this.#options.warm, this.#options.keep);
    if (this.#closed.signal.aborted || isSpare || !process.isUsable || this.#isWornOut(process)) {
      void this.end(process);
      this.#fill();
      return;
    }
    this.#idle.add(process);
  }

  /** Ends a process and its tree; resolves with what could not be proved gone. */
  async end(process: JobProcess): Promise<readonly number[]> {
    this.#idle.delete(process);
    const ending = process.end();
    this.#ending.add(ending);
    try {
      const left = await ending;
      if (left.length === 0) this.#options.onGone(process);
      else this.#options.logger.log('critical', `processes that a job has left cannot be ended: ${left.join(', ')}`);
      return left;
    } finally {
      this.#ending.delete(ending);
    }
  }

  /** Ends all idle processes; those with a job end with it. */
  async close(): Promise<void> {
    this.#closed.abort();
    await Promise.all([...this.#idle].map((process) => this.end(process)));
    await Promise.all([...this.#ending]);
  }

  async #whenReady(process: JobProcess): Promise<JobProcess> {
    try {
      await process.ready;
      return process;
    } catch (error) {
      await this.end(process);
      throw error;
    }
  }

  #isWornOut(process: JobProcess): boolean {
    const { recycle, clock } = this.#options;
    return (
      process.jobs >= recycle.afterJobs ||
      clock.monotonic() - process.startedAt >= recycle.afterMs ||
      process.rssBytes > recycle.aboveBytes
    );
  }

  #fill(): void {
    while (!this.#closed.signal.aborted && !this.#isWaiting && this.#idle.size < this.#options.warm) {
      const process = this.#options.start();
      this.#idle.add(process);
      process.ready.then(
        () => {
          this.#failures = 0;
          if (this.#idle.has(process)) this.#watch(process);
        },
        (error: unknown) => this.#retryLater(process, error),
      );
    }
  }

  /** An idle process that ends is replaced. */
  #watch(process: JobProcess): void {
    process.listen(
      () => undefined,
      () => {
        if (!this.#idle.has(process)) return;
        void this.end(process);
        this.#fill();
      },
    );
  }

  /** What keeps one process from starting will keep the next one, too: there is no hurry. */
  #retryLater(process: JobProcess, error: unknown): void {
    if (!this.#idle.has(process)) return;
    const { clock, logger } = this.#options;
    if (this.#failures === 0) logger.log('error', `no job process can be kept ready: ${String(error)}`);
    this.#isWaiting = true;
    void this.end(process);
    const delayMs = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** this.#failures);
    this.#failures += 1;
    clock.sleep(delayMs, this.#closed.signal).then(
      () => {
        this.#isWaiting = false;
        this.#fill();
      },
      () => undefined,
    );
  }
}
