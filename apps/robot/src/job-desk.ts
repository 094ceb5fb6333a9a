/**
 * What the robot does with a job, from its claim to its end. A job is here queued or running in the
 * executor, in doubt (waiting for an answer, its lease kept), waiting (for the server to confirm its
 * lease, or for the store to take its steps again), or gone. One place moves it: this one.
 *
 * Keeps I1 (a lost lease stops the run), I3 (stored before it starts), I5 (an end is written once),
 * I9 (stopping leaves every job ended, handed back, or resumable).
 */
import type {
  Cancellation,
  CancellationChecker,
  ClaimedJob,
  DoubtAnswer,
  DoubtQuestion,
  InDoubtPolicy,
  JobEnd,
  JobExecutor,
  JobLocker,
  JobSpec,
  Lease,
  ProgressShape,
  RunEnd,
  RunError,
  RunJournal,
  RunObserver,
  RunOutcome,
  SubmitOutcome,
} from '@casare/execution';
import { DeskJob, type DeskJobOptions } from './desk-job.ts';
import { type JobInDoubt, type StoredJob, storedForm } from './desk-ports.ts';
import { DeskTable } from './desk-table.ts';
import { type HeldJob, heldJobs } from './held-jobs.ts';
import type { Distrust } from './instance/instance-file.ts';
import { JobDoubts } from './job-doubts.ts';
import { JobEndings } from './job-endings.ts';
import { JobLeases } from './job-leases.ts';
import { JobRecovery } from './job-recovery.ts';
import { JobsBehind } from './jobs-behind.ts';
import { KeptLeases } from './kept-leases.ts';
import type { KnownProgressOptions } from './known-progress.ts';
import { mayActForMs, mayBeginForMs } from './lease-deadline.ts';
import { isRecordLost } from './lost-record.ts';
import { messageOf } from './message-of.ts';
import { cancelled, noStatistics } from './run-outcomes.ts';

export interface JobDeskOptions
  extends Omit<DeskJobOptions, 'onOver' | 'isLeaseEnding' | 'onCommitting'>,
    Pick<KnownProgressOptions, 'withoutServer'> {
  readonly locker: JobLocker;
  readonly checker: CancellationChecker;
  /** For jobs without a policy of their own; see `JobDoubts`. */
  readonly inDoubtPolicy: InDoubtPolicy;
  /** Wait before a job that the store refused to record is tried again, in ms. Default 10,000. */
  readonly retryStoreMs?: number;
  /** Settles when the claim that has asked for the free places is over; null while none is under way. */
  readonly claimUnderWay: () => Promise<void> | null;
}

/** A job was claimed anew while an earlier run of it is still ending here. */
export class StillEndingError extends Error {
  readonly code = 'STILL_ENDING';
}

/** Taken-up jobs run before those that wait. */
const recoveredPriority = 1;

export class JobDesk {
  readonly #options: JobDeskOptions;
  readonly #recovery: JobRecovery;
  readonly #doubts: JobDoubts;
  readonly #endings: JobEndings;
  readonly #leases: JobLeases;
  readonly #table = new DeskTable();
  readonly #behind: JobsBehind;
  readonly #kept: KeptLeases;
  #executor: JobExecutor | null = null;

  constructor(options: JobDeskOptions) {
    this.#options = options;
    this.#kept = new KeptLeases(options);
    const drop = (job: DeskJob): void => this.#drop(job);
    const isHere = (job: DeskJob): boolean => this.#table.isHere(job);
    const executor = (): JobExecutor => this.#executorOrThrow();
    this.#leases = new JobLeases({ ...options, executor, isHere, drop });
    const tryAgainLater = (job: DeskJob, reason: string): void => this.#tryAgainLater(job, reason);
    const leave = (job: DeskJob): void => this.#leave(job);
    this.#endings = new JobEndings({ ...options, untold: this.#table.untold, leave, tryAgainLater });
    const endWithoutRun = (job: DeskJob, outcome: RunOutcome): Promise<void> =>
      this.#endings.endWithoutRun(job, outcome);
    this.#doubts = new JobDoubts({
      ...options,
      tryAgainLater,
      endWithoutRun,
      isIdle: (job) => isHere(job) && !executor().has(job.record.jobId),
      takeUp: (job, answers) => this.#takeUp(job, answers),
    });
    this.#behind = new JobsBehind({
      ...options,
      executor,
      isHere,
      endWithoutRun,
      tryAgainLater,
      goOn: (job) => this.#goOn(job, 'lease'),
      loseLease: (job, why) => this.#leases.lose(job, why),
      loseRecord: (job, why) => this.#doubts.loseRecord(job, why, { isNoted: true }),
    });
    this.#recovery = new JobRecovery({
      ...options,
      queue: (record) => this.#submit(this.#track(record), recoveredPriority),
      waitInDoubt: (record) => this.#doubts.takenUp(this.#track(record)),
      loseRecord: (record, why) => this.#doubts.loseRecord(this.#track(record), why),
      waitForLease: (record) => void this.#track(record, 'lease'),
      onFound: (record) => this.#behind.found(record),
      ...(this.#behind.isAsked ? { waitForWord: (record) => this.#waitForWord(record) } : {}),
    });
  }

  /** The executor calls back into the desk, so it is handed over after both exist. */
  attach(executor: JobExecutor): void {
    this.#executor = executor;
  }

  get inDoubt(): readonly string[] {
    return this.#table.inDoubt.map(({ record }) => record.jobId);
  }

  /** The same jobs, with how far they are and what is asked. */
  get waiting(): readonly JobInDoubt[] {
    return this.#table.inDoubt.map(({ record, progress, namedQuestions: questions }) => {
      const { percent, nodes_completed: nodesCompleted, nodes_total: nodesTotal } = progress.snapshot();
      const isKnown = nodesTotal > 0;
      const { jobId, name } = record;
      return { jobId, name, percent: isKnown ? percent : null, nodesCompleted, nodesTotal, questions };
    });
  }

  /** The lease of a job that waits for an answer; null when there is no such job here. */
  leaseInDoubt(jobId: string): Lease | null {
    const job = this.#table.inDoubt.find(({ record }) => record.jobId === jobId);
    return job === undefined || job.isLost ? null : { jobId, leaseToken: job.record.leaseToken };
  }

  /** Whether a job is here, waiting or not, and under a lease. */
  holds(jobId: string): boolean {
    return this.#table.find(jobId)?.isLost === false;
  }

  /** Jobs whose run is over while a node of theirs may still act: only a restart of the robot ends them. */
  get unending(): readonly string[] {
    return this.#table.all.filter((job) => job.cannotEnd).map((job) => job.record.jobId);
  }

  /** Jobs that cannot go on, and why. */
  get held(): readonly HeldJob[] {
    return heldJobs(this.#table.all);
  }

  /** How many more jobs could start at once. */
  get freeSlots(): number {
    const executor = this.#executorOrThrow();
    return Math.max(0, executor.freeSlots - this.#table.placesBesides((jobId) => !executor.has(jobId)));
  }

  /** Whether the server was heard about what an earlier process left: before that, nothing may be sent about it. */
  get isServerHeard(): boolean {
    return this.#behind.isServerHeard(({ jobId, leaseToken }) => {
      const job = this.#table.find(jobId);
      // That a lease is lost is the server's word, too; such a job may stay for long.
      return job?.record.leaseToken === leaseToken && !job.isLost;
    });
  }

  /** Somebody else may be working on what an earlier process left: none of it goes on without an operator's answer. */
  distrust(distrust: Distrust): void {
    this.#behind.distrust(distrust);
  }

  /** How many entries the journal of a job here has; null when nobody knows. */
  recordedOf({ jobId, leaseToken }: Lease): number | null {
    const job = this.#table.find(jobId);
    return job?.record.leaseToken === leaseToken ? job.recorded : null;
  }

  /** The server has other events under the numbers of this job's: it must not go on. */
  contradicted(lease: Lease): void {
    const job = this.#table.find(lease.jobId);
    if (job?.record.leaseToken !== lease.leaseToken || job.record.lostRecord !== null) return;
    this.#inBackground(job, this.#behind.contradicted(job));
  }

  /** The server has been told of a job's end, or refuses to hear of it. */
  toldServer({ jobId, leaseToken }: Lease): void {
    this.#table.untold.delete(jobId);
    this.#kept.letGo({ jobId, leaseToken });
  }

  /** Whether this very claim is here. */
  has(claim: ClaimedJob): boolean {
    return this.#table.hasClaim(claim);
  }

  /** How far a job is; null when it is not here. */
  progressOf(jobId: string): ReturnType<DeskJob['progress']['snapshot']> | null {
    return this.#table.find(jobId)?.progress.snapshot() ?? null;
  }

  /**
   * Takes a claimed job: stored first, then queued. A claim that is already here is left alone.
   *
   * @throws StillEndingError when an earlier run of the job has not ended here yet; what the store throws
   */
  async admit(claim: ClaimedJob): Promise<void> {
    if (this.has(claim)) return;
    if (this.#table.find(claim.jobId) !== undefined)
      throw new StillEndingError('an earlier run of the job is still ending on this robot');
    const { store, checker, locker, telemetry, logger } = this.#options;
    const { jobId, leaseToken } = claim;
    // The lease is renewed from now on, however long the disk takes.
    const watch = checker.start(jobId, {}, { leaseToken });
    try {
      await store.add(claim, locker.remainingMs(jobId) ?? claim.leaseMs);
    } catch (error) {
      watch.stop();
      throw error;
    }
    telemetry.received(claim);
    logger.log('info', `claimed job "${claim.name}"`, { job_id: jobId });
    const job = this.#track(storedForm(claim));
    if (watch.isStale) return this.#leases.lose(job);
    const standing = await this.#behind.standingOf(claim);
    if (standing === 'over') {
      // Its end is on its way.
      locker.forget(jobId);
      return this.#drop(job);
    }
    if (standing === 'behind') return this.#behind.loseSteps(job);
    if (claim.cancelRequested) await this.#options.checker.checkNow();
    await this.#submit(job, 0);
  }

  /** Takes up what an earlier process left unfinished; resolves with how many jobs that were. */
  async recover(): Promise<number> {
    const unfinished = await this.#recovery.takeUpAll();
    for (const jobId of await this.#kept.takeUp()) this.#table.untold.add(jobId);
    return unfinished;
  }

  /** What is asked about a job now; null when nobody here can tell. */
  async questionsOf({ jobId, leaseToken }: Lease): Promise<readonly DoubtQuestion[] | null> {
    const job = this.#table.find(jobId);
    return job?.record.leaseToken === leaseToken ? job.questions().catch(() => null) : null;
  }

  /** The journal of a job for the runner, which asks for it before it loads the workflow. */
  journalFor({ jobId }: JobSpec): RunJournal {
    const job = this.#table.get(jobId);
    job.progress.reportStage('loading_workflow');
    return job.journal;
  }

  observerFor(job: JobSpec, shape: ProgressShape): RunObserver {
    return this.#table.get(job.jobId).observe(job, shape);
  }

  /** For how long a job may still act, in ms; null: as long as it takes. */
  mayActForMs({ jobId }: JobSpec): number | null {
    const job = this.#table.find(jobId);
    return job === undefined ? null : mayActForMs(job.record, this.#options.locker);
  }

  /** For how long a node of a job may still begin, in ms; null: no matter when. */
  mayBeginForMs({ jobId }: JobSpec): number | null {
    const job = this.#table.find(jobId);
    return job === undefined ? null : mayBeginForMs(job.record, this.#options.locker);
  }

  /** Called by the executor for every job that gets a slot. */
  onJobStart({ jobId }: JobSpec): void {
    this.#table.find(jobId)?.progress.reportStage('starting');
  }

  /** Called by the executor for every job that left it. */
  async onJobComplete(end: JobEnd): Promise<void> {
    const job = this.#table.find(end.job.jobId);
    if (job === undefined) return;
    switch (end.kind) {
      case 'ran':
        return this.#ran(job, end.report.end);
      case 'never-started':
        if (job.isLost) return this.#leases.lostRunEnded(job);
        if (this.#behind.isBehind(job)) return this.#behind.loseSteps(job);
        if (job.isLeaseEnding && end.request.kind === 'suspend') return this.#waitForLease(job);
        return this.#endings.neverStarted(job, end.request);
      case 'crashed':
        return this.#endings.crashed(job, end.error);
    }
  }

  /** Stops `restart` jobs before another robot can start them (I2); to be called every `guardIntervalMs`. */
  guardDeadlines(): Promise<void> {
    return this.#leases.guard(this.#table.all);
  }

  /** Cancels a job of this robot at the wish of a person here. Resolves with whether there is such a job. */
  async cancel(jobId: string, cancellation: Cancellation, requestedFrom: string | null = null): Promise<boolean> {
    const job = this.#table.find(jobId);
    if (job === undefined) return false;
    await this.#cancelRequested(job, cancellation, requestedFrom);
    return true;
  }

  /** The store takes steps again. */
  roomIsBack(): void {
    this.#recovery.roomIsBack();
  }

  /** From now on, suspended jobs stay suspended. */
  stop(): void {
    this.#recovery.stop();
    for (const job of this.#table.all) if (job.isInDoubt || job.waitsFor !== null) this.#drop(job);
  }

  #track(record: StoredJob, waitsFor: DeskJob['waitsFor'] = null): DeskJob {
    const { jobId, leaseToken } = record;
    const { untold } = this.#table;
    const onOver = (isOver: boolean): void => void (isOver ? untold.add(jobId) : untold.delete(jobId));
    const isLeaseEnding = (): boolean => this.#leases.isEnding(record) || this.#behind.isClaimBehind(record);
    const onCommitting = (): void => this.#leases.committing(record);
    const job = new DeskJob(record, { ...this.#options, onOver, isLeaseEnding, onCommitting });
    job.waitsFor = waitsFor;
    this.#table.put(job);
    job.watch = this.#options.checker.start(
      jobId,
      {
        onCancelled: (cancellation) => this.#inBackground(job, this.#cancelRequested(job, cancellation)),
        onStale: () => this.#inBackground(job, this.#leases.lose(job)),
        onKnown: (known) => this.#inBackground(job, this.#behind.heard(job, known)),
        onConfirmed: () => this.#inBackground(job, this.#goOn(job, 'lease')),
        onAnswers: (answers) => {
          if (!this.#behind.isBehind(job)) this.#inBackground(job, this.#doubts.heard(job, answers));
        },
      },
      { leaseToken },
    );
    return job;
  }

  async #submit(job: DeskJob, priority: number): Promise<void> {
    const { jobId, name, workflowJson, variables, inDoubtPolicy, timeoutMs } = job.record;
    let interruption: RunError | null;
    try {
      interruption = await job.interruption();
    } catch (error) {
      if (!this.#table.isHere(job)) return;
      if (isRecordLost(error)) return this.#doubts.loseRecord(job, messageOf(error));
      return this.#tryAgainLater(job, messageOf(error));
    }
    if (!this.#table.isHere(job)) return;
    if (this.#behind.isBehind(job)) return this.#behind.loseSteps(job);
    if (this.#leases.isEnding(job.record)) return this.#waitForLease(job);
    if (interruption !== null) {
      return this.#endings.endWithoutRun(job, { status: 'failed', error: interruption, ...noStatistics });
    }
    const cancellation = job.watch?.cancellation ?? null;
    if (cancellation !== null && !job.hasBegun) return this.#endings.endWithoutRun(job, cancelled(cancellation));
    const { answers } = job;
    const options = { name, variables, priority, inDoubtPolicy, timeoutMs, answers };
    const outcome = await this.#executorOrThrow().submitJob(jobId, workflowJson, options);
    if (!outcome.accepted) return this.#refused(job, outcome.reason);
    // A run that had begun stops as one that runs: its finally bodies have their say.
    if (cancellation !== null) await this.#executorOrThrow().cancelJob(jobId, cancellation);
  }

  /** Nothing is lost by a refusal: a job that has not begun goes back to the server, another one waits here. */
  async #refused(job: DeskJob, reason: Extract<SubmitOutcome, { accepted: false }>['reason']): Promise<void> {
    this.#options.logger.log('warning', `a job was not taken: ${reason}`, { job_id: job.record.jobId });
    if (!job.hasBegun)
      return this.#endings.neverStarted(job, { kind: 'suspend', reason: `its robot has no place: ${reason}` });
    if (reason === 'not-running') this.#drop(job);
    else this.#tryAgainLater(job, reason);
  }

  /** What the job waited for has come. */
  async #goOn(job: DeskJob, cause: 'lease' | 'store'): Promise<void> {
    if (!this.#table.isHere(job) || job.isLost || job.waitsFor !== cause) return;
    // What the server knows has come first.
    if (cause === 'lease' && this.#behind.isBehind(job)) return;
    job.waitsFor = null;
    await this.#submit(job, recoveredPriority);
  }

  /** What was in doubt goes on by the answers. */
  async #takeUp(job: DeskJob, answers: readonly DoubtAnswer[]): Promise<void> {
    const { jobId } = job.record;
    for (const given of answers) {
      const { node_id, answer, by } = given;
      this.#options.telemetry.answered(jobId, given, job.typeOf(node_id));
      this.#options.logger.log('info', `${by} answered ${answer}`, { job_id: jobId, node_id });
    }
    this.#drop(job);
    const again = this.#track({ ...job.record, state: 'in_progress' });
    again.answers = answers;
    await this.#submit(again, recoveredPriority);
  }

  async #cancelRequested(job: DeskJob, cancellation: Cancellation, from: string | null = null): Promise<void> {
    const { reason, requestedBy } = cancellation;
    this.#options.telemetry.cancelRequested(job.record.jobId, requestedBy, reason, from);
    await this.#cancel(job, cancellation);
  }

  /** A job that is neither queued nor running here is asked again where it becomes so, see `#submit`. */
  async #cancel(job: DeskJob, cancellation: Cancellation): Promise<void> {
    if (await this.#executorOrThrow().cancelJob(job.record.jobId, cancellation)) return;
    if (!this.#table.isHere(job)) return;
    if (job.isInDoubt) await this.#endings.endWithoutRun(job, cancelled(cancellation));
    else if (job.waitsFor !== null) await this.#goOn(job, job.waitsFor);
  }

  async #ran(job: DeskJob, end: RunEnd): Promise<void> {
    job.tellEnd(end);
    const isOver = end.status === 'completed' || end.status === 'failed' || end.status === 'cancelled';
    if (job.isLost && !isOver && !isStillRunning(end)) return this.#leases.lostRunEnded(job);
    if (this.#behind.isBehind(job) && !isOver && !isStillRunning(end)) return this.#behind.loseSteps(job);
    if (end.status === 'in_doubt') {
      job.waitInDoubt();
      // A cancel that came while the run was ending has been told to nobody else.
      const cancellation = job.watch?.cancellation ?? null;
      if (cancellation !== null) await this.#endings.endWithoutRun(job, cancelled(cancellation));
      return;
    }
    if (end.status === 'suspended' && end.cause === 'node-still-running') {
      // The lease is kept: nobody else may start the job while its node may still act (I9).
      job.cannotEnd = true;
      this.#options.logger.log('critical', `a job cannot end before the robot restarts: ${end.reason}`, {
        job_id: job.record.jobId,
      });
      return;
    }
    if (end.status === 'suspended' && job.isLeaseEnding && !job.isLost) return this.#waitForLease(job);
    if (end.status === 'suspended' && (end.cause === 'journal' || end.cause === 'no-process') && !job.isLost) {
      this.#tryAgainLater(job, end.reason);
      return;
    }
    if (end.status === 'suspended') this.#drop(job);
    else this.#leave(job);
  }

  /** Its lease stands until the server knows of the end: a slow disk delays that, and nobody else may begin the job. */
  #leave(job: DeskJob): void {
    const { jobId } = job.record;
    const isUntold = this.#table.untold.has(jobId) && !job.isLost;
    if (isUntold) this.#kept.keep(job.record);
    else this.#options.locker.forget(jobId);
    this.#drop(job);
  }

  /** Until the server was heard about the job, or cannot be asked. */
  #waitForWord(record: StoredJob): void {
    const job = this.#track(record, 'lease');
    this.#inBackground(job, this.#behind.waitForWord(job, this.#recovery.stopped));
  }

  /** Until the server says that the lease stands. */
  #waitForLease(job: DeskJob): void {
    this.#waitFor(job, 'lease');
  }

  /** The job stays here, its lease is kept, and it can be cancelled meanwhile. */
  #waitFor(job: DeskJob, cause: 'lease' | 'store'): DeskJob | null {
    this.#drop(job);
    if (this.#recovery.isStopped) return null;
    return this.#track({ ...job.record, state: job.hasBegun ? 'in_progress' : 'cached' }, cause);
  }

  #tryAgainLater(job: DeskJob, reason: string): void {
    const again = this.#waitFor(job, 'store');
    if (again === null) return;
    again.waitsBecause = reason;
    const waited = this.#recovery.waitToRetry(job.record.jobId, reason);
    this.#inBackground(
      again,
      waited.then((isTime) => (isTime ? this.#goOn(again, 'store') : undefined)),
    );
  }

  #drop(job: DeskJob): void {
    job.close();
    this.#leases.forget(job.record.jobId);
    this.#table.remove(job);
  }

  #inBackground(job: DeskJob, work: Promise<void>): void {
    work.catch((error: unknown) => {
      this.#options.logger.log('error', `a job could not be moved on: ${messageOf(error)}`, {
        job_id: job.record.jobId,
      });
    });
  }

  #executorOrThrow(): JobExecutor {
    if (this.#executor === null) throw new Error('the desk has no executor yet');
    return this.#executor;
  }
}

/** The run is over, and a node of it may still act. */
function isStillRunning(end: RunEnd): boolean {
  return end.status === 'suspended' && end.cause === 'node-still-running';
}
