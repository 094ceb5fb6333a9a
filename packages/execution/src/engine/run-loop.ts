/** The loop of a run: next node, step, next node, until the walk is over or has to be left. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { FlowPlan } from './flow-plan.ts';
import { foldJournal } from './fold.ts';
import type { JournalEntry, RunEnd, RunOutcome, RunStatistics, SuspendCause } from './journal.ts';
import { type NextMove, nextMove } from './next-node.ts';
import type { Notify } from './observe.ts';
import { RunResources } from './resources.ts';
import { restorer } from './restore.ts';
import type { RunOptions, RunReport } from './run-options.ts';
import { JournalFault, RunRecord } from './run-record.ts';
import { runReport, runStatistics } from './run-report.ts';
import type { RunSession } from './run-session.ts';
import { rootLane } from './run-state.ts';
import { runStep } from './run-step.ts';
import { StopControl } from './stop-control.ts';
import { stopEntry } from './stop-entry.ts';

const DEFAULT_FINALLY_GRACE_MS = 10_000;

/** Nodes that never wait must not keep the process from its timers and signals. */
const STEPS_PER_TURN = 50;

type WalkEnd =
  | { readonly kind: 'over'; readonly move: Exclude<NextMove, { readonly kind: 'node' }> }
  | { readonly kind: 'suspended'; readonly cause: SuspendCause; readonly reason: string }
  | { readonly kind: 'in_doubt'; readonly nodeId: string; readonly reason: string };

/** @param recorded the journal so far; without an outcome, and of this workflow */
export async function driveRun(
  options: RunOptions,
  plan: FlowPlan,
  notify: Notify,
  recorded: readonly JournalEntry[],
): Promise<RunReport> {
  const { clock, workflow } = options;
  const startedAt = clock.monotonic();
  const run = openSession(options, plan, notify, recorded);
  const { record, control, resources } = run;
  const earlierMs = record.state.activeMs;
  const statistics = (): RunStatistics =>
    runStatistics(workflow, record.state, earlierMs + clock.monotonic() - startedAt);
  let end: RunEnd;
  try {
    begin(run, recorded.length > 0);
    const walked = await walk(run);
    if (walked.kind !== 'over' || !resources.isEmpty) await record.flush();
    await resources.disposeAll();
    end = endOf(walked, statistics());
    if (walked.kind === 'over') {
      record.add({ kind: 'outcome', outcome: end as RunOutcome, at: clock.now() });
      await record.flush();
    }
  } catch (fault) {
    if (!(fault instanceof JournalFault)) throw fault;
    end = { status: 'suspended', cause: 'journal', reason: fault.message, ...statistics() };
  } finally {
    control.dispose();
    await resources.disposeAll();
  }
  notify('runEnded', end);
  return runReport(workflow, record.state, end);
}

function openSession(
  options: RunOptions,
  plan: FlowPlan,
  notify: Notify,
  recorded: readonly JournalEntry[],
): RunSession {
  const { clock, logger, jobTimeoutMs = null } = options;
  const state = foldJournal(plan, recorded);
  const lane = rootLane(state);
  const remainingMs = jobTimeoutMs === null || state.stop !== null ? null : Math.max(0, jobTimeoutMs - state.activeMs);
  const warned = new Set<string>();
  let interruption = options.interruption ?? null;
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
      onErrorPassedOver: ({ node_id, message }) => notify('log', { level: 'error', node_id, message }),
    }),
    lane,
    resources: new RunResources({
      session: `s${state.step}`,
      clock,
      logger,
      records: state.resources,
      ...(options.limits === undefined ? {} : { limits: options.limits }),
    }),
    control: new StopControl({
      clock,
      signal: options.signal,
      remainingMs,
      jobTimeoutMs,
      graceMs: options.finallyGraceMs ?? DEFAULT_FINALLY_GRACE_MS,
    }),
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

function begin({ options, record, notify, control }: RunSession, isResumed: boolean): void {
  const { workflow, jobId, library, clock } = options;
  const notice = { job_id: jobId, total: workflow.nodes.size, resumed: isResumed, remaining_ms: control.remainingMs };
  if (isResumed) {
    if (record.state.stop !== null) control.beginGrace();
    notify('runStarted', notice);
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

async function walk(run: RunSession): Promise<WalkEnd> {
  const { plan, record, control, lane } = run;
  for (let steps = 1; ; steps += 1) {
    if (steps % STEPS_PER_TURN === 0) await nextTurn();
    const move = nextMove(plan, lane);
    if (move.kind !== 'node') return { kind: 'over', move };
    const { stop } = lane.run;
    if (stop !== null && control.isGraceOver) return { kind: 'over', move: { kind: 'stopped', stop } };
    const { cause } = control;
    if (cause?.kind === 'suspend') return { kind: 'suspended', cause: 'asked', reason: cause.reason };
    if (cause !== null && stop === null) {
      record.add(stopEntry(cause, lane, run.options.clock.now()));
      control.beginGrace();
      continue;
    }
    const left = await step(run, move.nodeId);
    if (left !== null) return left;
  }
}

/** Null when the walk goes on. */
async function step(run: RunSession, nodeId: string): Promise<WalkEnd | null> {
  const node = run.plan.workflow.nodes.get(nodeId);
  if (node === undefined) throw new Error(`the walk reached ${nodeId}, which is no node of this workflow`);
  const end = await runStep(run, node);
  switch (end.kind) {
    case 'ended':
      return null;
    case 'suspended':
      return end;
    case 'in_doubt':
      return { kind: 'in_doubt', nodeId, reason: end.reason };
    case 'stopped':
      run.control.beginGrace();
      if (end.hasEnded) return null;
      return {
        kind: 'suspended',
        cause: 'node-still-running',
        reason: `the run was told to stop, but the node "${nodeId}" has not ended yet`,
      };
  }
}

function endOf(walked: WalkEnd, statistics: RunStatistics): RunEnd {
  if (walked.kind === 'suspended') {
    return { status: 'suspended', cause: walked.cause, reason: walked.reason, ...statistics };
  }
  if (walked.kind === 'in_doubt') {
    return { status: 'in_doubt', nodes: [{ node_id: walked.nodeId, reason: walked.reason }], ...statistics };
  }
  const { move } = walked;
  if (move.kind === 'completed') return { status: 'completed', ...statistics };
  return move.kind === 'failed'
    ? { status: 'failed', error: move.error, ...statistics }
    : { ...move.stop, ...statistics };
}
