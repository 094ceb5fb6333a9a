/** What becomes of a job when its lease ends, or may: a `restart` job stops in time (I2), a lost one for good (I1). */
import type { JobExecutor, JobLocker, Logger } from '@casare/execution';
import type { DeskJob } from './desk-job.ts';
import type { JobStore, JobTelemetry, StoredJob } from './desk-ports.ts';
import { isLeaseEnding, lastNodeLimitMs } from './lease-deadline.ts';
import { LeaseNotes, type LeaseNotesOptions } from './lease-notes.ts';
import { messageOf } from './message-of.ts';

export interface JobLeasesOptions extends LeaseNotesOptions {
  readonly store: Pick<JobStore, 'renewLease' | 'supersede'>;
  readonly locker: Pick<JobLocker, 'remainingMs' | 'lockTimeoutMs' | 'forget'>;
  readonly telemetry: Pick<JobTelemetry, 'leaseLost'>;
  readonly logger: Logger;
  readonly executor: () => Pick<JobExecutor, 'suspendJob' | 'has'>;
  readonly isHere: (job: DeskJob) => boolean;
  readonly drop: (job: DeskJob) => void;
}

export class JobLeases {
  readonly #options: JobLeasesOptions;
  readonly #notes: LeaseNotes;

  constructor(options: JobLeasesOptions) {
    this.#options = options;
    this.#notes = new LeaseNotes(options);
  }

  isEnding(record: Pick<StoredJob, 'jobId' | 'onLost'>): boolean {
    return isLeaseEnding(record, this.#options.locker);
  }

  /** Stops those that another robot may soon start; to be called every `guardIntervalMs`. */
  async guard(jobs: readonly DeskJob[]): Promise<void> {
    for (const job of jobs) {
      if (job.isInDoubt || job.waitsFor !== null || job.isLost) continue;
      this.#notes.keep(job.record);
      if (this.isEnding(job.record)) await this.#stopBeforeDeadline(job);
    }
  }

  async lose(job: DeskJob, why: string): Promise<void> {
    const { store, telemetry, logger, locker, executor, isHere, drop } = this.#options;
    if (!isHere(job) || job.isLost) return;
    const { jobId } = job.record;
    job.isLost = true;
    logger.log('warning', `the lease of a job is lost: ${why}`, { job_id: jobId });
    telemetry.leaseLost(jobId);
    locker.forget(jobId);
    const isRunning = await executor().suspendJob(jobId, 'its lease is lost');
    await store.supersede(jobId).catch((error: unknown) => {
      // It is superseded when the server is asked about it again, after a restart.
      logger.log('error', `a lost job could not be noted as such: ${messageOf(error)}`, { job_id: jobId });
    });
    if (!isRunning && !executor().has(jobId)) drop(job);
  }

  forget(jobId: string): void {
    this.#notes.forget(jobId);
  }

  /** The lease is kept, and may yet be confirmed: then the job goes on where it was. */
  async #stopBeforeDeadline(job: DeskJob): Promise<void> {
    const { logger, locker, executor } = this.#options;
    const { jobId } = job.record;
    const reason = 'its lease could not be renewed in time';
    if (!job.isLeaseEnding) logger.log('warning', `a job stops: ${reason}`, { job_id: jobId });
    job.isLeaseEnding = true;
    await executor().suspendJob(jobId, reason, { withinMs: lastNodeLimitMs(jobId, locker) });
  }
}
