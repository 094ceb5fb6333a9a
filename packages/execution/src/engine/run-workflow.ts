/**
 * Runs a workflow, or goes on with one: the shell around the fold.
 *
 *   load -> over already: its outcome again (I5)
 *        -> another workflow or library than it began with: in doubt as a whole, see `changed-run.ts`
 *        -> begin | resume -> step, step, ... -> dispose resources -> outcome
 *
 * Promises: an intent is durable before its node runs, together with the result before it (I3, I4); an
 * outcome is written once, when the run has provably ended (I5, I9); cost per step is constant (I10).
 * When the journal refuses a commit, nothing more is done: the run ends as suspended, to be resumed.
 * When a node does not end within its grace after a cancel, the stop is recorded, but no outcome: the run is
 * suspended, and the next resume (when this process is gone) runs the finally bodies and ends it.
 */
import { changeOf, settleChange } from './changed-run.ts';
import { planFlow } from './flow-plan.ts';
import { foldJournal, foldValues } from './fold.ts';
import type { JournalEntry, OutcomeEntry, RunEnd } from './journal.ts';
import { type Notify, notifier } from './observe.ts';
import { requireRunOptions } from './require-run-options.ts';
import { driveRun } from './run-loop.ts';
import type { RunOptions, RunReport } from './run-options.ts';
import { runReport, runStatistics } from './run-report.ts';
import type { RunState } from './run-state.ts';
import { guardedOptions } from './secrecy/guarded-options.ts';
import { RunSecrets } from './secrecy/run-secrets.ts';
import { takeSnapshot } from './snapshot.ts';

export type { RunObserver, RunOptions, RunReport } from './run-options.ts';

/**
 * Runs `options.workflow` until it ends, stops, or must be asked about; goes on where its journal ends.
 *
 * @returns how it ended; expected failures of nodes, journal and time limits are part of the answer
 * @throws ArgumentError naming an option that is missing or of another shape, before anything is read or run
 * @throws Error otherwise only for a defect, such as a workflow that was not checked with this registry
 * @example
 * const report = await runWorkflow({
 *   jobId: 'job-1', workflow, registry, journal: memoryJournal(), clock: systemClock, logger,
 *   workDir: process.cwd(), inDoubtPolicy: 'fail', nodeTimeoutMs: 120_000,
 * });
 * report.end.status; // 'completed'
 */
export async function runWorkflow(given: RunOptions): Promise<RunReport> {
  requireRunOptions(given);
  const secrets = new RunSecrets();
  const options = guardedOptions(given, secrets);
  const { workflow, journal, logger } = options;
  const notify = notifier(options.observer, logger, options.redact);
  const plan = planFlow(workflow, options.registry);
  let recorded: readonly JournalEntry[];
  try {
    recorded = await journal.load();
  } catch (error) {
    const state = foldValues([]);
    const reason = `the journal could not be read: ${error instanceof Error ? error.message : String(error)}`;
    const end: RunEnd = { status: 'suspended', cause: 'journal', reason, ...runStatistics(workflow, state, 0) };
    return reportEnd(options, notify, state, end, secrets);
  }
  const outcome = recorded.findLast((entry): entry is OutcomeEntry => entry.kind === 'outcome')?.outcome;
  const change = changeOf(options, recorded);
  if (outcome !== undefined) {
    const state = change === null ? foldJournal(plan, recorded) : foldValues(recorded);
    secrets.recall(recorded, () => takeSnapshot(state).state);
    return runReport(workflow, state, outcome, secrets);
  }
  if (change === null) return driveRun(options, plan, notify, recorded, secrets);
  const state = foldValues(recorded);
  const statistics = runStatistics(workflow, state, state.activeMs);
  const settled = await settleChange(options, recorded, change, statistics);
  return settled.kind === 'go_on'
    ? driveRun(options, plan, notify, [...recorded, settled.answered], secrets)
    : reportChange(options, notify, recorded, settled.end, secrets);
}

function reportChange(
  options: RunOptions,
  notify: Notify,
  recorded: readonly JournalEntry[],
  end: RunEnd,
  secrets: RunSecrets,
): RunReport {
  const state = foldValues(recorded);
  secrets.recall(recorded, () => takeSnapshot(state).state);
  return reportEnd(options, notify, state, end, secrets);
}

function reportEnd(options: RunOptions, notify: Notify, state: RunState, end: RunEnd, secrets: RunSecrets): RunReport {
  notify('runEnded', end);
  return runReport(options.workflow, state, end, secrets);
}
