/**
 * Runs a workflow, or goes on with one: the shell around the fold.
 *
 *   load -> over already: its outcome again (I5)
 *        -> another workflow or library than it began with: in doubt as a whole
 *        -> begin | resume -> step, step, ... -> dispose resources -> outcome
 *
 * Promises: an intent is durable before its node runs, together with the result before it (I3, I4); an
 * outcome is written once, when the run has provably ended (I5, I9); cost per step is constant (I10).
 * When the journal refuses a commit, nothing more is done: the run ends as suspended, to be resumed.
 * When a node does not end within its grace after a cancel, the stop is recorded, but no outcome: the run is
 * suspended, and the next resume (when this process is gone) runs the finally bodies and ends it.
 */
import type { RunError } from '../errors.ts';
import { planFlow } from './flow-plan.ts';
import { foldJournal, foldValues } from './fold.ts';
import type { JournalEntry, OutcomeEntry, RunEnd } from './journal.ts';
import { type Notify, notifier } from './observe.ts';
import { driveRun } from './run-loop.ts';
import type { RunOptions, RunReport } from './run-options.ts';
import { JournalFault } from './run-record.ts';
import { runReport, runStatistics } from './run-report.ts';
import { type RunState, rootLane } from './run-state.ts';

export type { RunObserver, RunOptions, RunReport } from './run-options.ts';

/**
 * Runs `options.workflow` until it ends, stops, or must be asked about; goes on where its journal ends.
 *
 * @returns how it ended; expected failures of nodes, journal and time limits are part of the answer
 * @throws Error only for a defect, such as a workflow that was not checked with this registry
 * @example
 * const report = await runWorkflow({
 *   jobId: 'job-1', workflow, registry, journal: memoryJournal(), clock: systemClock, logger,
 *   workDir: process.cwd(), inDoubtPolicy: 'fail', nodeTimeoutMs: 120_000,
 * });
 * report.end.status; // 'completed'
 */
export async function runWorkflow(options: RunOptions): Promise<RunReport> {
  const { workflow, journal, logger } = options;
  const notify = notifier(options.observer, logger, options.redact);
  const plan = planFlow(workflow, options.registry);
  let recorded: readonly JournalEntry[];
  try {
    recorded = await journal.load();
  } catch (error) {
    const state = foldValues([]);
    const reason = `the journal could not be read: ${error instanceof Error ? error.message : String(error)}`;
    return reportEnd(options, notify, state, {
      status: 'suspended',
      cause: 'journal',
      reason,
      ...runStatistics(workflow, state, 0),
    });
  }
  const outcome = recorded.findLast((entry): entry is OutcomeEntry => entry.kind === 'outcome')?.outcome;
  const isSame = recorded.length === 0 || isSameRun(options, recorded);
  if (outcome !== undefined) {
    return runReport(workflow, isSame ? foldJournal(plan, recorded) : foldValues(recorded), outcome);
  }
  return isSame
    ? driveRun(options, plan, notify, recorded)
    : refuseChange(options, notify, recorded, foldValues(recorded));
}

function isSameRun({ workflow, library }: RunOptions, recorded: readonly JournalEntry[]): boolean {
  const began = foldValues(recorded.filter((entry) => entry.kind === 'began' || entry.kind === 'snapshot'));
  return began.workflowHash === workflow.hash && (began.library === null || began.library === (library ?? null));
}

/** A workflow or library that changed between crash and resume is in doubt as a whole (I4). */
async function refuseChange(
  options: RunOptions,
  notify: Notify,
  recorded: readonly JournalEntry[],
  state: RunState,
): Promise<RunReport> {
  const { workflow, journal, clock } = options;
  const what = state.workflowHash === workflow.hash ? 'node library' : 'workflow';
  const reason = `the ${what} is not the one that the run began with`;
  const statistics = runStatistics(workflow, state, state.activeMs);
  const nodeId = rootLane(state).intent?.node_id ?? '';
  const at = clock.now();
  const end: RunEnd =
    options.inDoubtPolicy === 'ask'
      ? { status: 'in_doubt', nodes: [{ node_id: nodeId, reason }], ...statistics }
      : { status: 'failed', error: changeError(reason), ...statistics };
  try {
    if (end.status === 'failed') await journal.commit([{ kind: 'outcome', outcome: end, at }]);
    else if (!recorded.some((entry) => entry.kind === 'in_doubt' && entry.reason === reason)) {
      await journal.commit([{ kind: 'in_doubt', step: state.step, node_id: nodeId, reason, at }]);
    }
  } catch (error) {
    const fault = new JournalFault(error);
    return reportEnd(options, notify, state, {
      status: 'suspended',
      cause: 'journal',
      reason: fault.message,
      ...statistics,
    });
  }
  return reportEnd(options, notify, state, end);
}

function changeError(reason: string): RunError {
  const message = `The run cannot go on: ${reason}.`;
  return { code: 'WORKFLOW_CHANGED', category: 'permanent', message, node_id: null };
}

function reportEnd(options: RunOptions, notify: Notify, state: RunState, end: RunEnd): RunReport {
  notify('runEnded', end);
  return runReport(options.workflow, state, end);
}
