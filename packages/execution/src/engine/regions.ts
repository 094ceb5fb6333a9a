/**
 * The rules of regions: how a lane's walk goes on in them, and how they are left. Every function changes the given
 * lane, which the fold owns, and is otherwise pure.
 *
 * - A region runs to its end before what surrounds it goes on.
 * - An error goes to the innermost region that takes errors (try, retry, call); loops on its way are closed.
 * - `finally` runs on every way out: end, error, break, continue, stop. Whatever fails inside it takes the
 *   place of what was on its way, except a stop.
 */
import type { ControlOp } from '../control/control-op.ts';
import { publishedError } from '../control/published-error.ts';
import { RECOVERY_STRATEGY } from '../control/recovery-nodes.ts';
import type { RunError } from '../errors.ts';
import { closeCall, closeFailedCall } from './call-region.ts';
import type { FlowPlan } from './flow-plan.ts';
import {
  innermost,
  innermostCatch,
  innermostLoop,
  isOpenRetry,
  openCallOf,
  openLoop,
  ownParallelLoop,
  takesErrors,
} from './frame-search.ts';
import type { CallFrame, Frame, Leaving, RetryFrame, TryFrame } from './frames.ts';
import { hasExecuted, scopedName, variableOf } from './lane-values.ts';
import { type Lane, MAX_ERRORS, type RunState } from './run-state.ts';

/** Puts what follows an exit into the innermost queue. */
export function follow(plan: FlowPlan, lane: Lane, nodeId: string, exit: string): void {
  enqueue(plan, lane, plan.targetsOf(nodeId, exit));
}

export function enqueue(plan: FlowPlan, lane: Lane, nodeIds: readonly string[]): void {
  const { queue } = innermost(lane);
  for (const nodeId of nodeIds) {
    if (!isFinallyOfRegion(plan, lane, nodeId) && !isBorder(lane, nodeId)) queue.push(nodeId);
  }
}

/** Where a path of a lane ends because what comes next is the business of a lane around it. */
function isBorder(lane: Lane, nodeId: string): boolean {
  for (let at = lane; at.parent !== null; at = at.parent) {
    if (at.origin?.border === nodeId || openLoop(at.parent, nodeId) !== undefined) return true;
    if (isOpenRetry(at.parent, nodeId)) return true;
  }
  return false;
}

/** A path that leads to the finally node of its own region ends there: the region runs it by itself, once. */
function isFinallyOfRegion(plan: FlowPlan, lane: Lane, nodeId: string): boolean {
  const tryId = plan.tryOfFinally(nodeId);
  return tryId !== null && hasExecuted(lane, tryId);
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
  const isItem = ownParallelLoop(lane) === loop;
  const target = unwind(plan, lane, { kind, loop }, (frame) =>
    isItem ? frame.kind === 'root' : frame.kind === 'loop' && frame.node === loop,
  );
  if (target === null) return;
  target.queue = [];
  if (kind === 'continue') return;
  if (isItem) lane.hasBroken = true;
  else closeLoop(plan, lane, loop);
}

/** Ends the attempt of the innermost retry region; with an error, it has failed. */
export function endAttempt(plan: FlowPlan, lane: Lane, error: RunError | null): void {
  const region = unwind(plan, lane, { kind: 'end_attempt', error }, (frame) => frame.kind === 'retry');
  if (region?.kind !== 'retry') return;
  if (error === null) succeed(plan, lane, region);
  else failAttempt(plan, lane, region, error);
}

/** Ends an open call with an error, through the finally bodies inside of it; nothing inside can catch it. */
export function failCall(plan: FlowPlan, lane: Lane, call: string, error: RunError): void {
  const open = openCallOf(lane, call);
  if (open !== undefined) open.limitMs = null;
  const frame = unwind(
    plan,
    lane,
    { kind: 'fail_call', call, error },
    (candidate) => candidate.kind === 'call' && candidate.node === call,
  );
  if (frame?.kind === 'call') leaveFailedCall(plan, lane, frame, error);
}

/** Drops frames up to the one that is meant; null when a finally body, or a stop, comes first. */
function unwind(plan: FlowPlan, lane: Lane, leaving: Leaving, isMeant: (frame: Frame) => boolean): Frame | null {
  for (;;) {
    const top = innermost(lane);
    if (isMeant(top)) return top;
    if (top.kind === 'root') throw new Error(`no region for ${leaving.kind} is open`);
    if (top.kind === 'try' && top.phase !== 'finally') {
      if (enterFinally(plan, top, leaving)) return null;
    } else if (top.kind === 'try' && top.leaving?.kind === 'stop') {
      lane.frames.pop();
      unwindForStop(plan, lane);
      return null;
    }
    if (top.kind === 'call') closeCall(lane, top);
    else lane.frames.pop();
  }
}

/** Takes an error to the innermost region that takes errors. `origin` is where a walk that goes on in spite of it goes on. */
export function raise(plan: FlowPlan, lane: Lane, error: RunError, origin: string): void {
  const region = lane.frames.findLast(takesErrors);
  if (region === undefined || (region.kind === 'call' && passesOver(plan, lane, origin))) {
    raiseOutOfLane(plan, lane, error, origin);
    return;
  }
  while (innermost(lane) !== region) lane.frames.pop();
  if (region.kind === 'call') leaveFailedCall(plan, lane, region, error);
  else if (region.kind === 'retry') failAttempt(plan, lane, region, error);
  else if (region.phase === 'try') offerToCatches(plan, lane, region, error);
  else if (region.phase === 'catch') enterFinallyOrLeave(plan, lane, region, { kind: 'error', error });
  else {
    const stopping = region.leaving?.kind === 'stop';
    if (stopping) recordError(lane.run, error);
    leave(plan, lane, region, stopping ? { kind: 'stop' } : { kind: 'error', error });
  }
}

/** Whether an error that no region takes is put down and passed over: as an ErrorRecoveryNode, else the file says. */
function passesOver(plan: FlowPlan, lane: Lane, origin: string): boolean {
  const strategy = variableOf(lane, scopedName(plan.scopeOf(origin), RECOVERY_STRATEGY));
  if (strategy === 'continue') return true;
  return strategy !== 'stop' && !plan.settingsOf(origin).stopOnError;
}

/** Around a lane there may be a region that takes the error; it goes there through the end of the lane. */
function raiseOutOfLane(plan: FlowPlan, lane: Lane, error: RunError, origin: string): void {
  const goesOn = passesOver(plan, lane, origin) && !isTakenAround(plan, lane, origin);
  if (lane.parent === null || goesOn) recordError(lane.run, error);
  if (!goesOn) {
    lane.end = { kind: 'failed', error };
    return;
  }
  lane.passedOver ??= error;
  goOnAfterFailure(plan, lane, origin);
}

/** Whether the innermost region of the lanes around takes an error of this one. */
function isTakenAround(plan: FlowPlan, lane: Lane, origin: string): boolean {
  if (lane.frames.some(takesErrors)) return false;
  for (let at = lane.parent; at !== null; at = at.parent) {
    const region = at.frames.findLast(takesErrors);
    if (region !== undefined) return region.kind !== 'call' || !passesOver(plan, lane, origin);
  }
  return false;
}

function goOnAfterFailure(plan: FlowPlan, lane: Lane, origin: string): void {
  if (openLoop(lane, origin) !== undefined) {
    closeLoop(plan, lane, origin);
    return;
  }
  const join = plan.joinOf(origin);
  if (join !== null) {
    enqueue(plan, lane, [join]);
    return;
  }
  const exit = plan.normalExitOf(origin);
  if (exit === 'completed') closeLoop(plan, lane, origin);
  else if (exit !== null) follow(plan, lane, origin, exit);
}

/** The innermost frame must be the call's. Its error goes on outwards unless the calling node has a way for it. */
function leaveFailedCall(plan: FlowPlan, lane: Lane, frame: CallFrame, error: RunError): void {
  closeFailedCall(lane, frame, error);
  if (plan.targetsOf(frame.node, 'error').length > 0) follow(plan, lane, frame.node, 'error');
  else raise(plan, lane, error, frame.node);
}

/** The innermost frame must be the region's. What may have happened is not repeated, unless its config asks for it (I4). */
function failAttempt(plan: FlowPlan, lane: Lane, region: RetryFrame, error: RunError): void {
  const mayRepeat = error.ambiguous !== true || region.retriesAmbiguous;
  region.queue = [];
  region.error = error;
  if (mayRepeat && region.attempt < region.maxAttempts && region.phase === 'body') {
    region.phase = 'again';
    return;
  }
  lane.frames.pop();
  lane.outputs.set(region.node, { attempt: region.attempt, last_error: error.message });
  if (plan.targetsOf(region.node, 'failed').length > 0) follow(plan, lane, region.node, 'failed');
  else raise(plan, lane, error, region.node);
}

function succeed(plan: FlowPlan, lane: Lane, region: RetryFrame): void {
  lane.frames.pop();
  follow(plan, lane, region.node, 'success');
}

function offerToCatches(plan: FlowPlan, lane: Lane, region: TryFrame, error: RunError): void {
  region.phase = 'catch';
  region.error = error;
  region.hadError = true;
  region.queue = [];
  region.catches = [...plan.catchesOf(region.node)];
  if (region.catches.length > 0) return;
  follow(plan, lane, region.node, plan.handlersOf(region.node).error);
  if (region.queue.length === 0) {
    enterFinallyOrLeave(plan, lane, region, { kind: 'error', error });
    return;
  }
  lane.outputs.set(region.node, { ...publishedError(error), error_node: error.node_id });
}

/** What an ErrorRecoveryNode decided about the error of the innermost catch. */
export function recover(
  plan: FlowPlan,
  lane: Lane,
  { strategy, max_retries: maxRepeats }: Extract<ControlOp, { op: 'recover' }>,
): void {
  const region = innermostCatch(lane);
  if (region === undefined || region.error === null) throw new Error('only a catch phase has an error to recover from');
  const { error } = region;
  const repeats = region.repeats ?? 0;
  while (innermost(lane) !== region) lane.frames.pop();
  if (strategy === 'stop' || repeats >= maxRepeats || error.ambiguous === true) {
    enterFinallyOrLeave(plan, lane, region, { kind: 'error', error });
    return;
  }
  region.repeats = repeats + 1;
  region.phase = 'try';
  region.error = null;
  region.queue = [];
  follow(plan, lane, region.node, plan.typeOf(region.node).type === 'OnErrorNode' ? 'protected_body' : 'try_body');
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
    if (top.kind === 'call') closeCall(lane, top);
    else lane.frames.pop();
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
      if (isOpenRetry(lane, head)) top.queue.shift();
      else if (openLoop(lane, head) === undefined) return;
      else {
        top.queue.shift();
        if (innermostLoop(lane)?.node !== head) jump(plan, lane, 'continue', head);
      }
    } else if (top.kind === 'retry' && top.phase === 'body') {
      succeed(plan, lane, top);
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

/** False when the region has no finally node, or exit: the frame is unchanged then. */
function enterFinally(plan: FlowPlan, frame: TryFrame, leaving: Leaving | null): boolean {
  const { last } = plan.handlersOf(frame.node);
  const body = last === null ? [] : plan.targetsOf(frame.node, last);
  if (plan.finallyOf(frame.node) === null && body.length === 0) return false;
  frame.phase = 'finally';
  frame.entered = body.length > 0;
  frame.leaving = leaving;
  frame.catches = [];
  frame.queue = [...body];
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
  } else if (leaving.kind === 'end_attempt') {
    endAttempt(plan, lane, leaving.error);
  } else if (leaving.kind === 'fail_call') {
    failCall(plan, lane, leaving.call, leaving.error);
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
