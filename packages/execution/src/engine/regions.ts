/**
 * The rules of regions: how a lane's walk goes on in them, and how they are left. Every function changes the given
 * lane, which the fold owns, and is otherwise pure.
 *
 * - A region runs to its end before what surrounds it goes on.
 * - An error goes to the innermost try region; loops on its way are closed.
 * - `finally` runs on every way out: end, error, break, continue, stop. Whatever fails inside it takes the
 *   place of what was on its way, except a stop.
 */
import { publishedError } from '../control/published-error.ts';
import type { RunError } from '../errors.ts';
import type { FlowPlan } from './flow-plan.ts';
import type { Frame, Leaving, LoopFrame, TryFrame } from './frames.ts';
import { hasExecuted } from './lane-values.ts';
import { type Lane, MAX_ERRORS, type RunState } from './run-state.ts';

/** Puts what follows an exit into the innermost queue. */
export function follow(plan: FlowPlan, lane: Lane, nodeId: string, exit: string): void {
  enqueue(plan, lane, plan.targetsOf(nodeId, exit));
}

function enqueue(plan: FlowPlan, lane: Lane, nodeIds: readonly string[]): void {
  const { queue } = innermost(lane);
  for (const nodeId of nodeIds) if (!isFinallyOfRegion(plan, lane, nodeId)) queue.push(nodeId);
}

/** A path that leads to the finally node of its own region ends there: the region runs it by itself, once. */
function isFinallyOfRegion(plan: FlowPlan, lane: Lane, nodeId: string): boolean {
  const tryId = plan.tryOfFinally(nodeId);
  return tryId !== null && hasExecuted(lane, tryId);
}

export function innermost(lane: Lane): Frame {
  const frame = lane.frames.at(-1);
  if (frame === undefined) throw new Error('a lane always has its root frame');
  return frame;
}

export function openLoop(lane: Lane, nodeId: string): LoopFrame | undefined {
  return lane.frames.findLast((frame): frame is LoopFrame => frame.kind === 'loop' && frame.node === nodeId);
}

export function innermostLoop(lane: Lane): LoopFrame | undefined {
  return lane.frames.findLast((frame): frame is LoopFrame => frame.kind === 'loop');
}

/** Closes the loop of a start node, if it is open, and goes on behind it: `completed` and its end nodes' exits. */
export function closeLoop(plan: FlowPlan, lane: Lane, loopId: string): void {
  const top = innermost(lane);
  if (top.kind === 'loop' && top.node === loopId) lane.frames.pop();
  const behindEnds = plan.endsOfLoop(loopId).flatMap((end) => plan.targetsOf(end, 'exec_out'));
  const behind = [...plan.targetsOf(loopId, 'completed'), ...behindEnds.filter((nodeId) => nodeId !== loopId)];
  enqueue(plan, lane, [...new Set(behind)]);
}

/** Leaves or repeats an open loop, through the finally bodies between here and there. */
export function jump(plan: FlowPlan, lane: Lane, kind: 'break' | 'continue', loop: string): void {
  for (;;) {
    const top = innermost(lane);
    if (top.kind === 'root') throw new Error(`no open loop ${loop}`);
    if (top.kind === 'loop' && top.node === loop) {
      top.queue = [];
      if (kind === 'break') closeLoop(plan, lane, loop);
      return;
    }
    if (top.kind === 'try' && top.phase !== 'finally') {
      if (enterFinally(plan, top, { kind, loop })) return;
    } else if (top.kind === 'try' && top.leaving?.kind === 'stop') {
      lane.frames.pop();
      unwindForStop(plan, lane);
      return;
    }
    lane.frames.pop();
  }
}

/** Takes an error to the innermost try region. `origin` is where a walk that goes on in spite of it goes on. */
export function raise(plan: FlowPlan, lane: Lane, error: RunError, origin: string): void {
  const region = lane.frames.findLast((frame): frame is TryFrame => frame.kind === 'try');
  if (region === undefined) {
    recordError(lane.run, error);
    if (plan.workflow.settings.stopOnError) lane.end = { kind: 'failed', error };
    else goOnAfterFailure(plan, lane, origin);
    return;
  }
  while (innermost(lane) !== region) lane.frames.pop();
  if (region.phase === 'try') offerToCatches(plan, lane, region, error);
  else if (region.phase === 'catch') enterFinallyOrLeave(plan, lane, region, { kind: 'error', error });
  else {
    const stopping = region.leaving?.kind === 'stop';
    if (stopping) recordError(lane.run, error);
    leave(plan, lane, region, stopping ? { kind: 'stop' } : { kind: 'error', error });
  }
}

function goOnAfterFailure(plan: FlowPlan, lane: Lane, origin: string): void {
  if (openLoop(lane, origin) !== undefined) {
    closeLoop(plan, lane, origin);
    return;
  }
  const exit = plan.normalExitOf(origin);
  if (exit === 'completed') closeLoop(plan, lane, origin);
  else if (exit !== null) follow(plan, lane, origin, exit);
}

function offerToCatches(plan: FlowPlan, lane: Lane, region: TryFrame, error: RunError): void {
  region.phase = 'catch';
  region.error = error;
  region.hadError = true;
  region.queue = [];
  region.catches = [...plan.catchesOf(region.node)];
  if (region.catches.length > 0) return;
  follow(plan, lane, region.node, 'catch');
  if (region.queue.length === 0) {
    enterFinallyOrLeave(plan, lane, region, { kind: 'error', error });
    return;
  }
  const { error_message, error_type } = publishedError(error);
  lane.outputs.set(region.node, { error_message, error_type });
}

/** The asked catch node does not want the error. */
export function askNextCatch(plan: FlowPlan, lane: Lane): void {
  const region = innermost(lane);
  if (region.kind !== 'try' || region.error === null) throw new Error('only a catch phase asks catch nodes');
  region.catches.shift();
  if (region.catches.length === 0) {
    enterFinallyOrLeave(plan, lane, region, { kind: 'error', error: region.error });
  }
}

/** Begins the stop: everything up to the first finally body is dropped; one that is under way goes on. */
export function unwindForStop(plan: FlowPlan, lane: Lane): void {
  const underWay = lane.frames.find((frame): frame is TryFrame => frame.kind === 'try' && frame.phase === 'finally');
  if (underWay !== undefined) {
    underWay.leaving = { kind: 'stop' };
    return;
  }
  for (;;) {
    const top = innermost(lane);
    if (top.kind === 'root') {
      top.queue = [];
      return;
    }
    if (top.kind === 'try' && enterFinally(plan, top, { kind: 'stop' })) return;
    lane.frames.pop();
  }
}

/**
 * Brings the stack to rest after every change: drops paths that lead back to the start of an open loop, and
 * moves try regions on whose queue is empty. Afterwards `nextNode` can name the next node.
 */
export function settle(plan: FlowPlan, lane: Lane): void {
  for (;;) {
    const top = innermost(lane);
    const head = top.queue[0];
    if (head !== undefined) {
      if (openLoop(lane, head) === undefined) return;
      top.queue.shift();
      if (innermostLoop(lane)?.node !== head) jump(plan, lane, 'continue', head);
    } else if (top.kind !== 'try' || isWaitingForItsNode(top)) {
      return;
    } else if (top.phase === 'finally') {
      leave(plan, lane, top, top.leaving);
    } else {
      enterFinallyOrLeave(plan, lane, top, null);
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

function enterFinallyOrLeave(plan: FlowPlan, lane: Lane, frame: TryFrame, leaving: Leaving | null): void {
  if (!enterFinally(plan, frame, leaving)) leave(plan, lane, frame, leaving);
}

/** Closes a try region and takes up what was on its way. */
function leave(plan: FlowPlan, lane: Lane, frame: TryFrame, leaving: Leaving | null): void {
  lane.frames.pop();
  if (leaving === null) {
    follow(plan, lane, frame.node, 'exec_out');
    if (!frame.hadError) follow(plan, lane, frame.node, 'success');
  } else if (leaving.kind === 'error') {
    raise(plan, lane, leaving.error, frame.node);
  } else if (leaving.kind === 'stop') {
    unwindForStop(plan, lane);
  } else {
    jump(plan, lane, leaving.kind, leaving.loop);
  }
}

export function recordError(run: RunState, error: RunError): void {
  run.errors.push(error);
  if (run.errors.length > MAX_ERRORS) {
    run.errors.shift();
    run.errorsDropped += 1;
  }
}
