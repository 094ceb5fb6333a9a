/**
 * What the robot does with a job, from its claim to its end. A job is here `queued` or `running` in the
 * executor, `in doubt` (waiting for an answer, its lease kept), or gone. One place moves it: this one.
 *
 * Keeps I1 (a lost lease stops the run), I3 (stored before it starts), I5 (an end is written once),
 * I9 (stopping leaves every job ended, handed back, or resumable).
 */
import type {
  CancellationChecker,
  CancellationWatch,
  ClaimedJob,
  Clock,
  JobEnd,
  JobExecutor,
  JobLocker,
  JobProgress,
  JobSpec,
  JournalEntry,
  Logger,
  ProgressReporter,
  RunEnd,
  RunJournal,
  RunObserver,
  RunOutcome,
  StopRequest,
  Workflow,
} from '@casare/execution';
import { type DurableJob, jobJournal } from './job-journal.ts';
import { type JobAuditPort, type JobMetricsPort, runObserver } from './run-observer.ts';

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
  /** Ms since the lease was last confirmed, on a clock that counts suspend; null when that cannot be told. */
  readonly leaseAgeMs: number | null;
}

/** The durable side; the composition root fits the store to it. */
export interface JobStore {
  /** Resolves when the job survives a crash. Storing the same claim again changes nothing. */
  add(job: ClaimedJob): Promise<void>;
  unfinished(): Promise<readonly StoredJob[]>;
  open(jobId: string): DurableJob & { close(): void };
  /** The server gave the job to someone else: nothing more is run or recovered here. */
  supersede(jobId: string): Promise<void>;
}

export interface JobTelemetry {
  metricsFor(job: JobSpec, totalNodes: number): (JobMetricsPort & { end(end: RunEnd): void }) | null;
  auditFor(job: JobSpec): (JobAuditPort & { started(totalNodes: number): void; ended(end: RunEnd): void }) | null;
  received(job: ClaimedJob): void;
  resumed(job: StoredJob): void;
  leaseLost(jobId: string): void;
  released(jobId: string, reason: string): void;
  cancelRequested(jobId: string, requestedBy: string | null, reason: string): void;
  /** A job that ended without a run of its own here. */
  ended(jobId: string, end: RunEnd): void;
}

export interface JobDeskOptions {
  readonly store: JobStore;
  readonly locker: JobLocker;
  readonly checker: CancellationChecker;
  /** Null when progress reporting is off. */
  readonly reporter: ProgressReporter | null;
  readonly telemetry: JobTelemetry;
  readonly logger: Logger;
  readonly clock: Clock;
  /** Called when the outbox may have something new. */
  readonly onOutbox: () => void;
  /** Wait before a job that the store refused to record is tried again, in ms. Default 10,000. */
  readonly retryStoreMs?: number;
}

interface DeskJob {
  record: StoredJob;
  readonly durable: DurableJob & { close(): void };
  readonly journal: RunJournal;
  progress: JobProgress | null;
  watch: CancellationWatch | null;
  telemetryEnd: (end: RunEnd) => void;
  hasBegun: boolean;
}

export class JobDesk {
  readonly #options: JobDeskOptions;
  readonly #jobs = new Map<string, DeskJob>();
  readonly #stopping = new AbortController();
  #executor: JobExecutor | null = null;

  constructor(options: JobDeskOptions) {
    this.#options = options;
  }

  /** The executor calls back into the desk, so it is handed over after both exist. */
  attach(executor: JobExecutor): void {
    this.#executor = executor;
  }

  get inDoubt(): readonly string[] {
    return [...this.#jobs.values()].filter((job) => job.record.state === 'in_doubt').map((job) => job.record.jobId);
  }

  /** Takes a claimed job: stored first, then queued. A claim that is already here is left alone. */
  async admit(claim: ClaimedJob): Promise<void> {
    if (this.#jobs.has(claim.jobId)) return;
    await this.#options.store.add(claim);
    this.#options.telemetry.received(claim);
    await this.#queue(
      {
        jobId: claim.jobId,
        leaseToken: claim.leaseToken,
        name: claim.name,
        workflowJson: claim.workflow,
        variables: claim.variables,
        onLost: claim.onLost,
        inDoubtPolicy: claim.inDoubtPolicy,
        timeoutMs: claim.timeoutMs,
        state: 'cached',
        leaseAgeMs: 0,
      },
      0,
    );
  }

  /** Takes up what an earlier process left unfinished; needs no database. */
  async recover(): Promise<number> {
    const records = await this.#options.store.unfinished();
    for (const record of records) await this.#recoverOne(record);
    return records.length;
  }

  /** The journal of a job for the runner. */
  journalFor(job: JobSpec): RunJournal {
    return this.#job(job.jobId).journal;
  }

  observerFor(job: JobSpec, workflow: Workflow): RunObserver {
    const desk = this.#job(job.jobId);
    const { telemetry, logger } = this.#options;
    const total = workflow.nodes.size;
    const metrics = telemetry.metricsFor(job, total);
    const audit = telemetry.auditFor(job);
    desk.progress = this.#options.reporter?.startJob(desk.record, { totalNodes: total }) ?? null;
    desk.telemetryEnd = (end) => {
      metrics?.end(end);
      audit?.ended(end);
    };
    audit?.started(total);
    return runObserver({
      metrics,
      audit,
      progress: desk.progress,
      log: { log: (level, message, fields) => logger.log(asLevel(level), message, { ...fields, job_id: job.jobId }) },
    });
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
  async guardDeadlines(marginMs: number): Promise<void> {
    for (const job of this.#jobs.values()) {
      if (job.record.onLost !== 'restart') continue;
      const remaining = this.#options.locker.remainingMs(job.record.jobId);
      if (remaining === null || remaining > marginMs) continue;
      await this.#lose(job, 'its lease could not be renewed in time');
    }
  }

  /** From now on, suspended jobs stay suspended. */
  stop(): void {
    this.#stopping.abort();
    for (const job of [...this.#jobs.values()]) {
      if (job.record.state === 'in_doubt') this.#drop(job);
    }
  }

  async #recoverOne(record: StoredJob): Promise<void> {
    const { locker, telemetry } = this.#options;
    const leaseAgeMs = record.leaseAgeMs ?? locker.lockTimeoutMs;
    locker.adopt(record, leaseAgeMs);
    telemetry.resumed(record);
    if (record.state === 'in_doubt') {
      const job = this.#track(record);
      this.#watch(job);
      return;
    }
    if (record.onLost === 'restart' && leaseAgeMs >= locker.lockTimeoutMs) {
      void this.#resumeWhenConfirmed(record);
      return;
    }
    await this.#queue(record, 1);
  }

  /** A `restart` job whose lease may have passed on is resumed only after the server said it has not. */
  async #resumeWhenConfirmed(record: StoredJob): Promise<void> {
    const { locker, clock, store, telemetry, logger } = this.#options;
    while (!this.#stopping.signal.aborted) {
      try {
        const outcome = await locker.heartbeat(record.jobId, { signal: this.#stopping.signal });
        if (outcome !== 'stale') return await this.#queue(record, 1);
        telemetry.leaseLost(record.jobId);
        return await store.supersede(record.jobId);
      } catch (error) {
        logger.log('debug', 'cannot ask whether a lease still stands; asking again', {
          job_id: record.jobId,
          error: messageOf(error),
        });
      }
      await clock.sleep(1_000, this.#stopping.signal).catch(() => undefined);
    }
  }

  async #queue(record: StoredJob, priority: number): Promise<void> {
    const job = this.#track(record);
    this.#watch(job);
    const outcome = await this.#executorOrThrow().submitJob(record.jobId, record.workflowJson, {
      name: record.name,
      variables: record.variables,
      priority,
      inDoubtPolicy: record.inDoubtPolicy,
      timeoutMs: record.timeoutMs,
    });
    if (!outcome.accepted) {
      this.#options.logger.log('warning', `job was not taken: ${outcome.reason}`, { job_id: record.jobId });
      this.#drop(job);
    }
  }

  #track(record: StoredJob): DeskJob {
    const durable = this.#options.store.open(record.jobId);
    const job: DeskJob = {
      record,
      durable,
      journal: this.#journal(durable, () => this.#jobs.get(record.jobId)),
      progress: null,
      watch: null,
      telemetryEnd: this.#untracedEnd(record.jobId),
      hasBegun: record.state !== 'cached',
    };
    this.#jobs.set(record.jobId, job);
    return job;
  }

  /** For a job that ends while no run of it is being observed. */
  #untracedEnd(jobId: string): (end: RunEnd) => void {
    return (end) => this.#options.telemetry.ended(jobId, end);
  }

  #journal(durable: DurableJob, current: () => DeskJob | undefined): RunJournal {
    const journal = jobJournal(durable, (outcome: RunOutcome) => {
      const progress = current()?.progress ?? null;
      if (progress === null) return null;
      const { status, nodes_executed } = outcome;
      return progress.endJob(status === 'completed' ? { status, nodesCompleted: nodes_executed } : { status });
    });
    return {
      load: async () => {
        const entries = await journal.load();
        current()?.progress?.resumeFrom(entries.flatMap((entry) => (entry.kind === 'result' ? [entry.node_id] : [])));
        return entries;
      },
      commit: async (entries: readonly JournalEntry[]) => {
        await journal.commit(entries);
        const job = current();
        if (job !== undefined) job.hasBegun = true;
        this.#options.onOutbox();
      },
    };
  }

  #watch(job: DeskJob): void {
    const { jobId } = job.record;
    job.watch = this.#options.checker.start(jobId, {
      onCancelled: ({ reason, requestedBy }) => void this.#cancel(jobId, reason, requestedBy),
      onStale: () => void this.#lose(job, 'another claim holds the job'),
    });
  }

  async #cancel(jobId: string, reason: string, requestedBy: string | null): Promise<void> {
    const job = this.#jobs.get(jobId);
    if (job === undefined) return;
    this.#options.telemetry.cancelRequested(jobId, requestedBy, reason);
    if (await this.#executorOrThrow().cancelJob(jobId, { reason, requestedBy })) return;
    if (job.record.state === 'in_doubt') await this.#endWithoutRun(job, cancelled(reason, requestedBy));
  }

  async #lose(job: DeskJob, why: string): Promise<void> {
    if (this.#jobs.get(job.record.jobId) !== job) return;
    const { store, telemetry, logger, locker } = this.#options;
    logger.log('warning', `the lease of a job is lost: ${why}`, { job_id: job.record.jobId });
    telemetry.leaseLost(job.record.jobId);
    await store.supersede(job.record.jobId);
    locker.forget(job.record.jobId);
    if (!(await this.#executorOrThrow().suspendJob(job.record.jobId, 'lease lost'))) this.#drop(job);
  }

  async #ran(job: DeskJob, end: RunEnd): Promise<void> {
    const { jobId } = job.record;
    if (end.status === 'suspended') {
      job.telemetryEnd(end);
      this.#drop(job);
      if (end.reason !== 'lease lost' && !this.#stopping.signal.aborted) void this.#retryLater(job.record, end.reason);
      return;
    }
    if (end.status === 'in_doubt') {
      job.telemetryEnd(end);
      job.progress?.detach();
      job.record = { ...job.record, state: 'in_doubt' };
      job.progress = null;
      job.telemetryEnd = this.#untracedEnd(jobId);
      this.#options.onOutbox();
      return;
    }
    job.telemetryEnd(end);
    this.#options.locker.forget(jobId);
    this.#drop(job);
    this.#options.onOutbox();
  }

  /** The store could not record a step (a full disk, say): the job waits and is taken up again. */
  async #retryLater(record: StoredJob, reason: string): Promise<void> {
    const { clock, logger, retryStoreMs } = this.#options;
    logger.log('error', `a job is suspended and will be tried again: ${reason}`, { job_id: record.jobId });
    try {
      await clock.sleep(retryStoreMs ?? 10_000, this.#stopping.signal);
      await this.#queue({ ...record, state: 'in_progress' }, 1);
    } catch (error) {
      if (!this.#stopping.signal.aborted) throw error;
    }
  }

  async #neverStarted(job: DeskJob, request: StopRequest): Promise<void> {
    if (request.kind === 'cancel') {
      await this.#endWithoutRun(job, cancelled(request.reason, request.requestedBy ?? null));
      return;
    }
    if (!job.hasBegun && request.reason !== 'lease lost') {
      await job.durable.commit([], {
        outbox: [{ kind: 'release', payload: { reason: request.reason } }],
        status: { status: 'released', reason: request.reason },
      });
      this.#options.telemetry.released(job.record.jobId, request.reason);
      this.#options.onOutbox();
    }
    this.#options.locker.forget(job.record.jobId);
    this.#drop(job);
  }

  async #crashed(job: DeskJob, error: unknown): Promise<void> {
    this.#options.logger.log('critical', `the robot failed to run a job: ${messageOf(error)}`, {
      job_id: job.record.jobId,
    });
    await this.#endWithoutRun(job, {
      status: 'failed',
      error: { code: 'INTERNAL_ERROR', category: 'unknown', message: messageOf(error), node_id: null },
      ...noStatistics,
    });
  }

  async #endWithoutRun(job: DeskJob, outcome: RunOutcome): Promise<void> {
    await job.journal.load();
    await job.journal.commit([{ kind: 'outcome', outcome, at: this.#options.clock.now() }]);
    job.telemetryEnd(outcome);
    this.#options.locker.forget(job.record.jobId);
    this.#drop(job);
  }

  #drop(job: DeskJob): void {
    job.watch?.stop();
    job.progress?.detach();
    job.durable.close();
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

function cancelled(reason: string, requestedBy: string | null): RunOutcome {
  return { status: 'cancelled', reason, requested_by: requestedBy, ...noStatistics };
}

function asLevel(level: string): 'debug' | 'info' | 'warning' | 'error' | 'critical' {
  return level === 'debug' || level === 'warning' || level === 'error' || level === 'critical' ? level : 'info';
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
