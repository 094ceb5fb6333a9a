/**
 * Notes in the store, now and then, that the leases of `restart` jobs were renewed: so a robot that is restarted knows
 * without the server that they stand (I2). The others need no server to go on.
 *
 * A note that goes out beside a commit of its job shares that one's transaction, and costs no flush of its own; only a job
 * that commits nothing for long, as within a node that waits, has notes written for their own sake.
 */
import type { JobLocker, Logger } from '@casare/execution';
import type { JobStore, StoredJob } from './desk-ports.ts';
import { messageOf } from './message-of.ts';

export interface LeaseNotesOptions {
  readonly store: Pick<JobStore, 'renewLease'>;
  readonly locker: Pick<JobLocker, 'remainingMs' | 'lockTimeoutMs'>;
  readonly logger: Logger;
  readonly clock: { monotonic(): number };
}

interface Note {
  readonly leaseToken: string;
  readonly at: number;
  /** The disk has not taken it yet. */
  isUnderWay: boolean;
}

export class LeaseNotes {
  readonly #options: LeaseNotesOptions;
  readonly #notes = new Map<string, Note>();

  constructor(options: LeaseNotesOptions) {
    this.#options = options;
  }

  /** To be called every second or so for a job that runs; does not wait for the disk. */
  keep(job: StoredJob): void {
    this.#note(job, this.#options.locker.lockTimeoutMs / 5);
  }

  /** To be called right after a commit of the job was handed to the store; does not wait for the disk. */
  keepBesideCommit(job: StoredJob): void {
    this.#note(job, this.#options.locker.lockTimeoutMs / 10);
  }

  #note({ jobId, leaseToken, onLost }: StoredJob, maxAgeMs: number): void {
    const { store, locker, logger, clock } = this.#options;
    const remainingMs = locker.remainingMs(jobId);
    if (onLost !== 'restart' || remainingMs === null) return;
    const now = clock.monotonic();
    const note = this.#notes.get(jobId);
    if (note?.leaseToken !== leaseToken) {
      // What the claim said was stored with the job.
      this.#notes.set(jobId, { leaseToken, at: now, isUnderWay: false });
      return;
    }
    if (note.isUnderWay || now - note.at < maxAgeMs) return;
    const newer: Note = { leaseToken, at: now, isUnderWay: true };
    this.#notes.set(jobId, newer);
    store
      .renewLease({ jobId, leaseToken }, remainingMs)
      .catch((error: unknown) => {
        logger.log('debug', `the lease of a job could not be noted: ${messageOf(error)}`, { job_id: jobId });
      })
      .finally(() => {
        newer.isUnderWay = false;
      });
  }

  forget(jobId: string): void {
    this.#notes.delete(jobId);
  }
}
