/**
 * Takes up what was left unfinished: by an earlier process, or because the store could not record a step.
 * Needs no database, except for a `restart` job whose lease may have passed on (I2).
 */
import type { Clock, JobLocker, Logger } from '@casare/execution';
import type { JobStore, JobTelemetry, StoredJob } from './desk-ports.ts';

export interface JobRecoveryOptions {
  readonly store: JobStore;
  readonly locker: JobLocker;
  readonly telemetry: JobTelemetry;
  readonly logger: Logger;
  readonly clock: Clock;
  /** Wait before a job that the store refused to record is tried again, in ms. Default 10,000. */
  readonly retryStoreMs?: number;
  /** Puts the job into the executor's queue. */
  readonly queue: (job: StoredJob) => Promise<void>;
  /** Keeps the lease of a job that waits for an answer. */
  readonly waitInDoubt: (job: StoredJob) => void;
}

/** Before this much of a `restart` job's lease is left, its run is stopped, or not begun (I2). In ms. */
export function leaseMarginMs(lockTimeoutMs: number): number {
  return Math.min(10_000, lockTimeoutMs / 3);
}

/** Ms between two questions whether a lease still stands. */
const askAgainMs = 1_000;

export class JobRecovery {
  readonly #options: JobRecoveryOptions;
  readonly #stopped = new AbortController();

  constructor(options: JobRecoveryOptions) {
    this.#options = options;
  }

  get isStopped(): boolean {
    return this.#stopped.signal.aborted;
  }

  /** @returns how many jobs were found */
  async takeUpAll(): Promise<number> {
    const jobs = await this.#options.store.unfinished();
    for (const job of jobs) {
      try {
        await this.#takeUp(job);
      } catch (error) {
        this.#options.logger.log('error', `a job cannot be taken up: ${String(error)}`, { job_id: job.jobId });
      }
    }
    return jobs.length;
  }

  /** A job that the store could not record (a full disk, say) waits and is taken up again. */
  async retryLater(job: StoredJob, reason: string): Promise<void> {
    const { clock, logger, retryStoreMs, queue } = this.#options;
    logger.log('error', `a job is suspended and will be tried again: ${reason}`, { job_id: job.jobId });
    try {
      await clock.sleep(retryStoreMs ?? 10_000, this.#stopped.signal);
    } catch {
      return;
    }
    await queue({ ...job, state: 'in_progress' });
  }

  stop(): void {
    this.#stopped.abort();
  }

  async #takeUp(job: StoredJob): Promise<void> {
    const { locker, telemetry, queue, waitInDoubt } = this.#options;
    locker.adopt(job, job.leaseRemainingMs);
    telemetry.resumed(job);
    if (job.state === 'in_doubt') waitInDoubt(job);
    else if (job.onLost === 'restart' && job.leaseRemainingMs <= leaseMarginMs(locker.lockTimeoutMs))
      void this.#queueOnceConfirmed(job);
    else await queue(job);
  }

  async #queueOnceConfirmed(job: StoredJob): Promise<void> {
    const { locker, clock, store, telemetry, logger, queue } = this.#options;
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      try {
        const outcome = await locker.heartbeat(job.jobId, { signal });
        if (outcome !== 'stale') return await queue(job);
        telemetry.leaseLost(job.jobId);
        return await store.supersede(job.jobId);
      } catch (error) {
        logger.log('debug', `cannot ask whether a lease still stands: ${String(error)}`, { job_id: job.jobId });
      }
      await clock.sleep(askAgainMs, signal).catch(() => undefined);
    }
  }
}
