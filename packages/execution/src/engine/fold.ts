/**
 * The fold of a journal: each entry changes the state in the one way that its content says, without I/O,
 * time or chance, so that a resumed run stands exactly where the interrupted one stood (I3).
 */
import type { ControlOp } from '../control/control-op.ts';
import type { RunError } from '../errors.ts';
import { closeCall, openCall, publishRootInputs } from './call-region.ts';
import { type CutOff, cutOffOf, noteCutOff, noteDoubtfulEnd } from './cut-off.ts';
import { askedBy } from './doubt.ts';
import type { FlowPlan } from './flow-plan.ts';
import { innermost, openCallOf, openLoop } from './frame-search.ts';
import type {
  AnsweredEntry,
  BeganEntry,
  FailureEntry,
  InDoubtEntry,
  IntentEntry,
  JournalEntry,
  ResultEntry,
  RetryEntry,
  StopEntry,
} from './journal.ts';
import { isInFinally } from './lane-shield.ts';
import { closeSplit, dropLane, joinBranches, openSplit, rest, stopLane, unwindLane } from './lanes.ts';
import {
  askNextCatch,
  closeLoop,
  endAttempt,
  enqueue,
  failCall,
  follow,
  jump,
  raise,
  recordError,
  recover,
  settle,
} from './regions.ts';
import { applyResourceChanges } from './resource-record.ts';
import { type Lane, laneOf, newRunState, type RunState, rootLane } from './run-state.ts';
import { noteOutputs } from './skipped-outputs.ts';
import { restoreSnapshot } from './snapshot.ts';
import { isOwnFailure } from './stop-entry.ts';

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
      applyBegan(state, entry);
      publishRootInputs(plan, rootLane(state));
      settle(plan, rootLane(state));
      return;
    case 'intent':
      applyIntent(laneOf(state, entry), entry);
      return;
    case 'result':
      applyResult(plan, laneOf(state, entry), entry);
      return;
    case 'failure':
      applyFailure(plan, laneOf(state, entry), entry);
      return;
    case 'retry':
      applyRetry(laneOf(state, entry), entry);
      return;
    case 'in_doubt':
      applyDoubt(state, entry);
      return;
    case 'answered':
      applyAnswer(state, entry);
      return;
    case 'stop':
      applyStop(plan, state, entry);
      return;
    case 'interrupted': {
      const lane = laneOf(state, entry);
      noteCutOff(lane);
      endStep(lane, entry);
      unwindLane(plan, lane);
      return;
    }
    case 'lane_stop':
      stopLane(plan, laneOf(state, entry), entry.error);
      return;
    case 'lane_dropped':
      dropLane(plan, laneOf(state, entry));
      return;
    case 'outcome':
      state.outcome = entry.outcome;
      return;
    case 'snapshot':
      return;
  }
}

function applyBegan(state: RunState, entry: BeganEntry): void {
  state.workflowHash = entry.workflow_hash;
  state.library = entry.library ?? null;
  state.begunAt = entry.at;
  rootLane(state).variables = new Map(Object.entries(entry.variables));
}

function applyIntent(lane: Lane, entry: IntentEntry): void {
  beginStep(lane, entry.step);
  lane.retried = retriedBy(lane, entry);
  lane.intent = entry;
  lane.run.doubt = null;
  lane.doubt = null;
  lane.answered = null;
}

function retriedBy({ intent, answered, retried }: Lane, { step }: IntentEntry): readonly CutOff[] {
  const ofStep = retried.filter((attempt) => attempt.step === step);
  const isRetry = intent?.effect === 'effect' && intent.step === step && answered?.answer === 'retry';
  return isRetry ? [...ofStep, cutOffOf(intent)] : ofStep;
}

function applyDoubt(state: RunState, entry: InDoubtEntry): void {
  if (entry.node_id === null) state.doubt = askedBy(entry);
  else laneOf(state, entry).doubt = askedBy(entry);
}

/** The intent of a node stays until the entry that settles it. */
function applyAnswer(state: RunState, entry: AnsweredEntry): void {
  if (entry.node_id === null) {
    applyAnswerAboutAll(state, entry);
    return;
  }
  const lane = laneOf(state, entry);
  lane.doubt = null;
  lane.answered = entry;
}

function applyAnswerAboutAll(state: RunState, entry: AnsweredEntry): void {
  state.doubt = null;
  state.doubtsAnswered += 1;
  if (entry.answer === 'retry') state.library = entry.library ?? null;
}

function applyRetry(lane: Lane, entry: RetryEntry): void {
  lane.intent = null;
  lane.doubt = null;
  lane.answered = null;
  countTime(lane, entry);
  lane.retrying = {
    step: entry.step,
    node_id: entry.node_id,
    attempt: entry.attempt,
    retries: (lane.retrying?.retries ?? 0) + 1,
  };
}

/** The visit that ends a loop has no outputs of its own: those of the last iteration stay. */
function applyResult(plan: FlowPlan, lane: Lane, entry: ResultEntry): void {
  noteSkip(lane.run, entry);
  if (entry.skipped === true) noteDoubtfulEnd(lane);
  endStep(lane, entry);
  const isLastVisit = entry.control?.op === 'close_loop' && openLoop(lane, entry.node_id) !== undefined;
  storeValues(lane, isLastVisit ? { ...entry, outputs: lane.outputs.get(entry.node_id) ?? {} } : entry);
  const node = plan.workflow.nodes.get(entry.node_id);
  if (node !== undefined) noteOutputs(lane, entry, node);
  if (isLeft(lane)) {
    // A try node that ended says that its region is entered: whoever leaves it passes its finally body.
    if (entry.control?.op === 'open_try') applyControl(plan, lane, entry, entry.control);
    unwindLane(plan, lane);
    return;
  }
  if (entry.control === undefined) followExit(plan, lane, entry);
  else applyControl(plan, lane, entry, entry.control);
  rest(plan, lane);
}

function applyFailure(plan: FlowPlan, lane: Lane, entry: FailureEntry): void {
  if (entry.error.ambiguous === true) noteDoubtfulEnd(lane);
  endStep(lane, entry);
  if (isLeft(lane)) {
    recordError(lane.run, entry.error);
    unwindLane(plan, lane);
    return;
  }
  const top = innermost(lane);
  if (top.kind === 'split') closeSplit(lane, top);
  if (openCallOf(lane, entry.node_id) === undefined) raise(plan, lane, entry.error, entry.node_id);
  else failCall(plan, lane, entry.node_id, entry.error);
  rest(plan, lane);
}

/** True when the lane was told to stop while this step was under way: its result counts, but nothing follows it. */
function isLeft(lane: Lane): boolean {
  return lane.stop !== null && !isInFinally(lane);
}

function applyStop(plan: FlowPlan, state: RunState, entry: StopEntry): void {
  const lane = laneOf(state, entry);
  state.stop = entry.stop;
  if (entry.node_id !== null && entry.step !== null) {
    if (!isOwnFailure(entry)) noteCutOff(lane);
    endStep(lane, { ...entry, step: entry.step, node_id: entry.node_id });
  }
  if (entry.stop.status === 'failed') recordError(state, entry.stop.error);
  stopLane(plan, rootLane(state), null);
}

function noteSkip({ lanes, skipped }: RunState, { node_id, skipped: isSkipped = false }: ResultEntry): void {
  if (!isSkipped) skipped.delete(node_id);
  else if (![...lanes.values()].some(({ executed }) => executed.has(node_id))) skipped.add(node_id);
}

interface EndedStep {
  readonly step: number;
  readonly node_id: string;
  readonly duration_ms?: number;
  readonly at: number;
}

/** The node leaves the queue it was waiting in; loop starts, catch and finally nodes may come without one. */
function endStep(lane: Lane, entry: EndedStep): void {
  beginStep(lane, entry.step);
  lane.intent = null;
  lane.retried = [];
  lane.retrying = null;
  lane.doubt = null;
  lane.answered = null;
  lane.executed.add(entry.node_id);
  if (entry.duration_ms !== undefined) countTime(lane, { duration_ms: entry.duration_ms, at: entry.at });
  const { queue } = innermost(lane);
  if (queue[0] === entry.node_id) queue.shift();
}

/** Nodes that run side by side take their time once. */
function countTime(lane: Lane, entry: { readonly duration_ms: number; readonly at: number }): void {
  const { run } = lane;
  const counted = Math.min(entry.duration_ms, Math.max(0, entry.at - run.activeUntil));
  run.activeMs += counted;
  run.activeUntil = entry.at;
  for (const frame of lane.frames) if (frame.kind === 'call') frame.spentMs += entry.duration_ms;
  for (let at = lane.parent; at !== null; at = at.parent) {
    for (const frame of at.frames) if (frame.kind === 'call') frame.spentMs += counted;
  }
}

function beginStep(lane: Lane, step: number): void {
  lane.run.step = Math.max(lane.run.step, step);
  if (step <= lane.lastStep) return;
  lane.lastStep = step;
  lane.steps += 1;
}

function followExit(plan: FlowPlan, lane: Lane, entry: ResultEntry): void {
  if (entry.exit !== null) follow(plan, lane, entry.node_id, entry.exit);
}

function applyControl(plan: FlowPlan, lane: Lane, entry: ResultEntry, control: ControlOp): void {
  const nodeId = entry.node_id;
  const top = innermost(lane);
  switch (control.op) {
    case 'open_loop':
      lane.frames.push({
        kind: 'loop',
        node: nodeId,
        source: control.source,
        itemVar: control.item_var,
        index: 0,
        queue: [],
      });
      followExit(plan, lane, entry);
      return;
    case 'next': {
      const loop = openLoop(lane, nodeId);
      if (loop !== undefined) loop.index += 1;
      followExit(plan, lane, entry);
      return;
    }
    case 'close_loop':
      closeLoop(plan, lane, nodeId);
      return;
    case 'end_path':
      return;
    case 'open_fork':
      openSplit(plan, lane, {
        node: nodeId,
        ordinal: lane.steps,
        failFast: control.fail_fast,
        work: { kind: 'branches', count: control.branches },
      });
      return;
    case 'skip_fork': {
      const join = plan.joinOf(nodeId);
      if (join !== null) enqueue(plan, lane, [join]);
      return;
    }
    case 'join':
      joinBranches(lane, control.branches);
      followExit(plan, lane, entry);
      return;
    case 'open_items':
      openSplit(plan, lane, {
        node: nodeId,
        ordinal: lane.steps,
        failFast: control.fail_fast,
        work: {
          kind: 'items',
          source: control.source,
          itemVar: control.item_var,
          batchSize: control.batch_size,
          timeoutMs: control.timeout_ms,
          results: [],
          isBroken: false,
        },
      });
      return;
    case 'break':
    case 'continue':
      jump(plan, lane, control.op, control.loop);
      return;
    case 'open_try':
      lane.frames.push({
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
      followExit(plan, lane, entry);
      return;
    case 'caught':
      if (top.kind === 'try') top.catches = [];
      followExit(plan, lane, entry);
      return;
    case 'not_caught':
      askNextCatch(plan, lane);
      return;
    case 'finally':
      if (top.kind === 'try' && top.phase === 'finally' && plan.finallyOf(top.node) === nodeId) top.entered = true;
      followExit(plan, lane, entry);
      return;
    case 'open_call':
      openCall(plan, lane, nodeId, control);
      return;
    case 'close_call':
      if (top.kind === 'call' && top.node === nodeId) closeCall(lane, top);
      followExit(plan, lane, entry);
      return;
    case 'open_retry':
      lane.frames.push({
        kind: 'retry',
        node: nodeId,
        maxAttempts: control.max_attempts,
        retriesAmbiguous: control.retry_ambiguous,
        phase: 'body',
        attempt: 1,
        error: null,
        queue: [],
      });
      followExit(plan, lane, entry);
      return;
    case 'next_attempt':
      if (top.kind === 'retry' && top.node === nodeId) {
        top.phase = 'body';
        top.attempt += 1;
      }
      followExit(plan, lane, entry);
      return;
    case 'end_attempt':
      endAttempt(plan, lane, control.message === null ? null : attemptError(control.message, nodeId));
      return;
    case 'recover':
      recover(plan, lane, control);
      return;
  }
}

function attemptError(message: string, nodeId: string): RunError {
  return {
    code: 'ATTEMPT_FAILED',
    category: 'permanent',
    message,
    node_id: nodeId,
    node_type: 'RetryFailNode',
    error_type: 'RetryFailed',
  };
}

/**
 * What a journal of another workflow still tells: variables, outputs, which nodes ran. Control is left out,
 * because this workflow's regions are not the ones that were walked.
 */
export function foldValues(entries: readonly JournalEntry[]): RunState {
  const from = entries.findLastIndex((entry) => entry.kind === 'snapshot');
  const snapshot = entries[from];
  const state = snapshot?.kind === 'snapshot' ? restoreSnapshot(snapshot.state) : newRunState([]);
  const root = rootLane(state);
  for (const entry of entries.slice(from + 1)) {
    noteWork(root, entry);
    if (entry.kind === 'began') applyBegan(state, entry);
    else if ('lane' in entry) continue;
    else if (entry.kind === 'intent') applyIntent(root, entry);
    else if (entry.kind === 'in_doubt') applyDoubt(state, entry);
    else if (entry.kind === 'answered' && entry.node_id === null) applyAnswerAboutAll(state, entry);
    else if (entry.kind === 'result') storeValues(root, entry);
  }
  return state;
}

/** What was done, in whatever lane. Lanes are not opened here: what they wrote stays with them. */
function noteWork(root: Lane, entry: JournalEntry): void {
  switch (entry.kind) {
    case 'result':
      noteSkip(root.run, entry);
      root.executed.add(entry.node_id);
      countTime(root, entry);
      return;
    case 'failure':
      root.executed.add(entry.node_id);
      countTime(root, entry);
      return;
    case 'retry':
      countTime(root, entry);
      return;
    case 'interrupted':
    case 'stop':
      if (entry.node_id !== null) root.executed.add(entry.node_id);
      return;
  }
}

function storeValues(lane: Lane, entry: ResultEntry): void {
  for (const [name, value] of Object.entries(entry.variables)) lane.variables.set(name, value);
  lane.outputs.set(entry.node_id, entry.outputs);
  if (entry.unstorable === true) lane.run.hasUnstorable = true;
  applyResourceChanges(lane.run.resources, entry.resources ?? []);
  if (Object.keys(entry.outputs).length > 0) lane.lastOutputs = entry.node_id;
}
