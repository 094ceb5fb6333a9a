/** A job as the store hands it out, and what is needed to put one in. */
import type { JsonObject, JsonValue } from '../json.ts';
import type { InDoubtNode, JobStatus } from './job-state.ts';

/** A lease as last confirmed: enough to judge after a restart whether it still stands (I2). */
export interface LeaseNote {
  /** Identifies the machine's boot: `sentAtMs` means nothing after another one. */
  readonly bootId: string;
  /** When the confirming request was sent, in ms on the clock of that boot. */
  readonly sentAtMs: number;
  readonly durationMs: number;
  /** The server has said that this claim of the job is over: its results may still be recorded, it is not resumed (I1). */
  readonly isLost?: boolean;
}

export type OnLost = 'hold' | 'restart';
export type InDoubtPolicy = 'retry' | 'skip' | 'fail' | 'ask';

export interface CacheJobOptions {
  readonly jobId: string;
  /** Kept verbatim. */
  readonly workflowJson: string;
  /** Status on the server when the job was fetched. Default `pending`. */
  readonly originalStatus?: string;
  /** Decimal digits; absent for a job without a lease. */
  readonly leaseToken?: string;
  readonly name?: string;
  /** Default none. */
  readonly variables?: object;
  readonly lease?: LeaseNote;
  /** Default `hold`. */
  readonly onLost?: OnLost;
  readonly inDoubtPolicy?: InDoubtPolicy | null;
  readonly timeoutMs?: number | null;
}

/**
 * `new`: not known before. `known`: the same claim was cached already, nothing changed.
 * `new-claim`: a newer token took the job over; what the old claim left unfinished is released.
 */
export type CacheOutcome = 'new' | 'known' | 'new-claim';

export interface JobRecord {
  readonly id: string;
  readonly leaseToken: string | null;
  readonly robotId: string;
  readonly name: string | null;
  readonly workflowJson: string;
  readonly variables: JsonObject;
  readonly originalStatus: string;
  readonly onLost: OnLost;
  readonly inDoubtPolicy: InDoubtPolicy | null;
  readonly timeoutMs: number | null;
  readonly lease: LeaseNote | null;
  readonly status: JobStatus;
  /** Nodes that wait for an answer; empty unless the status is `in_doubt`. */
  readonly inDoubt: readonly InDoubtNode[];
  /**
   * Why the job as a whole is in doubt: the store lost part of its record, so that it must not be resumed
   * from an earlier step. Null for every other job.
   */
  readonly inDoubtAsWhole: string | null;
  /** Null until the job has ended. */
  readonly result: JsonValue;
  readonly error: JsonValue;
  readonly cachedAtMs: number;
  readonly startedAtMs: number | null;
  readonly endedAtMs: number | null;
  readonly syncedAtMs: number | null;
  /** Number of journal entries. */
  readonly journalSeq: number;
  /** The highest number that an outbox entry of this claim was given. Of a job that runs, as of some moment before. */
  readonly outboxSeq: number;
}
