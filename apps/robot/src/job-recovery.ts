/**
 * Takes up what was left unfinished: by an earlier process, or because the store could not record a step.
 * Needs no database, except for a `restart` job whose lease may have passed on: it waits until the server has said
 * that the lease stands (I2). Where the server can be asked, its first word is waited for: see `known-progress.ts`. A job
 * that cannot be taken up now is tried again, as often as it takes.
 */
import type { Clock, JobLocker, Logger } from '@casare/execution';
import type { JobStore, JobTelemetry, StoredJob } from './desk-ports.ts';
import { isLeaseEnding } from './lease-deadline.ts';
import { messageOf } from './message-of.ts';

export interface JobRecoveryOptions {
  readonly store: Pick<JobStore, 'unfinished'>;
  readonly locker: Pick<JobLocker, 'adopt' | 'remainingMs' | 'lockTimeoutMs'>;
  readonly telemetry: Pick<JobTelemetry, 'resumed'>;
  readonly logger: Logger;
  readonly clock: Clock;
  /** Wait before a job that the store refused to record is tried again, in ms. Default 10,000. */
  readonly retryStoreMs?: number;
  /** Called for each job, before any is taken up. */
  readonly onFound: (job: StoredJob) => void;
  /** Puts the job into the executor's queue. */
  readonly queue: (job: StoredJob) => Promise<void>;
  /** Keeps the lease of a job that waits for an answer. */
  readonly waitInDoubt: (job: StoredJob) => Promise<void>;
  /** Keeps a job from going on because part of its record is lost. */
  readonly loseRecord: (job: StoredJob, why: string) => Promise<void>;
  /** Puts the job into the queue once the server was heard about it, or cannot be asked. Absent: at once. */
  readonly waitForWord?: (job: StoredJob) => void;
  /** Puts the job into the queue once the server has confirmed its lease. */
  readonly waitForLease: (job: StoredJob) => void;
}

export class JobRecovery {
  readonly #options: JobRecoveryOptions;
  readonly #stopped = new AbortController();
  #room = new AbortController();

  constructor(options: JobRecoveryOptions) {
    this.#options = options;
  }

  get stopped(): AbortSignal {
    return this.#stopped.signal;
  }

  get isStopped(): boolean {
    return this.#stopped.signal.aborted;
  }

  /** @returns how many jobs were found */
  async takeUpAll(): Promise<number> {
    const { store, locker } = this.#options;
    const jobs = await store.unfinished();
    for (const job of jobs) {
      locker.adopt(job, job.leaseRemainingMs);
      this.#options.onFound(job);
    }
    for (const job of jobs) if (!(await this.#isTakenUp(job))) void this.#tryAgain(job);
    return jobs.length;
  }

  /** A job that the store could not record (a full disk, say) waits; false when the robot stops meanwhile. */
  async waitToRetry(jobId: string, reason: string): Promise<boolean> {
    const { clock, logger, retryStoreMs } = this.#options;
    logger.log('error', `a job is suspended and will be tried again: ${reason}`, { job_id: jobId });
    const soonest = AbortSignal.any([this.#stopped.signal, this.#room.signal]);
    await clock.sleep(retryStoreMs ?? 10_000, soonest).catch(() => undefined);
    return !this.isStopped;
  }

  /** What waits for the store is tried again now. */
  roomIsBack(): void {
    this.#room.abort();
    this.#room = new AbortController();
  }

  stop(): void {
    this.#stopped.abort();
  }

  async #tryAgain(job: StoredJob): Promise<void> {
    do if (!(await this.waitToRetry(job.jobId, 'it cannot be taken up now'))) return;
    while (!(await this.#isTakenUp(job)));
  }

  async #isTakenUp(job: StoredJob): Promise<boolean> {
    if (this.isStopped) return true;
    try {
      await this.#takeUp(job);
      return true;
    } catch (error) {
      this.#options.logger.log('error', `a job cannot be taken up: ${messageOf(error)}`, { job_id: job.jobId });
      return false;
    }
  }

  async #takeUp(job: StoredJob): Promise<void> {
    const { locker, telemetry, queue, waitInDoubt, waitForLease, waitForWord, loseRecord } = this.#options;
    telemetry.resumed(job);
    if (job.lostRecord !== null) await loseRecord(job, job.lostRecord);
    else if (job.state === 'in_doubt') await waitInDoubt(job);
    else if (isLeaseEnding(job, locker)) waitForLease(job);
    else if (waitForWord !== undefined) waitForWord(job);
    else await queue(job);
  }
}
