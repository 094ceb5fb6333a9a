/** One call of the engine for a run: begin or resume, walk, dispose of resources, outcome. */
import type { RunError } from '../errors.ts';
import { withdrawal } from './changed-run.ts';
import { cutOffIn, cutOffLine, withCutOff } from './cut-off.ts';
import type { FlowPlan } from './flow-plan.ts';
import { foldJournal } from './fold.ts';
import type { JournalEntry, RunEnd, RunOutcome, RunStatistics, StopEntry } from './journal.ts';
import type { Notify } from './observe.ts';
import { redactedReport } from './redact.ts';
import { RunResources } from './resources.ts';
import { restorer } from './restore.ts';
import { begunIn, RunEvidence } from './run-evidence.ts';
import type { RunOptions, RunReport } from './run-options.ts';
import { JournalFault, RunRecord } from './run-record.ts';
import { runReport, runStatistics } from './run-report.ts';
import type { RunSession } from './run-session.ts';
import { type Lane, rootLane } from './run-state.ts';
import type { RunSecrets } from './secrecy/run-secrets.ts';
import { takeSnapshot } from './snapshot.ts';
import { StopControl } from './stop-control.ts';
import { StopGraces } from './stop-graces.ts';
import { LiveValues } from './unstorable/live-values.ts';
import { type LaneLeft, walkLane } from './walk.ts';

type EndedHow =
  | { readonly status: 'completed' }
  | { readonly status: 'failed'; readonly error: RunError }
  | StopEntry['stop'];

const DEFAULT_FINALLY_GRACE_MS = 10_000;

/** @param recorded the journal so far; without an outcome, and of this workflow */
export async function driveRun(
  options: RunOptions,
  plan: FlowPlan,
  notify: Notify,
  recorded: readonly JournalEntry[],
  secrets: RunSecrets,
): Promise<RunReport> {
  const { clock, workflow } = options;
  const startedAt = clock.monotonic();
  const run = openSession(options, plan, notify, recorded, secrets);
  const { record, control, resources } = run;
  const earlierMs = record.state.activeMs;
  const statistics = (): RunStatistics =>
    runStatistics(workflow, record.state, earlierMs + clock.monotonic() - startedAt);
  let end: RunEnd;
  try {
    begin(run, recorded.length > 0);
    const left = await walkLane(run);
    if (left !== null || !resources.isEmpty) await record.flush();
    await resources.disposeAll();
    end = redactedReport(endOf(run, left, statistics()), options.redact);
    if (left === null) {
      for (const cutOff of cutOffIn(record.state).named)
        notify('log', { level: 'warning', node_id: cutOff.node_id, message: cutOffLine(cutOff) });
      record.add({ kind: 'outcome', outcome: end as RunOutcome, at: clock.now() });
      await record.flush();
    }
  } catch (fault) {
    if (!(fault instanceof JournalFault)) throw fault;
    end = { status: 'suspended', cause: 'journal', reason: fault.message, ...statistics() };
  } finally {
    control.dispose();
    run.graces.dispose();
    await resources.disposeAll();
  }
  notify('runEnded', end);
  return runReport(workflow, record.state, end, secrets);
}

function openSession(
  options: RunOptions,
  plan: FlowPlan,
  notify: Notify,
  recorded: readonly JournalEntry[],
  secrets: RunSecrets,
): RunSession {
  const { clock, logger, jobTimeoutMs = null } = options;
  const state = foldJournal(plan, recorded);
  secrets.recall(recorded, () => takeSnapshot(state).state);
  const lane = rootLane(state);
  const remainingMs = jobTimeoutMs === null || state.stop !== null ? null : Math.max(0, jobTimeoutMs - state.activeMs);
  const live = new LiveValues(state.hasUnstorable);
  const warned = new Set<string>();
  let interruption = options.interruption ?? null;
  const graceMs = options.finallyGraceMs ?? DEFAULT_FINALLY_GRACE_MS;
  const control = new StopControl({ clock, signal: options.signal, remainingMs, jobTimeoutMs, graceMs });
  const resources = new RunResources({
    session: `s${state.step}`,
    clock,
    logger,
    records: state.resources,
    ...(options.limits === undefined ? {} : { limits: options.limits }),
  });
  return {
    options,
    plan,
    notify,
    record: new RunRecord({
      plan,
      state,
      journal: options.journal,
      recorded,
      logger,
      secrets,
      live,
      onStop: () => control.tellAll(),
      onErrorPassedOver: ({ node_id, message }) => notify('log', { level: 'error', node_id, message }),
    }),
    lane,
    secrets,
    live,
    resources,
    evidence: evidenceOf(options, resources, recorded),
    control,
    graces: new StopGraces({ clock, control, graceMs }),
    pace: { steps: 0 },
    takeInterruption(openStep) {
      if (interruption?.step !== openStep) return null;
      const taken = interruption;
      interruption = null;
      return taken;
    },
    restorerFor: restorer,
    warnOfReference(nodeId, reference) {
      const key = `${nodeId}\n${reference}`;
      if (warned.has(key)) return;
      warned.add(key);
      const message = `Nothing has set "${reference}"; it is left as it is written.`;
      notify('log', { level: 'warning', node_id: nodeId, message });
    },
  };
}

function evidenceOf(
  options: RunOptions,
  resources: RunResources,
  recorded: readonly JournalEntry[],
): RunEvidence | null {
  const { evidence: keeper, jobId, workflow, redact, signal, clock, logger } = options;
  if (keeper === undefined) return null;
  const open = () => resources.open;
  return new RunEvidence({
    keeper,
    jobId,
    workflowHash: workflow.hash,
    earlier: begunIn(recorded, workflow.nodes),
    resources: open,
    redact,
    signal,
    clock,
    logger,
  });
}

function begin({ options, record, notify, control }: RunSession, isResumed: boolean): void {
  const { workflow, jobId, library, clock } = options;
  const notice = { job_id: jobId, total: workflow.nodes.size, resumed: isResumed, remaining_ms: control.remainingMs };
  if (isResumed) {
    notify('runStarted', notice);
    const withdrawn = withdrawal(record.state, clock.now());
    if (withdrawn !== null) record.add(withdrawn);
    return;
  }
  record.add(
    {
      kind: 'began',
      workflow_hash: workflow.hash,
      ...(library === undefined ? {} : { library }),
      variables: { ...workflow.variables, ...options.variables },
      at: clock.now(),
    },
    () => notify('runStarted', notice),
  );
}

function endOf(run: RunSession, left: LaneLeft | null, statistics: RunStatistics): RunEnd {
  if (left?.kind === 'suspended') {
    return { status: 'suspended', cause: left.cause, reason: left.reason, ...statistics };
  }
  if (left?.kind === 'in_doubt') return { status: 'in_doubt', nodes: left.nodes, ...statistics };
  return withCutOff<RunOutcome>({ ...howItEnded(run.lane), ...statistics }, cutOffIn(run.lane.run));
}

function howItEnded({ end, run: { stop } }: Lane): EndedHow {
  if (end.kind === 'failed') return { status: 'failed', error: end.error };
  return stop ?? { status: 'completed' };
}
