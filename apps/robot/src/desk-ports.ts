/** What the desk needs from outside: a durable store of jobs, and listeners. */
import type { ClaimedJob, ClaimProgress, DoubtAnswer, JobSpec, Lease, RunEnd } from '@casare/execution';
import type { NamedQuestion } from './doubt-text.ts';
import type { DurableJob } from './job-journal.ts';
import type { Behind } from './known-progress.ts';
import type { JobAuditPort, JobMetricsPort } from './run-observer.ts';

/** A job as the local store keeps it. */
export interface StoredJob {
  readonly jobId: string;
  readonly leaseToken: string;
  readonly name: string;
  readonly workflowJson: string;
  readonly variables: ClaimedJob['variables'];
  readonly onLost: 'hold' | 'restart';
  readonly inDoubtPolicy: JobSpec['inDoubtPolicy'];
  readonly timeoutMs: number | null;
  /** `cached`: stored, not started. */
  readonly state: 'cached' | 'in_progress' | 'in_doubt';
  /** Why the store cannot vouch for the job's record, so that it must not go on from it; null when it can. */
  readonly lostRecord: string | null;
  /** Ms that the lease is known to stand, on a clock that counts suspend; 0 when that cannot be told. */
  readonly leaseRemainingMs: number;
  /** How far its record here has come. Absent: nobody knows. */
  readonly own?: ClaimProgress;
}

/** A job that waits for an operator's answer. */
export interface JobInDoubt {
  readonly jobId: string;
  readonly name: string;
  /** Null where part of its record is lost. */
  readonly percent: number | null;
  readonly nodesCompleted: number;
  readonly nodesTotal: number;
  readonly questions: readonly NamedQuestion[];
}

/** The durable side; the composition root fits the store to it. */
export interface JobStore {
  /**
   * Resolves when the job survives a crash. Storing the same claim again changes nothing.
   *
   * @param leaseRemainingMs how long the lease stands from now on, on a clock that counts suspend
   */
  add(job: ClaimedJob, leaseRemainingMs: number): Promise<void>;
  /** Notes how long the lease stands from now on, for the time after a restart. */
  renewLease(lease: Lease, remainingMs: number): Promise<void>;
  /** Notes that the job is somebody else's: what is under way may be recorded, nothing is resumed after a restart (I1). */
  noteLost(lease: Lease): Promise<void>;
  /** How far the record of an unfinished claim has come; null when it is over, or not here. */
  progressOf(lease: Lease): Promise<ClaimProgress | null>;
  /** Notes that steps are missing here of which the server knows: it is in doubt as a whole from now on, and its events are numbered on behind. */
  loseSteps(lease: Lease, behind: Behind): Promise<void>;
  unfinished(): Promise<readonly StoredJob[]>;
  /** Claims that have ended, and whose end waits to be sent: the newest of each job. */
  untold(): Promise<readonly (Lease & Pick<StoredJob, 'leaseRemainingMs'>)[]>;
  open(jobId: string): DurableJob & { close(): void };
  /** The server gave the job to someone else: nothing more is run or recorded here. */
  supersede(jobId: string): Promise<void>;
}

export interface RunStart {
  readonly totalNodes: number;
  /** How long the job waited on this robot for a free slot; null when not known. */
  readonly queueWaitMs: number | null;
}

export interface JobRunAudit extends JobAuditPort {
  started(totalNodes: number): void;
  /** @param step the one that the run goes on with; null when not known */
  resumed(totalNodes: number, step: number | null): void;
  ended(end: RunEnd): void;
}

export interface JobTelemetry {
  metricsFor(job: JobSpec, start: RunStart): (JobMetricsPort & { end(end: RunEnd): void }) | null;
  auditFor(job: JobSpec): JobRunAudit | null;
  received(job: ClaimedJob): void;
  resumed(job: StoredJob): void;
  leaseLost(jobId: string): void;
  released(jobId: string, reason: string): void;
  /** @param requestedFrom where the wish came from, if it did not come from the server */
  cancelRequested(jobId: string, requestedBy: string | null, reason: string, requestedFrom?: string | null): void;
  /** The job goes on by an operator's answer to a question about it. */
  answered(jobId: string, answer: DoubtAnswer, nodeType: string | null): void;
  /** A job that ended without a run of its own here. */
  ended(job: Pick<StoredJob, 'jobId' | 'name'>, end: RunEnd): void;
  /** The server knows more of a job than the local store has of it. */
  stepsLost(jobId: string, why: string): void;
}

/** A job from its claim, in the form that the store gives back after a restart. */
export function storedForm(claim: ClaimedJob): StoredJob {
  const { jobId, leaseToken, name, workflow, variables, onLost, inDoubtPolicy, timeoutMs } = claim;
  return {
    jobId,
    leaseToken,
    name,
    workflowJson: workflow,
    variables,
    onLost,
    inDoubtPolicy,
    timeoutMs,
    state: 'cached',
    lostRecord: null,
    leaseRemainingMs: claim.leaseMs,
    own: { lastSeq: 0, recorded: 0 },
  };
}
