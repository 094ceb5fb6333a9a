/**
 * One job, over as many processes as it takes.
 *
 *   take a process -> session -> finished -> nothing of the job runs any more -> outcome -> give the process back
 *                        |
 *                        +-> lost -> kill its tree, prove it gone -> resume in another process | suspend | give up
 *
 * Promises: the store is written from here only (I3); no outcome is written, and no run resumed, while anything of the
 * job may still act (I9); a node that ends its process again and again ends its job (I7).
 */
import { withCutOff } from '../engine/cut-off.ts';
import type { RunOutcome, SuspendCause } from '../engine/journal.ts';
import type { RunObserver, RunReport } from '../engine/run-options.ts';
import { EntryTooLargeError } from '../engine/too-large.ts';
import type { RunError } from '../errors.ts';
import type { JobSpec } from '../jobs/job-runner.ts';
import type { ProgressShape } from '../jobs/progress-shape.ts';
import type { Clock, Logger, RunJournal } from '../ports.ts';
import type { JobProcess } from './job-process.ts';
import { JournalWatch } from './journal-watch.ts';
import type { MemoryWatch } from './memory-watch.ts';
import type { FinishedMessage, Resumption, RunLimits } from './messages.ts';
import type { ProcessPool } from './process-pool.ts';
import { ProcessSession, type SessionEnd, tell, tooLarge } from './process-session.ts';
import { type Recovery, RecoveryPlan, type Setback } from './recovery.ts';

export interface ProcessRunParts {
  readonly job: JobSpec;
  readonly signal: AbortSignal;
  readonly journal: RunJournal;
  readonly workDir: () => Promise<string>;
  /** Called once, when the workflow has passed its check. */
  readonly observe: (shape: ProgressShape) => RunObserver | null;
  readonly limits: RunLimits;
  /** See `ProcessRunnerOptions`. */
  readonly mayActForMs: () => number | null;
  /** See `ProcessRunnerOptions`. */
  readonly mayBeginForMs: () => number | null;
  readonly pool: ProcessPool;
  readonly memory: MemoryWatch;
  readonly clock: Clock;
  readonly logger: Logger;
}

type RunOver =
  | { readonly kind: 'over'; readonly report: RunReport }
  /** The end cannot be recorded as it is: what its last nodes gave is too large. */
  | Extract<SessionEnd, { readonly kind: 'lost' }>;

export class ProcessRun {
  readonly #parts: ProcessRunParts;
  readonly #journal: JournalWatch;
  readonly #plan = new RecoveryPlan();
  #observer: RunObserver | null | undefined;

  constructor(parts: ProcessRunParts) {
    this.#parts = parts;
    this.#journal = new JournalWatch(parts.journal, parts.clock);
  }

  async run(): Promise<RunReport> {
    const { pool } = this.#parts;
    for (let resumption: Resumption = {}; ; ) {
      let process: JobProcess;
      try {
        process = await pool.take();
      } catch (error) {
        return suspended('no-process', messageOf(error));
      }
      const session = this.#sessionOn(process, resumption);
      const watched = await this.#watched(process, session);
      const end = watched.kind === 'finished' ? await this.#finish(process, watched.message) : watched;
      if (end.kind === 'over') return end.report;
      await this.#journal.settled();
      const left = await pool.end(process);
      if (left.length > 0) return stillRunning(left);
      if (end.kind === 'crashed') throw new Error(end.message);
      this.#log(end.setback);
      const { stopRequest } = session;
      if (stopRequest?.kind === 'suspend') return suspended('asked', stopRequest.reason);
      const next = this.#next(end.setback, stopRequest !== null);
      if (next.kind === 'give_up') return this.#giveUp(next.error);
      resumption = {
        ...(next.interruption === null ? {} : { interruption: next.interruption }),
        ...(stopRequest === null ? {} : { stop: stopRequest }),
      };
    }
  }

  /** A run that is being stopped ends with its grace: what ended its process this time is of no account. */
  #next(setback: Setback, isStopping: boolean): Recovery {
    if (setback.kind === 'stop_ignored' && isStopping) return { kind: 'resume', interruption: null };
    return this.#plan.after(setback, this.#journal.open, this.#journal.commits);
  }

  #sessionOn(process: JobProcess, resumption: Resumption): ProcessSession {
    const { job, signal, workDir, limits, mayActForMs, mayBeginForMs, clock, logger } = this.#parts;
    const { stoppedAt } = this.#journal;
    const grace =
      stoppedAt === null ? {} : { finallyGraceMs: Math.max(0, stoppedAt + limits.cancelGraceMs - clock.monotonic()) };
    return new ProcessSession({
      process,
      job,
      signal,
      journal: this.#journal,
      observe: (shape) => {
        this.#observer ??= this.#parts.observe(shape);
        return this.#observer;
      },
      workDir,
      resumption: { ...resumption, ...grace },
      limits,
      mayActForMs,
      mayBeginForMs,
      clock,
      logger,
    });
  }

  async #watched(process: JobProcess, session: ProcessSession): Promise<SessionEnd> {
    const unwatch = this.#parts.memory.watch(process, (setback) => session.lose(setback));
    try {
      return await session.run();
    } finally {
      unwatch();
    }
  }

  /** What a job leaves running in its process can only be ended with the process. */
  async #finish(process: JobProcess, message: FinishedMessage): Promise<RunOver> {
    const { pool, logger } = this.#parts;
    await process.output.settled();
    const isClean = message.leftovers.length === 0 && (await process.endOffspring()).length === 0;
    if (!isClean) {
      logger.log('debug', 'a job has left something running; its process is ended', { leftovers: message.leftovers });
      const left = await pool.end(process);
      if (left.length > 0) return { kind: 'over', report: stillRunning(left) };
    }
    await this.#journal.settled();
    const over = await this.#commitHeld(message);
    if (isClean && over.kind === 'over') {
      process.endBy(null);
      pool.giveBack(process);
    }
    return over;
  }

  async #commitHeld({ held, notices, report }: FinishedMessage): Promise<RunOver> {
    const { logger } = this.#parts;
    if (held.length > 0) {
      try {
        await this.#journal.commit(held);
      } catch (error) {
        if (error instanceof EntryTooLargeError) return { kind: 'lost', setback: tooLarge(error) };
        const reason = `the journal could not be written: ${messageOf(error)}`;
        logger.log('error', `The run stops: its journal refused ${held.length} entries. ${messageOf(error)}`);
        const { duration_ms, nodes_total, nodes_executed, nodes_skipped } = report.end;
        const statistics = { duration_ms, nodes_total, nodes_executed, nodes_skipped };
        const end = { status: 'suspended', cause: 'journal', reason, ...statistics } as const;
        return { kind: 'over', report: { ...report, end } };
      }
    }
    for (const notice of notices) tell(this.#observer ?? null, notice, logger);
    return { kind: 'over', report };
  }

  async #giveUp(error: RunError): Promise<RunReport> {
    const outcome = withCutOff<RunOutcome>({ status: 'failed', error, ...noStatistics }, this.#journal.mayHaveHappened);
    try {
      await this.#journal.commit([{ kind: 'outcome', outcome, at: this.#parts.clock.now() }]);
    } catch (fault) {
      return suspended('journal', messageOf(fault));
    }
    return { end: outcome, ...noValues };
  }

  #log(setback: Setback): void {
    const { logger } = this.#parts;
    const nodes = this.#journal.open.map(({ node_id }) => node_id);
    const { kind, ...fields } = setback.kind === 'died' ? { ...setback, end: { ...setback.end } } : setback;
    logger.log('warning', `the process of a job is gone (${kind})`, { ...fields, nodes });
  }
}

const noStatistics = { duration_ms: 0, nodes_total: 0, nodes_executed: 0, nodes_skipped: 0 };
const noValues = { variables: {}, outputs: {}, skipped: [], errors: [] };

function suspended(cause: SuspendCause, reason: string): RunReport {
  return { end: { status: 'suspended', cause, reason, ...noStatistics }, ...noValues };
}

function stillRunning(pids: readonly number[]): RunReport {
  return suspended('node-still-running', `processes of the job cannot be ended: ${pids.join(', ')}`);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
