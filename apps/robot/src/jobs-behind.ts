/**
 * Jobs of which steps are missing here: the server knows more of them than the store, see `known-progress.ts`. Such a job
 * stops, and is in doubt as a whole (I3). Jobs of an earlier process wait for the server's first word about them.
 */
import type { ClaimedJob, ClaimProgress, JobExecutor, Lease, RunOutcome } from '@casare/execution';
import type { DeskJob } from './desk-job.ts';
import type { JobStore, JobTelemetry, StoredJob } from './desk-ports.ts';
import type { Distrust } from './instance/instance-file.ts';
import { KnownProgress, type KnownProgressOptions } from './known-progress.ts';
import { messageOf } from './message-of.ts';
import { cancelled } from './run-outcomes.ts';

export interface JobsBehindOptions extends KnownProgressOptions {
  readonly store: Pick<JobStore, 'progressOf' | 'loseSteps'>;
  readonly telemetry: Pick<JobTelemetry, 'stepsLost'>;
  readonly executor: () => Pick<JobExecutor, 'suspendJob' | 'has'>;
  readonly isHere: (job: DeskJob) => boolean;
  readonly onOutbox: () => void;
  /** The job waits here no longer. */
  readonly goOn: (job: DeskJob) => Promise<void>;
  readonly loseLease: (job: DeskJob, why: string) => Promise<void>;
  /** Puts the job in doubt as a whole; the store knows why. */
  readonly loseRecord: (job: DeskJob, why: string) => Promise<void>;
  readonly endWithoutRun: (job: DeskJob, outcome: RunOutcome) => Promise<void>;
  readonly tryAgainLater: (job: DeskJob, reason: string) => void;
}

/** How long a node that is under way may still take once steps of its job are found missing, in ms. */
const stoppingGraceMs = 10_000;

export class JobsBehind {
  readonly #options: JobsBehindOptions;
  readonly #known: KnownProgress;
  /** Jobs that are just being put in doubt for what is missing. */
  readonly #losing = new WeakSet<DeskJob>();

  constructor(options: JobsBehindOptions) {
    this.#options = options;
    this.#known = new KnownProgress(options);
  }

  /** Whether the server can be asked, so that jobs of an earlier process wait for it. */
  get isAsked(): boolean {
    return this.#known.isAsked;
  }

  /** Whether the server was heard about every job of an earlier process whose lease is `onDesk`. */
  isServerHeard(onDesk: (lease: Lease) => boolean): boolean {
    return this.#known.isComplete(onDesk);
  }

  /** A job of an earlier process was found. */
  found(record: StoredJob): void {
    this.#known.takenUp(record);
  }

  /** See `JobDesk.distrust`. */
  distrust(distrust: Distrust): void {
    this.#known.distrust(distrust);
  }

  /** Whether more of a claim was done than the store has; also where the job is in doubt for that already. */
  isClaimBehind(lease: Lease): boolean {
    return this.#known.behindOf(lease) !== null;
  }

  /** Whether the job has to be put in doubt yet, because steps of it are missing. */
  isBehind({ record }: DeskJob): boolean {
    return record.lostRecord === null && this.isClaimBehind(record);
  }

  /** How a claim stands that was made before. `over`: it has ended here. Null: it is new, or nothing of it is missing. */
  async standingOf(claim: ClaimedJob): Promise<'over' | 'behind' | null> {
    if (claim.known === undefined) return null;
    const own = await this.#options.store.progressOf(claim);
    if (own === null) return 'over';
    return this.#known.isClaimBehind(claim, own) ? 'behind' : null;
  }

  /** The job goes on once the server was heard about it, or cannot be asked. */
  async waitForWord(job: DeskJob, signal: AbortSignal): Promise<void> {
    await this.#known.firstWord(job.record, signal).catch(() => undefined);
    await this.#options.goOn(job);
  }

  /** The server's first word about a job of an earlier process. */
  async heard(job: DeskJob, known: ClaimProgress | 'ended' | null): Promise<void> {
    const verdict = this.#known.hear(job.record, known);
    if (verdict === 'ended') {
      const why =
        'it has ended on the server, and this store does not know: it is an older copy, from a backup or a snapshot';
      await this.#options.loseLease(job, why);
    } else if (verdict === 'behind') await this.#fallBehind(job);
    this.#options.onOutbox();
  }

  /** The server has other events under the numbers of this job's. */
  async contradicted(job: DeskJob): Promise<void> {
    if (!this.isBehind(job)) this.#known.contradicted(job.record);
    await this.#fallBehind(job);
  }

  /** Nothing of it runs: it is in doubt as a whole. */
  async loseSteps(job: DeskJob): Promise<void> {
    const { store, telemetry, isHere, loseRecord, endWithoutRun, tryAgainLater } = this.#options;
    const { record } = job;
    const behind = this.#known.behindOf(record);
    if (behind === null || !this.isBehind(job) || !isHere(job) || this.#losing.has(job)) return;
    this.#losing.add(job);
    job.waitsFor = null;
    try {
      await store.loseSteps(record, behind);
    } catch (error) {
      return tryAgainLater(job, messageOf(error));
    }
    telemetry.stepsLost(record.jobId, behind.why);
    await loseRecord(job, behind.why);
    const cancellation = job.watch?.cancellation ?? null;
    if (cancellation !== null && isHere(job)) await endWithoutRun(job, cancelled(cancellation));
  }

  /** A job of which steps are missing here stops; then see `loseSteps`. */
  async #fallBehind(job: DeskJob): Promise<void> {
    const { jobId } = job.record;
    const executor = this.#options.executor();
    const isStopping = await executor.suspendJob(jobId, 'steps of it are missing here', { withinMs: stoppingGraceMs });
    if (!isStopping && !executor.has(jobId)) await this.loseSteps(job);
  }
}
