/** One job on the desk: its durable side, its progress, and what has to be told when its run ends. */
import {
  type CancellationWatch,
  type Clock,
  type DoubtAnswer,
  type DoubtQuestion,
  JobProgress,
  type JobSpec,
  type JournalEntry,
  type JsonObject,
  type Logger,
  mayHaveHappened,
  type ProgressReporter,
  type ProgressShape,
  type ReportedProgress,
  type RunEnd,
  type RunError,
  type RunObserver,
  type RunOutcome,
  type RunStatistics,
  recordedStatistics,
} from '@casare/execution';
import { type CheckpointPolicy, interruptionOf, withCheckpointPolicy } from './checkpoint-policy.ts';
import type { JobStore, JobTelemetry, StoredJob } from './desk-ports.ts';
import { doubtText, type NamedQuestion } from './doubt-text.ts';
import { cutOffDraft, type DurableJob, type JobJournal, jobJournal } from './job-journal.ts';
import { withinLease } from './lease-journal.ts';
import { recordQuestion } from './lost-record.ts';
import { withResultsInReserve } from './results-in-reserve.ts';
import { runObserver } from './run-observer.ts';

export interface DeskJobOptions {
  readonly store: JobStore;
  readonly telemetry: JobTelemetry;
  /** Null when progress reporting is off. */
  readonly reporter: ProgressReporter | null;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly checkpoints: CheckpointPolicy;
  /** Called when the outbox may have something new. */
  readonly onOutbox: () => void;
  /** Whether a node of the job must not begin, because its lease ends (I2). */
  readonly isLeaseEnding: () => boolean;
  /** Called right after a commit was handed to the store: what is written now shares its transaction. */
  readonly onCommitting: () => void;
  /** Called with true before the job's end is recorded, so before the server can hear of it; with false if it was not. */
  readonly onOver: (isOver: boolean) => void;
  /** Takes the secrets of a workflow out of what the server gets of its result (I8). Default: none are known. */
  readonly withoutSecrets?: (workflowJson: string, value: JsonObject) => Promise<JsonObject>;
  /** How a stored workflow is built, for the progress of a job that waits without a run. Default: nobody knows. */
  readonly shapeOf?: (workflowJson: string) => ProgressShape | null;
  /** Keeps what is known of a failed job before its outcome is recorded; resolves with a link for the error. Never rejects. */
  readonly failureBundle?: (job: StoredJob, outcome: RunOutcome) => Promise<JsonObject | null>;
}

export class DeskJob {
  readonly journal: JobJournal;
  readonly durable: DurableJob & { close(): void };
  watch: CancellationWatch | null = null;
  /** The lease is gone: nothing more is recorded or reported about the job here (I1). */
  isLost = false;
  /** The run stops because its lease ends; the job waits for the server then. */
  isLeaseEnding = false;
  /** Its run is over while a node of its may still act: it stays here until the robot restarts (I9). */
  cannotEnd = false;
  /** What the job has to wait for before it can be queued; null when it need not. */
  waitsFor: 'lease' | 'store' | null = null;
  /** Why the store did not take it; null when that is not known, or not the reason. */
  waitsBecause: string | null = null;
  /** What operators have answered, as far as the next run has to know it. */
  answers: readonly DoubtAnswer[] = [];
  readonly progress: JobProgress;
  readonly #options: DeskJobOptions;
  /** The same progress, when it is reported to the server. */
  readonly #reported: ReportedProgress | null;
  #record: StoredJob;
  #runEnded: ((end: RunEnd) => void) | null = null;
  #hasBegun: boolean;
  #recorded = 0;
  #isLoaded = false;
  /** What was read to see whether the run can go on, for the run that follows. */
  #read: readonly JournalEntry[] | null = null;
  #shape: ProgressShape | null = null;

  constructor(record: StoredJob, options: DeskJobOptions) {
    this.#options = options;
    this.#record = record;
    this.#hasBegun = record.state !== 'cached';
    this.#recorded = record.own?.recorded ?? Number.NaN;
    const stored = options.store.open(record.jobId);
    // Nothing can be added to a record of which a part is lost; the job can still end.
    const writable: typeof stored = {
      ...stored,
      load: async () => {
        const read = this.#read;
        this.#read = null;
        return read ?? stored.load();
      },
      commit: async (entries, rest) => {
        this.#read = null;
        const kept = this.#record.lostRecord === null ? entries : [];
        await stored.commit(kept, rest);
        this.#recorded += kept.length;
      },
    };
    this.durable = withCheckpointPolicy(withResultsInReserve(writable), options.checkpoints);
    this.#reported = options.reporter?.startJob(record, { isResumed: this.#hasBegun }) ?? null;
    this.progress = this.#reported ?? new JobProgress({ clock: options.clock });
    // The outcome is committed together with the last results, and the server is told of both at once.
    const journal = jobJournal(
      this.durable,
      (outcome, entries) => {
        this.progress.apply(entries);
        const last = this.#reported?.endJob(outcome) ?? null;
        // Ended without a run: what the server has been told says more.
        return this.#reported?.isKnown === true ? last : null;
      },
      async (value) => (await options.withoutSecrets?.(record.workflowJson, value)) ?? value,
      async (outcome) => (await options.failureBundle?.(record, outcome)) ?? null,
    );
    const recorded: JobJournal = {
      ...(journal.snapshotEveryEntries === undefined ? {} : { snapshotEveryEntries: journal.snapshotEveryEntries }),
      get questions() {
        return journal.questions;
      },
      get open() {
        return journal.open;
      },
      get mayHaveHappened() {
        return journal.mayHaveHappened;
      },
      load: async () => {
        const entries = await journal.load();
        this.#isLoaded = true;
        this.progress.replay(entries);
        return entries;
      },
      commit: async (entries) => {
        const isEnd = entries.at(-1)?.kind === 'outcome';
        const noted = this.progress.withCourse(entries);
        if (isEnd) options.onOver(true);
        try {
          const committed = journal.commit(noted);
          if (!isEnd) options.onCommitting();
          await committed;
        } catch (error) {
          if (isEnd) options.onOver(false);
          throw error;
        }
        this.#hasBegun = true;
        this.#isLoaded = true;
        if (!isEnd) this.progress.apply(noted);
        options.onOutbox();
      },
    };
    this.journal = withinLease(recorded, () => this.#mustStop());
  }

  get record(): StoredJob {
    return this.#record;
  }

  /** Whether anything of a run has been recorded. */
  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  /** How many entries its journal has; null when nobody knows. */
  get recorded(): number | null {
    return Number.isNaN(this.#recorded) ? null : this.#recorded;
  }

  #mustStop(): boolean {
    if (this.isLost) return true;
    this.isLeaseEnding ||= this.#options.isLeaseEnding();
    return this.isLeaseEnding;
  }

  get isInDoubt(): boolean {
    return this.#record.state === 'in_doubt';
  }

  /** What waits for an answer. Reads the journal if nobody has yet. */
  async questions(): Promise<readonly DoubtQuestion[]> {
    if (this.#record.lostRecord === null && !this.#isLoaded) await this.journal.load();
    return this.openQuestions;
  }

  /** Makes the progress of a job that waits without a run what its record says. */
  async recallProgress(): Promise<void> {
    await this.questions();
    const shape =
      this.#record.lostRecord === null ? (this.#options.shapeOf?.(this.#record.workflowJson) ?? null) : null;
    if (shape === null) return;
    this.#shape = shape;
    this.progress.reportWorkflow(shape);
  }

  /** What its record says that its run has done; nothing where no run has begun. Reads the journal anew. */
  async figures(): Promise<Partial<RunStatistics>> {
    const entries = await this.journal.load();
    if (entries.length === 0) return {};
    await this.recallProgress();
    return recordedStatistics(entries, this.progress.snapshot().nodes_total);
  }

  /** What waits for an answer, as far as the record has been read. */
  get openQuestions(): readonly DoubtQuestion[] {
    const { lostRecord } = this.#record;
    return lostRecord === null ? this.journal.questions : [recordQuestion(lostRecord)];
  }

  /** The same, with the types of the nodes. */
  get namedQuestions(): readonly NamedQuestion[] {
    return this.openQuestions.map((question) => this.#named(question));
  }

  /** Null for no node, and where nobody knows. */
  typeOf(nodeId: string | null): string | null {
    return nodeId === null ? null : (this.#shape?.typeOf(nodeId) ?? null);
  }

  #named(question: DoubtQuestion): NamedQuestion {
    return { ...question, node_type: this.typeOf(question.node_id) };
  }

  /** Tells the server which effects were under way when the job was lost: as evidence, see I1. */
  async tellCutOff(): Promise<void> {
    if (!this.#hasBegun || this.#record.lostRecord !== null) return;
    if (!this.#isLoaded) await this.journal.load();
    const outbox = this.journal.open
      .filter(({ effect }) => effect === 'effect')
      .map((intent) => cutOffDraft(intent, this.#options.clock.now()));
    if (outbox.length > 0) await this.durable.commit([], { outbox });
  }

  /** Why the run cannot be gone on with; null when it can, or has not begun. */
  async interruption(): Promise<RunError | null> {
    if (!this.#hasBegun) return null;
    const entries = await this.durable.load();
    this.#read = entries;
    return interruptionOf(entries);
  }

  /** Where a run that is about to be loaded goes on; null when nobody knows. */
  #nextStep(): number | null {
    if (this.#read === null) return null;
    const recorded = new JobProgress({ clock: this.#options.clock });
    recorded.replay(this.#read);
    return recorded.snapshot().steps + 1;
  }

  observe(job: JobSpec, shape: ProgressShape): RunObserver {
    const { telemetry, logger } = this.#options;
    const { totalNodes } = shape;
    const metrics = telemetry.metricsFor(job, { totalNodes, queueWaitMs: this.progress.queueWaitMs });
    const audit = telemetry.auditFor(job);
    this.#shape = shape;
    this.progress.reportWorkflow(shape);
    this.#runEnded = (end) => {
      metrics?.end(end);
      audit?.ended(end);
    };
    if (this.#hasBegun) audit?.resumed(totalNodes, this.#nextStep());
    else audit?.started(totalNodes);
    return runObserver({
      metrics,
      audit,
      log: { log: (level, message, fields) => logger.log(level, message, { ...fields, job_id: job.jobId }) },
    });
  }

  /** Tells metrics and audit how the run, or a job that never ran here, ended. */
  tellEnd(ended: RunEnd): void {
    const asked = ended.status === 'in_doubt' ? ended.nodes.map((question) => this.#named(question)) : [];
    const end: RunEnd = ended.status === 'in_doubt' ? { ...ended, nodes: asked } : ended;
    const { jobId, name } = this.#record;
    const isNamed = end.status === 'cancelled' || end.status === 'completed';
    const cutOff = (isNamed ? end.may_have_happened : undefined) ?? [];
    const whatMayBe = !isNamed || cutOff.length === 0 ? '' : `; ${mayHaveHappened(end)}`;
    const why = end.status === 'failed' ? `: ${end.error.message.slice(0, 500)}` : whatMayBe;
    const nodeId = end.status === 'failed' ? end.error.node_id : ((asked[0] ?? cutOff[0])?.node_id ?? null);
    const isDoubtful = end.status === 'in_doubt';
    const what = isDoubtful
      ? `waits for an answer (\`job show\` has the commands): ${doubtText(asked)}`
      : `${end.status === 'cancelled' ? 'was cancelled' : end.status}${why}`;
    const level = isDoubtful || end.status === 'failed' || cutOff.length > 0 ? 'warning' : 'info';
    this.#options.logger.log(level, `job "${name}" ${what}`, {
      job_id: jobId,
      ...(nodeId === null ? {} : { node_id: nodeId }),
    });
    const runEnded = this.#runEnded;
    this.#runEnded = null;
    if (runEnded === null) this.#options.telemetry.ended(this.#record, end);
    else runEnded(end);
  }

  /** The run is over, the job is not: it waits for an answer, its lease is kept. */
  waitInDoubt(lostRecord: string | null = null): void {
    this.#record = { ...this.#record, state: 'in_doubt', lostRecord };
  }

  close(): void {
    this.watch?.stop();
    this.#reported?.detach();
    this.durable.close();
  }
}
