/**
 * Takes new jobs: registers the robot after every connect, then claims as many jobs as there are free
 * slots. One claim is under way at a time; its request id changes only after its jobs are stored (I6).
 *
 * What cannot start at once is not taken: when the limit is lowered or the robot is paused while a claim is under
 * way, or a lost claim comes back to a robot that is full by now, the job goes back to the server, at no cost of an
 * attempt.
 */
import type { ClaimedJob, JobGateway, JobLocker, Logger, RobotRegistration } from '@casare/execution';
import type { ClaimRequestId } from './claim-request.ts';
import type { JobDesk } from './job-desk.ts';
import { messageOf } from './message-of.ts';

export interface JobIntakeOptions {
  readonly connection: { readonly isConnected: boolean };
  readonly gateway: Pick<JobGateway, 'schemaVersion' | 'registerRobot'>;
  readonly locker: Pick<JobLocker, 'claim' | 'release'>;
  readonly desk: Pick<JobDesk, 'admit' | 'freeSlots' | 'has'>;
  /** While true, nothing is claimed. */
  readonly isPaused: () => boolean;
  readonly claimRequest: ClaimRequestId;
  /** Read anew for every registration. */
  readonly robot: () => RobotRegistration;
  /** The server knows this robot now. */
  readonly onRegistered?: () => void;
  readonly onHandedBack?: (jobId: string, reason: string) => void;
  readonly logger: Logger;
}

const requiredSchemaVersion = 2;
/** Codes with which the local store refuses a claim for good. */
const refusedClaims: ReadonlySet<string> = new Set([
  'STALE_LEASE',
  'JOB_CONFLICT',
  'NOT_SERIALIZABLE',
  'INVALID_ARGUMENT',
  'STILL_ENDING',
]);
/** A job that its robot refused for what it is here is not offered again for this long, in ms. */
const refusedDelayMs = 5_000;

export class JobIntake {
  readonly #options: JobIntakeOptions;
  #registered = false;
  /** Whether a claim may have been made under the current request id without our knowing. */
  #mayBeUsed = true;
  /** The same, of a request that this process has sent. */
  #isClaimUnknown = false;

  constructor(options: JobIntakeOptions) {
    this.#options = options;
  }

  get isRegistered(): boolean {
    return this.#registered;
  }

  /** After a connect: the server may be another one, or have forgotten the robot. Also when the limit has changed. */
  registerAgain(): void {
    this.#registered = false;
  }

  /** One look for jobs. Does nothing while disconnected, or without a free slot. */
  async turn(signal: AbortSignal): Promise<void> {
    if (!this.#options.connection.isConnected) return;
    if (!this.#registered) await this.#register(signal);
    const limit = this.#room;
    // A claim that was made without our knowing is looked after also by a robot that is full or paused.
    if (limit > 0 || this.#mayBeUsed) await this.#claim(limit, signal);
  }

  /** Hands back what a claim that was cut short may have given to this robot. */
  async handBackLostClaim(signal: AbortSignal): Promise<void> {
    if (!this.#options.connection.isConnected || !this.#registered || !this.#isClaimUnknown) return;
    await this.#claim(0, signal);
  }

  get #room(): number {
    return this.#options.isPaused() ? 0 : this.#options.desk.freeSlots;
  }

  async #claim(limit: number, signal: AbortSignal): Promise<void> {
    const { locker, claimRequest, robot } = this.#options;
    const { tags, capabilities } = robot();
    const mayBeUsed = this.#mayBeUsed;
    this.#mayBeUsed = true;
    this.#isClaimUnknown = true;
    const jobs = await locker.claim({ requestId: claimRequest.current, limit, tags, capabilities }, { signal });
    for (const job of jobs) await this.#take(job);
    // A used id never claims again: if what it claimed is over by now, the answer is empty for ever.
    if (jobs.length > 0 || mayBeUsed) await claimRequest.rotate();
    this.#mayBeUsed = false;
    this.#isClaimUnknown = false;
  }

  async #register(signal: AbortSignal): Promise<void> {
    const { gateway, robot } = this.#options;
    const version = await gateway.schemaVersion({ signal });
    if (version < requiredSchemaVersion) {
      throw new Error(
        `the database has schema version ${version}, this robot needs ${requiredSchemaVersion}: apply migrations/`,
      );
    }
    this.#registered = true;
    try {
      await gateway.registerRobot(robot(), { signal });
    } catch (error) {
      this.#registered = false;
      throw error;
    }
    this.#options.onRegistered?.();
  }

  /** A claim that the store refuses for what it is goes back; one that it cannot take now is asked for again. */
  async #take(job: ClaimedJob): Promise<void> {
    const { desk } = this.#options;
    if (this.#room === 0 && !desk.has(job)) return this.#handBack(job, 'its robot has no place for it', 0);
    try {
      await desk.admit(job);
    } catch (error) {
      if (!refusedClaims.has(String((error as { code?: unknown }).code))) throw error;
      await this.#handBack(job, messageOf(error), refusedDelayMs);
    }
  }

  async #handBack({ jobId }: ClaimedJob, reason: string, delayMs: number): Promise<void> {
    const { locker, logger, onHandedBack } = this.#options;
    await locker.release(jobId, { reason, delayMs });
    logger.log('warning', `a claimed job was handed back: ${reason}`, { job_id: jobId });
    onHandedBack?.(jobId, reason);
  }
}
