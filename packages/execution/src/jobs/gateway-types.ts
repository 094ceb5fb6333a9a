/** What the gateway takes and answers. Names are camelCase; the database's own are snake_case. */
import type { DoubtAnswer } from '../engine/doubt.ts';
import type { InDoubtPolicy } from '../engine/run-options.ts';
import type { JsonObject } from '../json.ts';
import type { LogLevel } from '../ports.ts';

/** The right to write about one job: the token is drawn anew for every claim and never reused. */
export interface Lease {
  readonly jobId: string;
  readonly leaseToken: string;
}

/** How far a claim has come: the highest number of its events, and how many entries its robot's journal has. */
export interface ClaimProgress {
  readonly lastSeq: number;
  readonly recorded: number;
}

/** A lease to renew, with how many entries its robot's journal of the job has; absent: it does not say. */
export interface RenewedLease extends Lease {
  readonly recorded?: number;
}

/** `stale`: another token holds the job, or it ended under one. `cancelled`: still yours, but asked to stop. */
export type LeaseOutcome = 'ok' | 'stale' | 'cancelled';

export interface LeaseAnswer extends Lease {
  readonly outcome: LeaseOutcome;
  readonly cancelReason: string | null;
  readonly cancelRequestedBy: string | null;
  /** Answers to the job's questions, the newest last. They are repeated until the questions are gone. */
  readonly answers: readonly DoubtAnswer[];
  /**
   * How far the claim had come before this request, as the server knows it; `ended` when the job has ended under it.
   * Absent: the database does not say.
   */
  readonly known?: ClaimProgress | 'ended';
}

export interface ClaimedJob extends Lease {
  readonly name: string;
  /** The workflow file's text, as it was submitted. */
  readonly workflow: string;
  readonly variables: JsonObject;
  readonly attempt: number;
  readonly maxAttempts: number;
  readonly timeoutMs: number | null;
  readonly onLost: 'hold' | 'restart';
  readonly inDoubtPolicy: InDoubtPolicy | null;
  readonly leaseMs: number;
  /** True when the cancel came before the claim was heard of; the reason comes with the next heartbeat. */
  readonly cancelRequested: boolean;
  /** More than zeros when this very claim was made before, by a request of the same id. Absent: the database does not say. */
  readonly known?: ClaimProgress;
}

export interface JobEvent {
  readonly seq: number;
  readonly kind: string;
  readonly node_id: string | null;
  /** The robot's wall clock, ISO 8601. */
  readonly at: string;
  readonly payload: JsonObject;
}

export interface RobotRegistration {
  readonly robotId: string;
  readonly name: string;
  readonly capabilities: readonly string[];
  readonly tags: readonly string[];
  readonly maxConcurrentJobs: number;
  readonly version: string;
  readonly bootId: string;
}

/** What a starting robot says of itself to become the robot's instance. */
export interface InstanceClaim {
  readonly robotId: string;
  /** New for every start (UUID); every request names it, in the header `x-casare-instance`. */
  readonly instance: string;
  /** Instances of its home that may have been the robot's before. */
  readonly previous: readonly string[];
  /** Which machine, and which boot of it. */
  readonly machine: string;
  readonly boot: string;
  /** Where it is, for people. */
  readonly host: string;
  /** For how long that boot has lasted, in ms. */
  readonly upMs: number;
  /** How often it will be heard of at least, in ms. */
  readonly presenceMs: number;
  /** After how long a silence another one may take its place, in ms. */
  readonly silentMs: number;
}

/**
 * `restart`: the former instance has ended. `left`: it made way, or an operator said that it is gone. `silence`: it was not
 * heard of for long, and may yet work somewhere. Not taken: it works, and was heard of `silentMs` ago; its place is free
 * after `waitMs` more of silence.
 */
export type InstanceAnswer =
  | {
      readonly isTaken: true;
      readonly after: 'first' | 'same' | 'left' | 'restart' | 'silence';
      /** Where the former one was; null when there was none. */
      readonly host: string | null;
    }
  | { readonly isTaken: false; readonly host: string; readonly silentMs: number; readonly waitMs: number };

export interface ClaimRequest {
  readonly robotId: string;
  /** Repeating a request id returns the same claims instead of new ones (I6). */
  readonly requestId: string;
  readonly limit: number;
  readonly lockTimeoutMs: number;
  readonly capabilities: readonly string[];
  readonly tags: readonly string[];
}

export interface EnqueueRequest {
  /** The workflow file's text. */
  readonly workflow: string;
  readonly variables?: JsonObject;
  /** Default: the workflow's own name. */
  readonly name?: string;
  /** Higher runs first. Default 0. */
  readonly priority?: number;
  readonly inDoubtPolicy?: InDoubtPolicy;
  readonly onLost?: 'hold' | 'restart';
  readonly timeoutMs?: number;
  readonly maxAttempts?: number;
  readonly dedupKey?: string;
}

/**
 * `answered`: its robot is told with the next heartbeat. `restarted`: pending again, under a new claim. `failed`: it has
 * ended. `not-waiting`: nothing is asked about it, or about this node. `not-offered`: the question cannot be answered
 * so. `already`: it has another answer, which stands (schema 9; before, the newest one counts). `ambiguous`: several questions
 * are meant. `final`: it had ended before.
 */
export type ResolveAnswer =
  | 'answered'
  | 'restarted'
  | 'failed'
  | 'not-waiting'
  | 'not-offered'
  | 'already'
  | 'ambiguous'
  | 'final'
  | 'unknown';

/** `duplicate`: another job that has not ended carries its dedup key. */
export type RedriveAnswer = 'redriven' | 'not-failed' | 'duplicate' | 'unknown';

export type CancelAnswer = 'cancelled' | 'requested' | 'final' | 'unknown';

/** A robot's regular request: everything in it happens, or nothing. */
export interface TurnRequest {
  readonly robotId: string;
  readonly leases: readonly RenewedLease[];
  readonly lockTimeoutMs: number;
  /** Null: not told this time. */
  readonly presence: Presence | null;
  /** Null: nothing is claimed. */
  readonly claim: Omit<ClaimRequest, 'robotId' | 'lockTimeoutMs'> | null;
}

export interface Presence {
  /** `idle`, `busy`, `paused`, ... as people see it. */
  readonly status: string;
  readonly metrics: JsonObject | null;
}

export interface TurnAnswer {
  readonly leases: readonly LeaseAnswer[];
  readonly claims: readonly ClaimedJob[];
  /** How many robots the database has heard of lately, this one included; null when presence was not told. */
  readonly fleetSize: number | null;
}

/** A line that a job logged. */
export interface JobLogLine {
  /** When, by the robot's clock, in ISO 8601. */
  readonly at: string | null;
  readonly level: LogLevel;
  readonly nodeId: string | null;
  readonly message: string;
}

/** Lines that follow each other, under one lease. */
export interface LogBatch extends Lease {
  /** The number of the first one; without lines: the number that the next one will have. */
  readonly firstSeq: number;
  readonly lines: readonly (JobLogLine & { readonly at: string })[];
}

export interface JobLogPosition {
  readonly leaseToken: string;
  readonly seq: number;
}

export interface JobLogPage {
  /** By lease, then number; a number that is missing is a line that is missing. */
  readonly lines: readonly (JobLogLine & JobLogPosition)[];
  /** Every lease there was on the job, oldest first. */
  readonly leases: readonly {
    readonly leaseToken: string;
    readonly attempt: number;
    readonly robotName: string | null;
    /** All numbers below it have been given out. */
    readonly nextSeq: number;
    /** How many lines the database has removed again. */
    readonly dropped: number;
  }[];
  readonly hasMore: boolean;
}

export interface GatewayCallOptions {
  readonly signal?: AbortSignal;
  /** Deadline of the whole call, in ms. Default: the connection's own. */
  readonly timeoutMs?: number;
}
