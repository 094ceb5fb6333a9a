/** One job on the desk: its durable side, its progress, and what has to be told when its run ends. */
import type {
  CancellationWatch,
  JobProgress,
  JobSpec,
  JournalEntry,
  Logger,
  ProgressReporter,
  ProgressSnapshot,
  RunEnd,
  RunError,
  RunJournal,
  RunObserver,
  RunOutcome,
} from '@casare/execution';
import { type CheckpointPolicy, interruptionOf, withCheckpointPolicy } from './checkpoint-policy.ts';
import type { JobStore, JobTelemetry, StoredJob } from './desk-ports.ts';
import { type DurableJob, jobJournal } from './job-journal.ts';
import { runObserver } from './run-observer.ts';

export interface DeskJobOptions {
  readonly store: JobStore;
  readonly telemetry: JobTelemetry;
  /** Null when progress reporting is off. */
  readonly reporter: ProgressReporter | null;
  readonly logger: Logger;
  readonly checkpoints: CheckpointPolicy;
  /** Called when the outbox may have something new. */
  readonly onOutbox: () => void;
}

export class DeskJob {
  readonly journal: RunJournal;
  readonly durable: DurableJob & { close(): void };
  watch: CancellationWatch | null = null;
  /** The lease is gone: nothing more is recorded or reported about the job here (I1). */
  isLost = false;
  readonly #options: DeskJobOptions;
  #record: StoredJob;
  #progress: JobProgress | null = null;
  #runEnded: ((end: RunEnd) => void) | null = null;
  #hasBegun: boolean;

  constructor(record: StoredJob, options: DeskJobOptions) {
    this.#options = options;
    this.#record = record;
    this.#hasBegun = record.state !== 'cached';
    this.durable = withCheckpointPolicy(options.store.open(record.jobId), options.checkpoints);
    const journal = jobJournal(this.durable, (outcome, entries) => finalProgress(this.#progress, outcome, entries));
    this.journal = {
      load: async () => {
        const entries = await journal.load();
        this.#progress?.resumeFrom(entries.flatMap((entry) => (entry.kind === 'result' ? [entry.node_id] : [])));
        return entries;
      },
      commit: async (entries) => {
        await journal.commit(entries);
        this.#hasBegun = true;
        options.onOutbox();
      },
    };
  }

  get record(): StoredJob {
    return this.#record;
  }

  /** Whether anything of a run has been recorded. */
  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  /** Why the run cannot be gone on with; null when it can, or has not begun. */
  async interruption(): Promise<RunError | null> {
    return this.#hasBegun ? interruptionOf(await this.durable.load()) : null;
  }

  observe(job: JobSpec, totalNodes: number): RunObserver {
    const { telemetry, reporter, logger } = this.#options;
    const metrics = telemetry.metricsFor(job, totalNodes);
    const audit = telemetry.auditFor(job);
    this.#progress = reporter?.startJob(this.#record, { totalNodes }) ?? null;
    this.#runEnded = (end) => {
      metrics?.end(end);
      audit?.ended(end);
    };
    audit?.started(totalNodes);
    return runObserver({
      metrics,
      audit,
      progress: this.#progress,
      log: { log: (level, message, fields) => logger.log(level, message, { ...fields, job_id: job.jobId }) },
    });
  }

  /** Tells metrics and audit how the run, or a job that never ran here, ended. */
  tellEnd(end: RunEnd): void {
    const { jobId, name } = this.#record;
    const why = end.status === 'failed' ? `: ${end.error.message.slice(0, 500)}` : '';
    this.#options.logger.log(end.status === 'failed' ? 'warning' : 'info', `job "${name}" is ${end.status}${why}`, {
      job_id: jobId,
    });
    const runEnded = this.#runEnded;
    this.#runEnded = null;
    if (runEnded === null) this.#options.telemetry.ended(this.#record.jobId, end);
    else runEnded(end);
  }

  /** The run is over, the job is not: it waits for an answer, its lease is kept. */
  waitInDoubt(): void {
    this.#record = { ...this.#record, state: 'in_doubt' };
    this.#progress?.detach();
    this.#progress = null;
  }

  close(): void {
    this.watch?.stop();
    this.#progress?.detach();
    this.durable.close();
  }
}

/** The last nodes' results are in the same commit as the outcome: their observers have not been told yet. */
function finalProgress(
  progress: JobProgress | null,
  outcome: RunOutcome,
  entries: readonly JournalEntry[],
): ProgressSnapshot | null {
  if (progress === null) return null;
  for (const entry of entries) {
    if (entry.kind !== 'result' && entry.kind !== 'failure') continue;
    progress.reportNodeComplete(entry.node_id, { success: entry.kind === 'result', durationMs: entry.duration_ms });
  }
  return progress.endJob({ status: outcome.status });
}
