/**
 * What the robot does with a job, from its claim to its end. A job is here queued or running in the
 * executor, in doubt (waiting for an answer, its lease kept), or gone. One place moves it: this one.
 *
 * Keeps I1 (a lost lease stops the run), I3 (stored before it starts), I5 (an end is written once),
 * I9 (stopping leaves every job ended, handed back, or resumable).
 */
import type {
  CancellationChecker,
  ClaimedJob,
  Clock,
  JobEnd,
  JobExecutor,
  JobLocker,
  JobSpec,
  RunEnd,
  RunJournal,
  RunObserver,
  RunOutcome,
  StopRequest,
  Workflow,
} from '@casare/execution';
import { DeskJob, type DeskJobOptions } from './desk-job.ts';
import { type StoredJob, storedForm } from './desk-ports.ts';
import { JobRecovery, leaseMarginMs } from './job-recovery.ts';
import { messageOf } from './message-of.ts';

export interface JobDeskOptions extends DeskJobOptions {
  readonly locker: JobLocker;
  readonly checker: CancellationChecker;
  readonly clock: Clock;
  /** Wait before a job that the store refused to record is tried again, in ms. Default 10,000. */
  readonly retryStoreMs?: number;
}

/** Taken-up jobs run before those that wait. */
const recoveredPriority = 1;

export class JobDesk {
  readonly #options: JobDeskOptions;
  readonly #recovery: JobRecovery;
  readonly #jobs = new Map<string, DeskJob>();
  #executor: JobExecutor | null = null;

  constructor(options: JobDeskOptions) {
    this.#options = options;
    this.#recovery = new JobRecovery({
      ...options,
      queue: (job) => this.#queue(job, recoveredPriority),
      waitInDoubt: (job) => void this.#track(job),
    });
  }

  /** The executor calls back into the desk, so it is handed over after both exist. */
  attach(executor: JobExecutor): void {
    this.#executor = executor;
  }

  get inDoubt(): readonly string[] {
    return [...this.#jobs.values()].filter(isInDoubt).map((job) => job.record.jobId);
  }

  /** Takes a claimed job: stored first, then queued. A claim that is already here is left alone. */
  async admit(claim: ClaimedJob): Promise<void> {
    if (this.#jobs.has(claim.jobId)) return;
    await this.#options.store.add(claim);
    this.#options.telemetry.received(claim);
    this.#options.logger.log('info', `claimed job "${claim.name}"`, { job_id: claim.jobId });
    await this.#queue(storedForm(claim), 0);
  }

  /** Takes up what an earlier process left unfinished; resolves with how many jobs that were. */
  recover(): Promise<number> {
    return this.#recovery.takeUpAll();
  }

  /** The journal of a job for the runner. */
  journalFor(job: JobSpec): RunJournal {
    return this.#job(job.jobId).journal;
  }

  observerFor(job: JobSpec, workflow: Workflow): RunObserver {
    return this.#job(job.jobId).observe(job, workflow.nodes.size);
  }

  /** Called by the executor for every job that left it. */
  async onJobComplete(end: JobEnd): Promise<void> {
    const job = this.#jobs.get(end.job.jobId);
    if (job === undefined) return;
    switch (end.kind) {
      case 'ran':
        return this.#ran(job, end.report.end);
      case 'never-started':
        return this.#neverStarted(job, end.request);
      case 'crashed':
        return this.#crashed(job, end.error);
    }
  }

  /** Stops `restart` jobs whose lease may be over before another robot can start them (I2). */
  async guardDeadlines(): Promise<void> {
    const marginMs = leaseMarginMs(this.#options.locker.lockTimeoutMs);
    for (const job of [...this.#jobs.values()]) {
      if (job.record.onLost !== 'restart') continue;
      const remaining = this.#options.locker.remainingMs(job.record.jobId);
      if (remaining !== null && remaining <= marginMs) await this.#lose(job, 'it could not be renewed in time');
    }
  }

  /** From now on, suspended jobs stay suspended. */
  stop(): void {
    this.#recovery.stop();
    for (const job of [...this.#jobs.values()].filter(isInDoubt)) this.#drop(job);
  }

  async #queue(record: StoredJob, priority: number): Promise<void> {
    const job = this.#track(record);
    const interruption = await job.interruption();
    if (interruption !== null) {
      return this.#endWithoutRun(job, { status: 'failed', error: interruption, ...noStatistics });
    }
    const { jobId, name, workflowJson, variables, inDoubtPolicy, timeoutMs } = record;
    const options = { name, variables, priority, inDoubtPolicy, timeoutMs };
    const outcome = await this.#executorOrThrow().submitJob(jobId, workflowJson, options);
    if (outcome.accepted) return;
    this.#options.logger.log('warning', `a job was not taken: ${outcome.reason}`, { job_id: jobId });
    this.#drop(job);
  }

  #track(record: StoredJob): DeskJob {
    const { jobId } = record;
    const job = new DeskJob(record, this.#options);
    this.#jobs.set(jobId, job);
    job.watch = this.#options.checker.start(jobId, {
      onCancelled: ({ reason, requestedBy }) => void this.#cancel(job, reason, requestedBy),
      onStale: () => void this.#lose(job, 'another claim holds the job'),
    });
    return job;
  }

  async #cancel(job: DeskJob, reason: string, requestedBy: string | null): Promise<void> {
    const { jobId } = job.record;
    this.#options.telemetry.cancelRequested(jobId, requestedBy, reason);
    if (await this.#executorOrThrow().cancelJob(jobId, { reason, requestedBy })) return;
    if (isInDoubt(job)) await this.#endWithoutRun(job, cancelled(reason, requestedBy));
  }

  async #lose(job: DeskJob, why: string): Promise<void> {
    const { jobId } = job.record;
    if (this.#jobs.get(jobId) !== job) return;
    const { store, telemetry, logger, locker } = this.#options;
    job.isLost = true;
    logger.log('warning', `the lease of a job is lost: ${why}`, { job_id: jobId });
    telemetry.leaseLost(jobId);
    locker.forget(jobId);
    await store.supersede(jobId);
    if (!(await this.#executorOrThrow().suspendJob(jobId, 'its lease is lost'))) this.#drop(job);
  }

  async #ran(job: DeskJob, end: RunEnd): Promise<void> {
    job.tellEnd(end);
    if (end.status === 'in_doubt') {
      job.waitInDoubt();
      // A cancel that came while the run was ending has been told to nobody else.
      const cancellation = job.watch?.cancellation ?? null;
      if (cancellation !== null) await this.#cancel(job, cancellation.reason, cancellation.requestedBy);
      return;
    }
    if (end.status === 'suspended' && end.cause === 'node-still-running') {
      // The lease is kept: nobody else may start the job while its node may still act (I9).
      this.#options.logger.log('critical', `a job cannot end before the robot restarts: ${end.reason}`, {
        job_id: job.record.jobId,
      });
      return;
    }
    this.#drop(job);
    if (end.status !== 'suspended') {
      this.#options.locker.forget(job.record.jobId);
    } else if (end.cause === 'journal' && !job.isLost && !this.#recovery.isStopped) {
      void this.#recovery.retryLater(job.record, end.reason);
    }
  }

  async #neverStarted(job: DeskJob, request: StopRequest): Promise<void> {
    const { jobId } = job.record;
    const { reason, requestedBy = null } = request;
    if (request.kind === 'cancel') return this.#endWithoutRun(job, cancelled(reason, requestedBy));
    if (!job.hasBegun && !job.isLost) {
      await job.durable.commit([], {
        outbox: [{ kind: 'release', payload: { reason }, keep: true }],
        status: { status: 'released', reason },
      });
      this.#options.telemetry.released(jobId, reason);
      this.#options.onOutbox();
    }
    this.#options.locker.forget(jobId);
    this.#drop(job);
  }

  async #crashed(job: DeskJob, error: unknown): Promise<void> {
    const message = messageOf(error);
    this.#options.logger.log('critical', `the robot failed to run a job: ${message}`, { job_id: job.record.jobId });
    await this.#endWithoutRun(job, {
      status: 'failed',
      error: { code: 'INTERNAL_ERROR', category: 'unknown', message, node_id: null },
      ...noStatistics,
    });
  }

  async #endWithoutRun(job: DeskJob, outcome: RunOutcome): Promise<void> {
    const { clock, locker, logger } = this.#options;
    const { jobId } = job.record;
    try {
      await job.journal.load();
    } catch (error) {
      logger.log('error', `the journal of a job cannot be read: ${messageOf(error)}`, { job_id: jobId });
    }
    try {
      await job.journal.commit([{ kind: 'outcome', outcome, at: clock.now() }]);
    } catch (error) {
      this.#drop(job);
      if (!this.#recovery.isStopped) void this.#recovery.retryLater(job.record, messageOf(error));
      return;
    }
    job.tellEnd(outcome);
    locker.forget(jobId);
    this.#drop(job);
  }

  #drop(job: DeskJob): void {
    job.close();
    this.#jobs.delete(job.record.jobId);
  }

  #job(jobId: string): DeskJob {
    const job = this.#jobs.get(jobId);
    if (job === undefined) throw new Error(`job ${jobId} is not on the desk`);
    return job;
  }

  #executorOrThrow(): JobExecutor {
    if (this.#executor === null) throw new Error('the desk has no executor yet');
    return this.#executor;
  }
}

const noStatistics = { duration_ms: 0, nodes_total: 0, nodes_executed: 0, nodes_skipped: 0 };

function isInDoubt(job: DeskJob): boolean {
  return job.record.state === 'in_doubt';
}

function cancelled(reason: string, requestedBy: string | null): RunOutcome {
  return { status: 'cancelled', reason, requested_by: requestedBy, ...noStatistics };
}
