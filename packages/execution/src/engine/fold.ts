/**
 * The fold of a journal: each entry changes the state in the one way that its content says, without I/O,
 * time or chance, so that a resumed run stands exactly where the interrupted one stood (I3).
 */
import type { ControlOp } from '../control/control-op.ts';
import type { FlowPlan } from './flow-plan.ts';
import type { FailureEntry, JournalEntry, ResultEntry, StopEntry } from './journal.ts';
import {
  askNextCatch,
  closeLoop,
  follow,
  innermost,
  jump,
  openLoop,
  raise,
  recordError,
  settle,
  unwindForStop,
} from './regions.ts';
import { newRunState, type RunState } from './run-state.ts';
import { restoreSnapshot } from './snapshot.ts';

/** Folds a whole journal, from its newest snapshot on if it has one. */
export function foldJournal(plan: FlowPlan, entries: readonly JournalEntry[]): RunState {
  const from = entries.findLastIndex((entry) => entry.kind === 'snapshot');
  const snapshot = entries[from];
  const state = snapshot?.kind === 'snapshot' ? restoreSnapshot(snapshot.state) : newRunState(plan.entry);
  for (let index = from + 1; index < entries.length; index += 1) {
    const entry = entries[index];
    if (entry !== undefined) applyEntry(plan, state, entry);
  }
  return state;
}

/** Changes `state`, which the caller owns, by one entry. */
export function applyEntry(plan: FlowPlan, state: RunState, entry: JournalEntry): void {
  switch (entry.kind) {
    case 'began':
      state.workflowHash = entry.workflow_hash;
      state.library = entry.library ?? null;
      state.variables = new Map(Object.entries(entry.variables));
      settle(plan, state);
      return;
    case 'intent':
      state.step = entry.step;
      state.intent = entry;
      return;
    case 'result':
      applyResult(plan, state, entry);
      return;
    case 'failure':
      applyFailure(plan, state, entry);
      return;
    case 'retry':
      state.intent = null;
      state.isInDoubt = false;
      state.activeMs += entry.duration_ms;
      state.retrying = {
        step: entry.step,
        node_id: entry.node_id,
        attempt: entry.attempt,
        retries: (state.retrying?.retries ?? 0) + 1,
      };
      return;
    case 'in_doubt':
      state.isInDoubt = true;
      return;
    case 'stop':
      applyStop(plan, state, entry);
      return;
    case 'outcome':
      state.outcome = entry.outcome;
      return;
    case 'snapshot':
      return;
  }
}

/** The visit that ends a loop has no outputs of its own: those of the last iteration stay. */
function applyResult(plan: FlowPlan, state: RunState, entry: ResultEntry): void {
  endStep(state, entry);
  const isLastVisit = entry.control?.op === 'close_loop' && openLoop(state, entry.node_id) !== undefined;
  storeValues(state, isLastVisit ? { ...entry, outputs: state.outputs.get(entry.node_id) ?? {} } : entry);
  if (entry.control === undefined) followExit(plan, state, entry);
  else applyControl(plan, state, entry, entry.control);
  settle(plan, state);
}

function applyFailure(plan: FlowPlan, state: RunState, entry: FailureEntry): void {
  endStep(state, entry);
  raise(plan, state, entry.error, entry.node_id);
  if (state.failure === null) settle(plan, state);
}

function applyStop(plan: FlowPlan, state: RunState, entry: StopEntry): void {
  if (entry.node_id !== null && entry.step !== null)
    endStep(state, { ...entry, step: entry.step, node_id: entry.node_id });
  state.stop = entry.stop;
  if (entry.stop.status === 'failed') recordError(state, entry.stop.error);
  unwindForStop(plan, state);
  settle(plan, state);
}

interface EndedStep {
  readonly step: number;
  readonly node_id: string;
  readonly duration_ms?: number;
}

/** The node leaves the queue it was waiting in; loop starts, catch and finally nodes may come without one. */
function endStep(state: RunState, entry: EndedStep): void {
  state.step = Math.max(state.step, entry.step);
  state.intent = null;
  state.retrying = null;
  state.isInDoubt = false;
  state.executed.add(entry.node_id);
  state.activeMs += entry.duration_ms ?? 0;
  const { queue } = innermost(state);
  if (queue[0] === entry.node_id) queue.shift();
}

function followExit(plan: FlowPlan, state: RunState, entry: ResultEntry): void {
  if (entry.exit !== null) follow(plan, state, entry.node_id, entry.exit);
}

function applyControl(plan: FlowPlan, state: RunState, entry: ResultEntry, control: ControlOp): void {
  const nodeId = entry.node_id;
  const top = innermost(state);
  switch (control.op) {
    case 'open_loop':
      state.frames.push({
        kind: 'loop',
        node: nodeId,
        source: control.source,
        itemVar: control.item_var,
        index: 0,
        queue: [],
      });
      followExit(plan, state, entry);
      return;
    case 'next': {
      const loop = openLoop(state, nodeId);
      if (loop !== undefined) loop.index += 1;
      followExit(plan, state, entry);
      return;
    }
    case 'close_loop':
      closeLoop(plan, state, nodeId);
      return;
    case 'end_path':
      return;
    case 'break':
    case 'continue':
      jump(plan, state, control.op, control.loop);
      return;
    case 'open_try':
      state.frames.push({
        kind: 'try',
        node: nodeId,
        phase: 'try',
        catches: [],
        error: null,
        hadError: false,
        entered: false,
        leaving: null,
        queue: [],
      });
      followExit(plan, state, entry);
      return;
    case 'caught':
      if (top.kind === 'try') top.catches = [];
      followExit(plan, state, entry);
      return;
    case 'not_caught':
      askNextCatch(plan, state);
      return;
    case 'finally':
      if (top.kind === 'try' && top.phase === 'finally' && plan.finallyOf(top.node) === nodeId) top.entered = true;
      followExit(plan, state, entry);
      return;
  }
}

/**
 * What a journal of another workflow still tells: variables, outputs, which nodes ran. Control is left out,
 * because this workflow's regions are not the ones that were walked.
 */
export function foldValues(entries: readonly JournalEntry[]): RunState {
  const from = entries.findLastIndex((entry) => entry.kind === 'snapshot');
  const snapshot = entries[from];
  const state = snapshot?.kind === 'snapshot' ? restoreSnapshot(snapshot.state) : newRunState([]);
  for (const entry of entries.slice(from + 1)) {
    if (entry.kind === 'began') {
      state.workflowHash = entry.workflow_hash;
      state.library = entry.library ?? null;
      state.variables = new Map(Object.entries(entry.variables));
    } else if (entry.kind === 'intent') {
      state.step = entry.step;
      state.intent = entry;
    } else if (entry.kind === 'result') {
      storeValues(state, entry);
      state.executed.add(entry.node_id);
    } else if (entry.kind === 'in_doubt') {
      state.isInDoubt = true;
    }
  }
  return state;
}

function storeValues(state: RunState, entry: ResultEntry): void {
  for (const [name, value] of Object.entries(entry.variables)) state.variables.set(name, value);
  state.outputs.set(entry.node_id, entry.outputs);
}
