/**
 * Lanes side by side: how they are opened, stopped, brought to their end, and what their parent makes of it. Pure
 * functions of the fold, as the rules of regions are.
 *
 *   running -> ended | failed | stopped      a lane; its parent goes on when none of a split's lanes runs any more
 *
 * - A branch of a fork ends where its paths end or come to the fork's join. When all have ended, the join runs in the
 *   parent and takes over what they wrote. Items of a parallel loop run batch by batch and leave only their results.
 * - An error that nothing in a lane takes ends it. With `fail_fast` the others are told to stop; otherwise they come to
 *   their end. Then the error is raised at the node that opened them, in the parent.
 * - What a stopped lane has under way comes to its end first: a result that arrives all the same counts.
 */
import type { EndedBranch } from '../control/control-type.ts';
import { elementAt, sizeOf } from '../control/loop-source.ts';
import type { RunError } from '../errors.ts';
import { noteCutOff } from './cut-off.ts';
import type { FlowPlan } from './flow-plan.ts';
import { innermost } from './frame-search.ts';
import type { Items, SplitFrame } from './frames.ts';
import { isInFinally } from './lane-shield.ts';
import { scopedName, variablesIn } from './lane-values.ts';
import { enqueue, raise, recordError, settle, unwindForStop } from './regions.ts';
import { addLane, type Lane } from './run-state.ts';
import { itemResult, itemVariables } from './split-results.ts';

export type Opening = Pick<SplitFrame, 'node' | 'ordinal' | 'failFast' | 'work'>;

/** Opens the lanes of a fork, or those of the first items of a parallel loop. */
export function openSplit(plan: FlowPlan, lane: Lane, opening: Opening): void {
  const frame: SplitFrame = {
    kind: 'split',
    ...opening,
    phase: 'open',
    from: 0,
    to: 0,
    ended: [],
    failures: [],
    queue: [],
  };
  lane.frames.push(frame);
  openBatch(plan, lane, frame);
  advance(plan, lane);
}

/** The lanes of a split that are open, in their order. */
export function lanesOf(lane: Lane, frame: SplitFrame): readonly Lane[] {
  const lanes: Lane[] = [];
  for (let index = frame.from; index < frame.to; index += 1) {
    const child = lane.run.lanes.get(childId(lane, frame, index));
    if (child !== undefined) lanes.push(child);
  }
  return lanes;
}

/** Brings a lane to rest after a change, and with it what waits for its end. */
export function rest(plan: FlowPlan, lane: Lane): void {
  if (lane.end.kind === 'running') settle(plan, lane);
  const { parent } = lane;
  if (parent === null || !bringToEnd(lane)) return;
  noteEnd(plan, parent, lane);
  advance(plan, parent);
}

/**
 * Tells a lane to stop, with all that runs in it. One with a node under way is unwound when that has ended, one in a
 * finally body when the body is over, any other at once.
 *
 * @param error what the lane ends with; null: as stopped
 */
export function stopLane(plan: FlowPlan, lane: Lane, error: RunError | null): void {
  if (lane.stop !== null || lane.end.kind !== 'running') return;
  lane.stop = { error };
  lane.run.stops += 1;
  const top = innermost(lane);
  if (isInFinally(lane)) unwindForStop(plan, lane);
  else if (top.kind === 'split' && top.phase === 'open')
    for (const child of lanesOf(lane, top)) stopLane(plan, child, null);
  else if (!hasStepUnderWay(lane)) unwindLane(plan, lane);
}

/** After the end of a node that a stop has hit: drops what would have followed, up to the first finally body. */
export function unwindLane(plan: FlowPlan, lane: Lane): void {
  const top = innermost(lane);
  if (top.kind === 'split') closeSplit(lane, top);
  unwindForStop(plan, lane);
  rest(plan, lane);
}

/** Drops what is left of a lane and of the lanes in it. */
export function dropLane(plan: FlowPlan, lane: Lane): void {
  for (const frame of lane.frames) if (frame.kind === 'split') closeSplit(lane, frame);
  lane.frames = [{ kind: 'root', queue: [] }];
  noteCutOff(lane);
  lane.intent = null;
  lane.retrying = null;
  lane.doubt = null;
  lane.answered = null;
  lane.stop ??= { error: null };
  rest(plan, lane);
}

export function hasStepUnderWay(lane: Lane): boolean {
  return lane.intent !== null || lane.retrying !== null;
}

/** The branches of a fork, in the order in which they ended. */
export function endedBranches(plan: FlowPlan, lane: Lane, frame: SplitFrame): readonly EndedBranch[] {
  const branches = lanesOf(lane, frame);
  return frame.ended.flatMap((index) => {
    const branch = branches.find(({ origin }) => origin?.index === index);
    return branch === undefined
      ? []
      : [{ index, variables: Object.fromEntries(variablesIn(plan.scopeOf(frame.node), branch.variables)) }];
  });
}

/** Takes over what branches wrote, in their order, and closes the fork. */
export function joinBranches(lane: Lane, branches: readonly number[]): void {
  const frame = innermost(lane);
  if (frame.kind !== 'split') return;
  for (const child of lanesOf(lane, frame)) {
    if (!branches.includes(child.origin?.index ?? -1)) continue;
    for (const [node, outputs] of child.outputs) {
      lane.outputs.set(node, outputs);
      lane.withoutOutputs.delete(node);
    }
    for (const [node, variables] of child.withoutOutputs) lane.withoutOutputs.set(node, variables);
  }
  closeSplit(lane, frame);
}

/** Forgets the lanes of a split; which nodes ran in them and what was passed over stays known. */
export function closeSplit(lane: Lane, frame: SplitFrame): void {
  forgetLanes(lane, frame);
  lane.frames = lane.frames.filter((other) => other !== frame);
}

function forgetLanes(lane: Lane, frame: SplitFrame): void {
  for (const child of lanesOf(lane, frame)) {
    for (const inner of child.frames) if (inner.kind === 'split') closeSplit(child, inner);
    noteCutOff(child);
    for (const node of child.executed) lane.executed.add(node);
    lane.passedOver ??= child.passedOver;
    lane.run.lanes.delete(child.id);
  }
}

function childId(lane: Lane, frame: SplitFrame, index: number): string {
  return `${lane.id}${frame.ordinal}.${index + 1}/`;
}

function openBatch(plan: FlowPlan, lane: Lane, frame: SplitFrame): void {
  const { work } = frame;
  frame.from = frame.to;
  frame.to = work.kind === 'branches' ? work.count : Math.min(frame.from + work.batchSize, sizeOf(work.source));
  for (let index = frame.from; index < frame.to; index += 1) openLane(plan, lane, frame, index);
  for (const child of lanesOf(lane, frame)) {
    settle(plan, child);
    if (bringToEnd(child)) noteEnd(plan, lane, child);
  }
}

function openLane(plan: FlowPlan, lane: Lane, { node, work, ...frame }: SplitFrame, index: number): void {
  const id = childId(lane, { node, work, ...frame }, index);
  const isItem = work.kind === 'items';
  const border = isItem ? node : plan.joinOf(node);
  const child = addLane(lane.run, {
    id,
    parent: lane,
    origin: { node, kind: isItem ? 'item' : 'branch', index, border },
  });
  if (isItem) {
    const scope = plan.scopeOf(node);
    for (const [name, value] of Object.entries(itemVariables(work, index))) {
      child.variables.set(scopedName(scope, name), value);
    }
    child.outputs.set(node, { current_item: elementAt(work.source, index).item, current_index: index });
  }
  enqueue(plan, child, plan.targetsOf(node, isItem ? 'body' : `branch_${index + 1}`));
}

/** True once the lane is over. */
function bringToEnd(lane: Lane): boolean {
  if (lane.end.kind !== 'running') return true;
  const isAtEnd = lane.frames.length === 1 && innermost(lane).queue.length === 0 && !hasStepUnderWay(lane);
  if (!isAtEnd) return false;
  if (lane.stop === null) lane.end = { kind: 'ended' };
  else lane.end = lane.stop.error === null ? { kind: 'stopped' } : { kind: 'failed', error: lane.stop.error };
  return true;
}

function noteEnd(plan: FlowPlan, lane: Lane, child: Lane): void {
  const frame = innermost(lane);
  const index = child.origin?.index;
  if (frame.kind !== 'split' || index === undefined || frame.ended.includes(index)) return;
  const { work } = frame;
  frame.ended.push(index);
  if (work.kind === 'items' && (child.hasBroken || child.end.kind === 'stopped')) work.isBroken = true;
  if (child.end.kind !== 'failed') return;
  frame.failures.push({ index, error: child.end.error });
  if (!frame.failFast) return;
  if (work.kind === 'items') work.isBroken = true;
  for (const sibling of lanesOf(lane, frame)) stopLane(plan, sibling, null);
}

/** Goes on with a split as far as it goes without its lanes. */
function advance(plan: FlowPlan, lane: Lane): void {
  for (;;) {
    const frame = innermost(lane);
    if (frame.kind !== 'split' || frame.phase !== 'open') return;
    const children = lanesOf(lane, frame);
    if (children.some((child) => child.end.kind === 'running')) return;
    const { work } = frame;
    if (lane.stop !== null && !isInFinally(lane)) {
      unwindLane(plan, lane);
      return;
    }
    if (work.kind === 'branches') {
      if (frame.failures.length > 0) failSplit(plan, lane, frame);
      else frame.phase = 'joining';
      return;
    }
    collect(plan, lane, frame, work);
    if (work.isBroken || frame.to >= sizeOf(work.source)) {
      closeItems(plan, lane, frame, work);
      return;
    }
    openBatch(plan, lane, frame);
  }
}

function collect(plan: FlowPlan, lane: Lane, frame: SplitFrame, items: Items): void {
  for (const child of lanesOf(lane, frame)) items.results.push(itemResult(items, child, plan.scopeOf(frame.node)));
  forgetLanes(lane, frame);
  frame.from = frame.to;
  frame.ended = [];
}

function closeItems(plan: FlowPlan, lane: Lane, frame: SplitFrame, items: Items): void {
  lane.outputs.set(frame.node, { results: items.results });
  lane.lastOutputs = frame.node;
  if (frame.failures.length > 0) {
    failSplit(plan, lane, frame);
    return;
  }
  closeSplit(lane, frame);
  enqueue(plan, lane, plan.targetsOf(frame.node, 'completed'));
  rest(plan, lane);
}

/** The others are put down; the first one, by its branch or item, goes to a try region around. */
function failSplit(plan: FlowPlan, lane: Lane, frame: SplitFrame): void {
  const byPlace = frame.failFast ? frame.failures : frame.failures.toSorted((a, b) => a.index - b.index);
  const [first, ...others] = byPlace;
  closeSplit(lane, frame);
  for (const { error } of others) recordError(lane.run, error);
  if (first !== undefined) raise(plan, lane, first.error, frame.node);
  rest(plan, lane);
}
