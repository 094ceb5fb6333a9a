/**
 * Takes new jobs: says what the robot's next turn asks for, and takes what it brings. One claim is under way at a time,
 * from the moment it is asked for until its jobs are stored; its request id changes only then (I6). Storing waits for the
 * disk and the turns do not wait for it, so that a slow disk delays no lease.
 *
 * The places that are free when a claim is made are kept for it: a job that an operator answers meanwhile is taken up
 * when the claim is over, and waits for a place then if there is none. What must not start here is not taken: when the
 * limit is lowered or the robot is paused while a claim is under way, or a lost claim comes back to a robot that is full
 * by now, the job goes back to the server, at no cost of an attempt. What merely keeps the robot from asking for more (a
 * slow disk, little memory) takes nothing back.
 */
import type { ClaimedJob, JobLocker, Logger, TurnRequest } from '@casare/execution';
import type { ClaimRequestId } from './claim-request.ts';
import type { EndedClaims } from './ended-claims.ts';
import type { JobDesk } from './job-desk.ts';
import { messageOf } from './message-of.ts';

export interface JobIntakeOptions {
  readonly locker: Pick<JobLocker, 'claim' | 'release'>;
  readonly desk: Pick<JobDesk, 'admit' | 'freeSlots' | 'has'>;
  /** Asked about every claim that is not on the desk, before it is taken. */
  readonly ended: Pick<EndedClaims, 'settle'>;
  /** While true, nothing is claimed, and what a claim under way brings goes back. */
  readonly isPaused: () => boolean;
  /** While true, nothing is claimed; what a claim under way brings is taken, unless the store has no room for it. */
  readonly isHeld: () => boolean;
  readonly claimRequest: ClaimRequestId;
  /** Read anew for every claim. */
  readonly robot: () => { readonly capabilities: readonly string[]; readonly tags: readonly string[] };
  readonly onHandedBack?: (jobId: string, reason: string) => void;
  /** A job has failed, because no robot can take it as it is. */
  readonly onRefused?: (jobId: string, error: RefusedJobError) => void;
  /** A claim was wanted while another one was under way, which is over now. */
  readonly onFree?: () => void;
  /** What kept the jobs of a claim from being stored; null once that works again. */
  readonly onProblem?: (error: unknown) => void;
  readonly logger: Logger;
}

export interface RefusedJobError {
  readonly code: 'JOB_NOT_STORABLE';
  readonly category: 'permanent';
  readonly message: string;
}

/** What a turn asks for; exactly one of the two functions is called. */
export interface ClaimUnderWay {
  readonly request: NonNullable<TurnRequest['claim']>;
  /** Aborts when the robot takes no more jobs. */
  readonly signal: AbortSignal;
  /** Takes the jobs in the background. */
  claimed(jobs: readonly ClaimedJob[]): void;
  /** The request failed, or its answer got lost. */
  failed(): void;
}

/** Codes with which the local store refuses a claim for good. */
const refusedClaims: ReadonlySet<string> = new Set(['STALE_LEASE', 'JOB_FINAL', 'JOB_CONFLICT', 'STILL_ENDING']);
/** Codes with which it refuses what is in a job: it would do so after every claim. */
const refusedJobs: ReadonlySet<string> = new Set(['NOT_SERIALIZABLE', 'INVALID_ARGUMENT', 'VALUE_TOO_LARGE']);
/** The store has taken nothing of a claim, for want of room. */
const noRoom = 'STORE_FULL';
/** A job that its robot refused for what it is here is not offered again for this long, in ms. */
const refusedDelayMs = 5_000;

export class JobIntake {
  readonly #options: JobIntakeOptions;
  readonly #closed = new AbortController();
  #underWay: Promise<void> | null = null;
  #isWanted = false;
  /** Whether a claim may have been made under the current request id without our knowing. */
  #mayBeUsed = true;
  /** The same, of a request that this process has sent. */
  #isClaimUnknown = false;

  constructor(options: JobIntakeOptions) {
    this.#options = options;
  }

  /** Settles when the claim under way is over: until then, the free places are for what it brings. Null without one. */
  get underWay(): Promise<void> | null {
    return this.#underWay;
  }

  /** True once the robot takes no more jobs. */
  get isClosed(): boolean {
    return this.#closed.signal.aborted;
  }

  /** What the next turn should ask for; null without a free slot, while paused or held, or while a claim is under way. */
  begin(): ClaimUnderWay | null {
    if (this.isClosed) return null;
    const limit = this.#options.isHeld() ? 0 : this.#room;
    // A claim that was made without our knowing is looked after also by a robot that is full or paused.
    if (limit === 0 && !this.#mayBeUsed) return null;
    if (this.#underWay !== null) {
      this.#isWanted = true;
      return null;
    }
    return this.#begin(limit);
  }

  /** Takes no more jobs; resolves when the claim under way is over. */
  async close(): Promise<void> {
    this.#closed.abort();
    await this.#underWay;
  }

  /** Hands back what a claim that was cut short may have given to this robot. */
  async handBackLostClaim(signal: AbortSignal): Promise<void> {
    if (!this.#isClaimUnknown || this.#underWay !== null) return;
    const claim = this.#begin(0);
    try {
      claim.claimed(await this.#options.locker.claim(claim.request, { signal }));
    } catch (error) {
      claim.failed();
      throw error;
    }
    await this.#underWay;
  }

  /** To be called when nothing more is asked for: an id that may have claimed something is kept for the next start (I6). */
  async retire(): Promise<void> {
    if (!this.#mayBeUsed && !this.#isClaimUnknown && this.#underWay === null) await this.#options.claimRequest.retire();
  }

  /** How many jobs may start. */
  get #room(): number {
    return this.isClosed || this.#options.isPaused() ? 0 : this.#options.desk.freeSlots;
  }

  #begin(limit: number): ClaimUnderWay {
    const { claimRequest, robot, onProblem } = this.#options;
    const { tags, capabilities } = robot();
    const mayBeUsed = this.#mayBeUsed;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#underWay = promise;
    this.#mayBeUsed = true;
    this.#isClaimUnknown = true;
    const over = (): void => {
      this.#underWay = null;
      resolve();
      const isWanted = this.#isWanted;
      this.#isWanted = false;
      if (isWanted) this.#options.onFree?.();
    };
    return {
      request: { requestId: claimRequest.current, limit, tags, capabilities },
      signal: this.#closed.signal,
      claimed: (jobs) => {
        void this.#takeAll(jobs, mayBeUsed)
          .then(
            () => onProblem?.(null),
            (error: unknown) => onProblem?.(error),
          )
          .finally(over);
      },
      failed: over,
    };
  }

  async #takeAll(jobs: readonly ClaimedJob[], mayBeUsed: boolean): Promise<void> {
    for (const job of jobs) await this.#take(job);
    // A used id never claims again: if what it claimed is over by now, the answer is empty for ever.
    if (jobs.length > 0 || mayBeUsed) await this.#options.claimRequest.rotate();
    this.#mayBeUsed = false;
    this.#isClaimUnknown = false;
  }

  /**
   * A claim that the store refuses for what it is goes back, and a job that it refuses has failed; one that it cannot take
   * now is asked for again, until it is known that there will be no room: then nothing of it was written, and another
   * robot may have some.
   */
  async #take(job: ClaimedJob): Promise<void> {
    const { desk, ended } = this.#options;
    if (!desk.has(job)) {
      const verdict = await ended.settle(job);
      if (verdict.kind === 'settled') return;
      if (verdict.kind === 'hand-back') return this.#handBack(job, verdict.reason, refusedDelayMs);
    }
    // What was begun under the claim must not begin again somewhere else.
    const isBegun = job.known !== undefined && job.known.lastSeq + job.known.recorded > 0;
    if (this.#room === 0 && !desk.has(job) && !isBegun) return this.#handBack(job, 'its robot has no place for it', 0);
    try {
      await desk.admit(job);
    } catch (error) {
      const code = String((error as { code?: unknown }).code);
      if (refusedJobs.has(code)) return this.#refuse(job, messageOf(error));
      if (isBegun) throw error;
      if (refusedClaims.has(code)) return this.#handBack(job, messageOf(error), refusedDelayMs);
      if (code !== noRoom || !this.#options.isHeld()) throw error;
      await this.#handBack(job, messageOf(error), 0);
    }
  }

  /** It is not in the store, so nothing of it waits there: without an answer, the claim is asked for again. */
  async #refuse({ jobId }: ClaimedJob, reason: string): Promise<void> {
    const { locker, logger, onRefused } = this.#options;
    const message = `its robot cannot take the job as it is: ${reason}`;
    const error: RefusedJobError = { code: 'JOB_NOT_STORABLE', category: 'permanent', message };
    await locker.release(jobId, { status: 'failed', error: { ...error } });
    logger.log('error', `a claimed job has failed: ${message}`, { job_id: jobId });
    onRefused?.(jobId, error);
  }

  async #handBack({ jobId }: ClaimedJob, reason: string, delayMs: number): Promise<void> {
    const { locker, logger, onHandedBack } = this.#options;
    await locker.release(jobId, { reason, delayMs });
    logger.log('warning', `a claimed job was handed back: ${reason}`, { job_id: jobId });
    onHandedBack?.(jobId, reason);
  }
}
