/** What becomes of a job when its lease ends, or may: a `restart` job stops in time (I2), a lost one for good (I1). */
import type { JobExecutor, JobLocker, Logger } from '@casare/execution';
import type { DeskJob } from './desk-job.ts';
import type { JobStore, JobTelemetry, StoredJob } from './desk-ports.ts';
import { isLeaseEnding, lastNodeLimitMs } from './lease-deadline.ts';
import { LeaseNotes, type LeaseNotesOptions } from './lease-notes.ts';
import { messageOf } from './message-of.ts';

export interface JobLeasesOptions extends LeaseNotesOptions {
  readonly store: Pick<JobStore, 'renewLease' | 'noteLost' | 'supersede'>;
  readonly locker: Pick<JobLocker, 'remainingMs' | 'lockTimeoutMs' | 'forget'>;
  readonly telemetry: Pick<JobTelemetry, 'leaseLost'>;
  readonly logger: Logger;
  readonly executor: () => Pick<JobExecutor, 'suspendJob' | 'has'>;
  readonly isHere: (job: DeskJob) => boolean;
  readonly drop: (job: DeskJob) => void;
  readonly onOutbox: () => void;
}

/** How long a node that is under way may still take once its job is lost: somebody else may be running it. */
const lostGraceMs = 10_000;

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

  /** A commit of the job was handed to the store. */
  committing(record: StoredJob): void {
    this.#notes.keepBesideCommit(record);
  }

  /** What is under way still has a moment to end, and its result is recorded: it is evidence. See `lostRunEnded`. */
  async lose(
    job: DeskJob,
    why = 'another claim holds the job, or it was ended or removed on the server',
  ): Promise<void> {
    const { store, telemetry, logger, locker, executor, isHere } = this.#options;
    if (!isHere(job) || job.isLost) return;
    const { jobId } = job.record;
    job.isLost = true;
    logger.log('warning', `the lease of a job is lost: ${why}`, { job_id: jobId });
    telemetry.leaseLost(jobId);
    locker.forget(jobId);
    const isRunning = await executor().suspendJob(jobId, 'its lease is lost', { withinMs: lostGraceMs });
    if (isRunning || executor().has(jobId)) await this.#note(job, store.noteLost(job.record));
    else await this.lostRunEnded(job);
  }

  /** Nothing of a lost job runs any more. */
  async lostRunEnded(job: DeskJob): Promise<void> {
    const { store, drop, onOutbox } = this.#options;
    await this.#note(job, job.tellCutOff());
    await this.#note(job, store.supersede(job.record.jobId));
    drop(job);
    onOutbox();
  }

  /** What cannot be noted now is so when the server is asked about the job again, after a restart. */
  async #note({ record: { jobId } }: DeskJob, noted: Promise<void>): Promise<void> {
    const { logger } = this.#options;
    await noted.catch((error: unknown) => {
      logger.log('error', `a lost job could not be noted as such: ${messageOf(error)}`, { job_id: jobId });
    });
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
