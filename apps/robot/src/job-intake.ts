/**
 * Takes new jobs: registers the robot after every connect, then claims as many jobs as there are free
 * slots. One claim is under way at a time; its request id changes only after its jobs are stored (I6).
 */
import type { ClaimedJob, JobExecutor, JobGateway, JobLocker, Logger, RobotRegistration } from '@casare/execution';
import type { ClaimRequestId } from './claim-request.ts';
import type { JobDesk } from './job-desk.ts';

export interface JobIntakeOptions {
  readonly connection: { readonly isConnected: boolean };
  readonly gateway: Pick<JobGateway, 'schemaVersion' | 'registerRobot'>;
  readonly executor: Pick<JobExecutor, 'freeSlots'>;
  readonly locker: Pick<JobLocker, 'claim' | 'release'>;
  readonly desk: Pick<JobDesk, 'admit'>;
  readonly claimRequest: ClaimRequestId;
  readonly robot: RobotRegistration;
  readonly logger: Logger;
}

const requiredSchemaVersion = 1;
/** Codes with which the local store refuses a claim for good. */
const refusedClaims: ReadonlySet<string> = new Set([
  'STALE_LEASE',
  'JOB_CONFLICT',
  'NOT_SERIALIZABLE',
  'INVALID_ARGUMENT',
]);

export class JobIntake {
  readonly #options: JobIntakeOptions;
  #registered = false;
  /** Whether a claim may have been made under the current request id without our knowing. */
  #mayBeUsed = true;

  constructor(options: JobIntakeOptions) {
    this.#options = options;
  }

  get isRegistered(): boolean {
    return this.#registered;
  }

  /** After a connect: the server may be another one, or have forgotten the robot. */
  registerAgain(): void {
    this.#registered = false;
  }

  /** One look for jobs. Does nothing while disconnected or without a free slot. */
  async turn(signal: AbortSignal): Promise<void> {
    const { connection, executor, locker, claimRequest, robot } = this.#options;
    if (!connection.isConnected) return;
    if (!this.#registered) await this.#register(signal);
    const limit = executor.freeSlots;
    if (limit === 0) return;
    const { tags, capabilities } = robot;
    const mayBeUsed = this.#mayBeUsed;
    this.#mayBeUsed = true;
    const jobs = await locker.claim({ requestId: claimRequest.current, limit, tags, capabilities }, { signal });
    for (const job of jobs) await this.#admit(job);
    // A used id never claims again: if what it claimed is over by now, the answer is empty for ever.
    if (jobs.length > 0 || mayBeUsed) await claimRequest.rotate();
    this.#mayBeUsed = false;
  }

  async #register(signal: AbortSignal): Promise<void> {
    const { gateway, robot } = this.#options;
    const version = await gateway.schemaVersion({ signal });
    if (version < requiredSchemaVersion) {
      throw new Error(
        `the database has schema version ${version}, this robot needs ${requiredSchemaVersion}: apply migrations/`,
      );
    }
    await gateway.registerRobot(robot, { signal });
    this.#registered = true;
  }

  /** A claim that the store refuses for what it is goes back; one that it cannot take now is asked for again. */
  async #admit(job: ClaimedJob): Promise<void> {
    const { desk, locker, logger } = this.#options;
    try {
      await desk.admit(job);
    } catch (error) {
      if (!refusedClaims.has(String((error as { code?: unknown }).code))) throw error;
      logger.log('error', `a claimed job was handed back: ${String(error)}`, { job_id: job.jobId });
      await locker.release(job.jobId, { reason: String(error) });
    }
  }
}
