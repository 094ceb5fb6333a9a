/**
 * Notes in the store, now and then, that the leases of `restart` jobs were renewed: so a robot that is restarted knows
 * without the server that they stand (I2). The others need no server to go on.
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
  keep({ jobId, leaseToken, onLost }: StoredJob): void {
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
    if (note.isUnderWay || now - note.at < locker.lockTimeoutMs / 10) return;
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
