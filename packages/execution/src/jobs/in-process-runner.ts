/**
 * Runs jobs in this process: checks the workflow, then hands it to the engine. A workflow that does not
 * pass the check never starts; its job ends as failed, with the findings as the reason. One that passed when it began, and
 * does not now, waits for the nodes that it needs, or for an answer: see `changed-run.ts`.
 */

import type { AccessPolicy } from '../access/access-policy.ts';
import { requireClock, requireFunctions, requireMethods, requireObject, requireText } from '../argument-error.ts';
import { aFunction, requireShape, stopSignal } from '../argument-shapes.ts';
import { refusedByLibrary, settleChange } from '../engine/changed-run.ts';
import type { JournalEntry, OutcomeEntry, RunEnd, RunOutcome, RunStatistics } from '../engine/journal.ts';
import type { ResourceLimits } from '../engine/resources.ts';
import type { FailureEvidence } from '../engine/run-evidence.ts';
import type { InDoubtPolicy, Interruption, RunObserver, RunReport, SecretSource } from '../engine/run-options.ts';
import { runWorkflow } from '../engine/run-workflow.ts';
import { commitWhatFits, EntryTooLargeError, tooLargeError } from '../engine/too-large.ts';
import type { RunError } from '../errors.ts';
import { jobLogger } from '../job-logger.ts';
import { checkWorkflow } from '../model/check-workflow.ts';
import type { Finding } from '../model/finding.ts';
import type { NodeRegistry } from '../model/registry.ts';
import type { Workflow } from '../model/workflow.ts';
import type { ClassifyError, Clock, Logger, RunJournal } from '../ports.ts';
import { systemClock } from '../system-clock.ts';
import type { JobRunner, JobSpec } from './job-runner.ts';

export interface InProcessRunnerOptions {
  readonly registry: NodeRegistry;
  readonly journalFor: (job: JobSpec) => RunJournal;
  /** Absolute folder that the job's relative paths mean; made when it is missing. */
  readonly workDirFor: (job: JobSpec) => Promise<string>;
  readonly observerFor?: (job: JobSpec, workflow: Workflow) => RunObserver;
  /** For nodes whose workflow sets no limit, in ms. Default 120,000. */
  readonly nodeTimeoutMs?: number;
  /** For jobs without a limit of their own, in ms. Default: none. */
  readonly jobTimeoutMs?: number | null;
  /** For jobs without a policy of their own. Default `fail`. */
  readonly inDoubtPolicy?: InDoubtPolicy;
  /** How long a stopped node, and then finally bodies, may take to end, in ms. Default 10,000. */
  readonly cancelGraceMs?: number;
  /** How long a stopped node may take to end, if that is not `cancelGraceMs`, in ms. */
  readonly abortGraceMs?: number;
  /** What ended the process in which the run was under way, when this resumes it in another one. */
  readonly interruption?: Interruption;
  readonly classifyError?: ClassifyError;
  /** What nodes may touch; see `RunOptions.access`. */
  readonly access?: AccessPolicy;
  readonly secrets?: SecretSource;
  /** See `RunOptions.evidence`. */
  readonly evidence?: FailureEvidence;
  /** How many live objects the nodes of one job may hold. Default: no limit. */
  readonly limits?: ResourceLimits;
  /** See `RunOptions.redact`. */
  readonly redact?: (text: string) => string;
  /** Names the node library; a run that began with another one is in doubt as a whole. */
  readonly library?: string;
  readonly logger: Logger;
  readonly clock?: Clock;
}

interface Session {
  readonly workflow: Workflow;
  readonly journal: RunJournal;
  readonly workDir: string;
  readonly interruption: Interruption | undefined;
}

/** A journal that takes what fits of a commit, for one session of a run. */
class FittingJournal implements RunJournal {
  readonly snapshotEveryEntries?: number;
  readonly #journal: RunJournal;
  /** What it has refused for its size. */
  refused: EntryTooLargeError | null = null;
  hasRecorded = false;

  constructor(journal: RunJournal) {
    this.#journal = journal;
    if (journal.snapshotEveryEntries !== undefined) this.snapshotEveryEntries = journal.snapshotEveryEntries;
  }

  load(): Promise<readonly JournalEntry[]> {
    return this.#journal.load();
  }

  beforeNode(): void {
    this.#journal.beforeNode?.();
  }

  async commit(entries: readonly JournalEntry[]): Promise<void> {
    try {
      await commitWhatFits(this.#journal, entries, () => {
        this.hasRecorded = true;
      });
    } catch (error) {
      if (error instanceof EntryTooLargeError) this.refused = error;
      throw error;
    }
  }
}

const noStatistics: RunStatistics = { duration_ms: 0, nodes_total: 0, nodes_executed: 0, nodes_skipped: 0 };

export class InProcessRunner implements JobRunner {
  readonly #options: InProcessRunnerOptions;
  readonly #clock: Clock;

  /** @throws ArgumentError naming the option that cannot be; a wrong limit of time is refused with the first job */
  constructor(options: InProcessRunnerOptions) {
    requireObject('options', options);
    const { registry, journalFor, workDirFor, observerFor, logger, clock } = options;
    requireMethods('registry', registry, ['get', 'has']);
    requireMethods('logger', logger, ['log']);
    requireShape('journalFor', journalFor, aFunction);
    requireShape('workDirFor', workDirFor, aFunction);
    requireFunctions({ observerFor });
    requireClock(clock);
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  async run(job: JobSpec, signal: AbortSignal): Promise<RunReport> {
    requireObject('job', job);
    requireText('jobId', job.jobId);
    requireShape('signal', signal, stopSignal);
    const options = this.#options;
    const journal = options.journalFor(job);
    const { workflow, findings } = checkWorkflow(job.workflowJson, options.registry);
    if (workflow === null) return this.#refuse(job, journal, findings);
    const workDir = await options.workDirFor(job);
    let { interruption } = options;
    for (;;) {
      const fitting = new FittingJournal(journal);
      const report = await this.#runOnce(job, signal, { workflow, journal: fitting, workDir, interruption });
      const { refused } = fitting;
      if (refused === null || report.end.status !== 'suspended' || report.end.cause !== 'journal') return report;
      const error = tooLargeError(refused);
      if (!fitting.hasRecorded) return this.#giveUp(journal, { ...error, error_type: error.errorType, node_id: null });
      interruption = { step: refused.step, treatment: 'fail', error };
    }
  }

  #runOnce(job: JobSpec, signal: AbortSignal, session: Session): Promise<RunReport> {
    const { workflow, journal, workDir, interruption } = session;
    const options = this.#options;
    const { access, limits, secrets, evidence, redact, library, classifyError: classify } = options;
    return runWorkflow({
      jobId: job.jobId,
      workflow,
      registry: options.registry,
      variables: job.variables,
      journal,
      clock: this.#clock,
      logger: jobLogger(options.logger, job.jobId),
      signal,
      workDir,
      inDoubtPolicy: job.inDoubtPolicy ?? options.inDoubtPolicy ?? 'fail',
      nodeTimeoutMs: options.nodeTimeoutMs ?? 120_000,
      finallyGraceMs: options.cancelGraceMs ?? 10_000,
      abortGraceMs: options.abortGraceMs ?? options.cancelGraceMs ?? 10_000,
      jobTimeoutMs: job.timeoutMs ?? options.jobTimeoutMs ?? null,
      ...(job.answers === undefined ? {} : { answers: job.answers }),
      ...(interruption === undefined ? {} : { interruption }),
      ...(access === undefined ? {} : { access }),
      ...(limits === undefined ? {} : { limits }),
      ...(secrets === undefined ? {} : { secrets }),
      ...(evidence === undefined ? {} : { evidence }),
      ...(redact === undefined ? {} : { redact }),
      ...(library === undefined ? {} : { library }),
      ...(classify === undefined ? {} : { classifyError: classify }),
      ...(options.observerFor === undefined ? {} : { observer: options.observerFor(job, workflow) }),
    });
  }

  async #giveUp(journal: RunJournal, error: RunError): Promise<RunReport> {
    const outcome = { status: 'failed', error, ...noStatistics } as const;
    await journal.commit([{ kind: 'outcome', outcome, at: this.#clock.now() }]);
    return endedReport(outcome);
  }

  async #refuse(job: JobSpec, journal: RunJournal, findings: readonly Finding[]): Promise<RunReport> {
    const recorded = await journal.load();
    const ended = recorded.find((entry): entry is OutcomeEntry => entry.kind === 'outcome');
    if (ended !== undefined) return endedReport(ended.outcome);
    const outcome = refusal(findings);
    if (recorded.length === 0) {
      await journal.commit([{ kind: 'outcome', outcome, at: this.#clock.now() }]);
      return endedReport(outcome);
    }
    const { library, inDoubtPolicy = 'fail' } = this.#options;
    const settled = await settleChange(
      {
        journal,
        clock: this.#clock,
        inDoubtPolicy: job.inDoubtPolicy ?? inDoubtPolicy,
        ...(job.answers === undefined ? {} : { answers: job.answers }),
        ...(library === undefined ? {} : { library }),
      },
      recorded,
      refusedByLibrary(outcome.error.message),
      noStatistics,
    );
    if (settled.kind === 'ended') return endedReport(settled.end);
    throw new Error('a run that the library refuses cannot go on');
  }
}

function endedReport(end: RunEnd): RunReport {
  return { end, variables: {}, outputs: {}, skipped: [], errors: [] };
}

function refusal(findings: readonly Finding[]): Extract<RunOutcome, { readonly status: 'failed' }> {
  const errors = findings.filter((finding) => finding.severity === 'error');
  const shown = errors.slice(0, 20).map((finding) => ({ ...finding }));
  return {
    status: 'failed',
    error: {
      code: 'WORKFLOW_INVALID',
      category: 'permanent',
      message: errors[0]?.message ?? 'the workflow is not valid',
      node_id: errors[0]?.node ?? null,
      details: { findings: shown, findings_total: errors.length },
    },
    ...noStatistics,
  };
}
