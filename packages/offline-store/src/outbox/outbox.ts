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

/** What is known of an entry without what it says. */
export type OutboxHead = Omit<OutboxEntry, 'payload'>;

export interface WaitingOptions {
  /** Only entries behind this one. Default 0: from the first. */
  readonly afterId?: number;
  /** Default 1,000. */
  readonly limit?: number;
}

/**
 * `dead`: given up after too many permanent answers. `superseded`: the server kept it as evidence only, since
 * another claim held the job, or it was ended or removed. `damaged`: the record fails its checksum; its payload is null.
 */
export type Disposition = 'dead' | 'superseded' | 'damaged';

/** An entry that left the outbox without having counted; kept until `cleanup` removes it by age. */
export interface DeadLetter extends OutboxEntry {
  readonly disposition: Disposition;
  readonly reason: string;
  readonly deadAtMs: number;
}

export interface DeadLettersOptions {
  /** Default 100. */
  readonly limit?: number;
  /** Default `['dead', 'damaged']`. */
  readonly dispositions?: readonly Disposition[];
}

export interface FailOptions {
  /** True when the server refused the entry itself; only such answers count against it. Default false. */
  readonly permanent?: boolean;
  /** With `permanent`: no other answer will come, so the entry is given up at once. Default false. */
  readonly final?: boolean;
  /** `peek` leaves out this job's entries for so long, so that other jobs' come first. Default 0. */
  readonly retryAfterMs?: number;
}

/** `kept`: still in the outbox. `dead`: given up and moved to the dead letters. `unknown`: no such entry. */
export type FailOutcome = 'kept' | 'dead' | 'unknown';

export interface OutboxStats {
  readonly pending: number;
  readonly oldestRecordedAtMs: number | null;
  /** Dead and damaged ones; superseded results are not among them. */
  readonly deadLetters: number;
  /** Totals since the store was made. */
  readonly acknowledged: number;
  /** Removed from the outbox because it was longer than `maxEntries`. */
  readonly dropped: number;
  /** Not written in the first place because the store was almost full. */
  readonly refused: number;
  readonly dead: number;
  readonly superseded: number;
}

export interface Outbox {
  /** The oldest entries, oldest first; each job's in the order of their `seq`. Default limit 100. */
  peek(limit?: number): Promise<OutboxEntry[]>;
  /**
   * The entries of one kind, oldest first, without their payloads: what waits of a kind, however much waits besides. Those of
   * claims that `fail` holds back are among them, damaged ones are not.
   */
  waiting(kind: string, options?: WaitingOptions): Promise<OutboxHead[]>;
  /** Removes entries that have arrived. Repeating it is harmless. Resolves with the number removed. */
  ack(ids: readonly number[]): Promise<number>;
  /** Records that an entry could not be delivered. */
  fail(id: number, reason: string, options?: FailOptions): Promise<FailOutcome>;
  /**
   * Takes entries out of the outbox that the server has kept as superseded evidence: they are listed among
   * the dead letters as such. Resolves with the number moved.
   */
  supersede(ids: readonly number[], reason: string): Promise<number>;
  /** The newest first. */
  deadLetters(options?: DeadLettersOptions): Promise<DeadLetter[]>;
  /**
   * Puts dead letters back into the outbox, behind what waits, with no attempt counted and the same `seq`.
   * Damaged ones and those whose job has been cleaned away stay. Resolves with the number put back.
   */
  requeue(ids: readonly number[]): Promise<number>;
  /** Removes dead letters for good. Resolves with the number removed. */
  discard(ids: readonly number[]): Promise<number>;
  stats(): Promise<OutboxStats>;
}

/** Bounds of the outbox (I7). */
export interface OutboxLimits {
  /** Above it the oldest entries that may be dropped are dropped, and counted. Default 100,000. */
  readonly maxEntries: number;
  /** An entry is given up after so many permanent answers. Default 5. */
  readonly maxPermanentFailures: number;
}
