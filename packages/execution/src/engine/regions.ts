/**
 * The rules of regions: how a walk goes on in them, and how they are left. Every function changes the given
 * state, which the fold owns, and is otherwise pure.
 *
 * - A region runs to its end before what surrounds it goes on.
 * - An error goes to the innermost try region; loops on its way are closed.
 * - `finally` runs on every way out: end, error, break, continue, stop. Whatever fails inside it takes the
 *   place of what was on its way, except a stop.
 */
import { publishedError } from '../control/published-error.ts';
import type { RunError } from '../errors.ts';
import type { FlowPlan } from './flow-plan.ts';
import { type Leaving, type LoopFrame, MAX_ERRORS, type RunState, type TryFrame } from './run-state.ts';

/** Puts what follows an exit into the innermost queue. */
export function follow(plan: FlowPlan, state: RunState, nodeId: string, exit: string): void {
  enqueue(plan, state, plan.targetsOf(nodeId, exit));
}

function enqueue(plan: FlowPlan, state: RunState, nodeIds: readonly string[]): void {
  const { queue } = innermost(state);
  for (const nodeId of nodeIds) if (!isFinallyOfRegion(plan, state, nodeId)) queue.push(nodeId);
}

/** A path that leads to the finally node of its own region ends there: the region runs it by itself, once. */
function isFinallyOfRegion(plan: FlowPlan, state: RunState, nodeId: string): boolean {
  const tryId = plan.tryOfFinally(nodeId);
  return tryId !== null && state.executed.has(tryId);
}

export function innermost(state: RunState): RunState['frames'][number] {
  const frame = state.frames.at(-1);
  if (frame === undefined) throw new Error('a run always has its root frame');
  return frame;
}

export function openLoop(state: RunState, nodeId: string): LoopFrame | undefined {
  return state.frames.findLast((frame): frame is LoopFrame => frame.kind === 'loop' && frame.node === nodeId);
}

export function innermostLoop(state: RunState): LoopFrame | undefined {
  return state.frames.findLast((frame): frame is LoopFrame => frame.kind === 'loop');
}

/** Closes the loop of a start node, if it is open, and goes on behind it: `completed` and its end nodes' exits. */
export function closeLoop(plan: FlowPlan, state: RunState, loopId: string): void {
  const top = innermost(state);
  if (top.kind === 'loop' && top.node === loopId) state.frames.pop();
  const behindEnds = plan.endsOfLoop(loopId).flatMap((end) => plan.targetsOf(end, 'exec_out'));
  const behind = [...plan.targetsOf(loopId, 'completed'), ...behindEnds.filter((nodeId) => nodeId !== loopId)];
  enqueue(plan, state, [...new Set(behind)]);
}

/** Leaves or repeats an open loop, through the finally bodies between here and there. */
export function jump(plan: FlowPlan, state: RunState, kind: 'break' | 'continue', loop: string): void {
  for (;;) {
    const top = innermost(state);
    if (top.kind === 'root') throw new Error(`no open loop ${loop}`);
    if (top.kind === 'loop' && top.node === loop) {
      top.queue = [];
      if (kind === 'break') closeLoop(plan, state, loop);
      return;
    }
    if (top.kind === 'try' && top.phase !== 'finally') {
      if (enterFinally(plan, top, { kind, loop })) return;
    } else if (top.kind === 'try' && top.leaving?.kind === 'stop') {
      state.frames.pop();
      unwindForStop(plan, state);
      return;
    }
    state.frames.pop();
  }
}

/** Takes an error to the innermost try region. `origin` is where a walk that goes on in spite of it goes on. */
export function raise(plan: FlowPlan, state: RunState, error: RunError, origin: string): void {
  const region = state.frames.findLast((frame): frame is TryFrame => frame.kind === 'try');
  if (region === undefined) {
    recordError(state, error);
    if (plan.workflow.settings.stopOnError) state.failure = error;
    else goOnAfterFailure(plan, state, origin);
    return;
  }
  while (innermost(state) !== region) state.frames.pop();
  if (region.phase === 'try') offerToCatches(plan, state, region, error);
  else if (region.phase === 'catch') enterFinallyOrLeave(plan, state, region, { kind: 'error', error });
  else {
    const stopping = region.leaving?.kind === 'stop';
    if (stopping) recordError(state, error);
    leave(plan, state, region, stopping ? { kind: 'stop' } : { kind: 'error', error });
  }
}

function goOnAfterFailure(plan: FlowPlan, state: RunState, origin: string): void {
  if (openLoop(state, origin) !== undefined) {
    closeLoop(plan, state, origin);
    return;
  }
  const exit = plan.normalExitOf(origin);
  if (exit === 'completed') closeLoop(plan, state, origin);
  else if (exit !== null) follow(plan, state, origin, exit);
}

function offerToCatches(plan: FlowPlan, state: RunState, region: TryFrame, error: RunError): void {
  region.phase = 'catch';
  region.error = error;
  region.hadError = true;
  region.queue = [];
  region.catches = [...plan.catchesOf(region.node)];
  if (region.catches.length > 0) return;
  follow(plan, state, region.node, 'catch');
  if (region.queue.length === 0) {
    enterFinallyOrLeave(plan, state, region, { kind: 'error', error });
    return;
  }
  const { error_message, error_type } = publishedError(error);
  state.outputs.set(region.node, { error_message, error_type });
}

/** The asked catch node does not want the error. */
export function askNextCatch(plan: FlowPlan, state: RunState): void {
  const region = innermost(state);
  if (region.kind !== 'try' || region.error === null) throw new Error('only a catch phase asks catch nodes');
  region.catches.shift();
  if (region.catches.length === 0) {
    enterFinallyOrLeave(plan, state, region, { kind: 'error', error: region.error });
  }
}

/** Begins the stop: everything up to the first finally body is dropped; one that is under way goes on. */
export function unwindForStop(plan: FlowPlan, state: RunState): void {
  const underWay = state.frames.find((frame): frame is TryFrame => frame.kind === 'try' && frame.phase === 'finally');
  if (underWay !== undefined) {
    underWay.leaving = { kind: 'stop' };
    return;
  }
  for (;;) {
    const top = innermost(state);
    if (top.kind === 'root') {
      top.queue = [];
      return;
    }
    if (top.kind === 'try' && enterFinally(plan, top, { kind: 'stop' })) return;
    state.frames.pop();
  }
}

/**
 * Brings the stack to rest after every change: drops paths that lead back to the start of an open loop, and
 * moves try regions on whose queue is empty. Afterwards `nextNode` can name the next node.
 */
export function settle(plan: FlowPlan, state: RunState): void {
  for (;;) {
    const top = innermost(state);
    const head = top.queue[0];
    if (head !== undefined) {
      if (openLoop(state, head) === undefined) return;
      top.queue.shift();
      if (innermostLoop(state)?.node !== head) jump(plan, state, 'continue', head);
    } else if (top.kind !== 'try' || isWaitingForItsNode(top)) {
      return;
    } else if (top.phase === 'finally') {
      leave(plan, state, top, top.leaving);
    } else {
      enterFinallyOrLeave(plan, state, top, null);
    }
  }
}

/** True while a catch node or the finally node itself is next. */
function isWaitingForItsNode(frame: TryFrame): boolean {
  return (frame.phase === 'catch' && frame.catches.length > 0) || (frame.phase === 'finally' && !frame.entered);
}

/** False when the region has no finally node: the frame is unchanged then. */
function enterFinally(plan: FlowPlan, frame: TryFrame, leaving: Leaving | null): boolean {
  if (plan.finallyOf(frame.node) === null) return false;
  frame.phase = 'finally';
  frame.entered = false;
  frame.leaving = leaving;
  frame.catches = [];
  frame.queue = [];
  return true;
}

function enterFinallyOrLeave(plan: FlowPlan, state: RunState, frame: TryFrame, leaving: Leaving | null): void {
  if (!enterFinally(plan, frame, leaving)) leave(plan, state, frame, leaving);
}

/** Closes a try region and takes up what was on its way. */
function leave(plan: FlowPlan, state: RunState, frame: TryFrame, leaving: Leaving | null): void {
  state.frames.pop();
  if (leaving === null) {
    follow(plan, state, frame.node, 'exec_out');
    if (!frame.hadError) follow(plan, state, frame.node, 'success');
  } else if (leaving.kind === 'error') {
    raise(plan, state, leaving.error, frame.node);
  } else if (leaving.kind === 'stop') {
    unwindForStop(plan, state);
  } else {
    jump(plan, state, leaving.kind, leaving.loop);
  }
}

export function recordError(state: RunState, error: RunError): void {
  state.errors.push(error);
  if (state.errors.length > MAX_ERRORS) {
    state.errors.shift();
    state.errorsDropped += 1;
  }
}
