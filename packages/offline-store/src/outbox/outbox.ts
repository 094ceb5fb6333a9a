/** The outbox as its drain sees it: what must reach the server, in order, each entry until it did (I6). */
import type { JsonValue, Storable } from '../json.ts';

/** Something to tell the server, written in the transaction of the step it tells about. */
export interface OutboxDraft {
  readonly kind: string;
  readonly payload: Storable;
  /**
   * True: never dropped to keep the outbox within its limit. Default false; whatever is committed together
   * with the end of a job is kept in any case.
   */
  readonly keep?: boolean;
}

export interface OutboxEntry {
  readonly id: number;
  readonly jobId: string;
  readonly leaseToken: string | null;
  /** 1, 2, 3... per job and lease token, without gaps when written: the key of idempotent sending. */
  readonly seq: number;
  readonly kind: string;
  readonly payload: JsonValue;
  readonly recordedAtMs: number;
  /** Permanent answers so far. */
  readonly attempts: number;
}

/** An entry that was given up; kept until `cleanup` removes it by age. */
export interface DeadLetter extends OutboxEntry {
  readonly reason: string;
  readonly deadAtMs: number;
  /** True when the record fails its checksum; its payload is then null. */
  readonly damaged: boolean;
}

export interface FailOptions {
  /** True when the server refused the entry itself; only such answers count against it. Default false. */
  readonly permanent?: boolean;
  /** `peek` leaves out this job's entries for so long, so that other jobs' come first. Default 0. */
  readonly retryAfterMs?: number;
}

/** `kept`: still in the outbox. `dead`: given up and moved to the dead letters. `unknown`: no such entry. */
export type FailOutcome = 'kept' | 'dead' | 'unknown';

export interface OutboxStats {
  readonly pending: number;
  readonly oldestRecordedAtMs: number | null;
  readonly deadLetters: number;
  /** Totals since the store was made. */
  readonly acknowledged: number;
  readonly dropped: number;
  readonly dead: number;
}

export interface Outbox {
  /** The oldest entries, oldest first; each job's in the order of their `seq`. Default limit 100. */
  peek(limit?: number): Promise<OutboxEntry[]>;
  /** Removes entries that have arrived. Repeating it is harmless. Resolves with the number removed. */
  ack(ids: readonly number[]): Promise<number>;
  /** Records that an entry could not be delivered. */
  fail(id: number, reason: string, options?: FailOptions): Promise<FailOutcome>;
  /** The newest first. Default limit 100. */
  deadLetters(limit?: number): Promise<DeadLetter[]>;
  stats(): Promise<OutboxStats>;
}

/** Bounds of the outbox (I7). */
export interface OutboxLimits {
  /** Above it the oldest entries that may be dropped are dropped, and counted. Default 100,000. */
  readonly maxEntries: number;
  /** An entry is given up after so many permanent answers. Default 5. */
  readonly maxPermanentFailures: number;
}
