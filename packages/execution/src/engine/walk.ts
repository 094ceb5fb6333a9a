/**
 * The walk of a lane: next node, step, next node, until the lane is over or has to be left. Where a split is next, its
 * lanes are walked side by side; their parent goes on when all of them are over.
 *
 * Each lane keeps I3 for itself: the result of its node and the intent of its next one are durable before that starts.
 * When the journal refuses a commit, every lane stops behind its node, and the fault goes on once all have.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { DoubtQuestion } from './doubt.ts';
import type { SplitFrame } from './frames.ts';
import type { SuspendCause } from './journal.ts';
import { isInFinally, stoppedLane } from './lane-shield.ts';
import { lanesOf } from './lanes.ts';
import { longSleep } from './long-sleep.ts';
import { nextMove } from './next-node.ts';
import type { RunSession } from './run-session.ts';
import { type Lane, laneMark } from './run-state.ts';
import { runStep } from './run-step.ts';
import { stopEntry } from './stop-entry.ts';

/** Nodes that never wait must not keep the process from its timers and signals. */
const STEPS_PER_TURN = 50;

export type LaneLeft =
  | { readonly kind: 'suspended'; readonly cause: SuspendCause; readonly reason: string }
  | { readonly kind: 'in_doubt'; readonly nodes: readonly DoubtQuestion[] };

/** @returns null when the lane is over, or the time for what is left of it */
export async function walkLane(run: RunSession): Promise<LaneLeft | null> {
  const { plan, lane, pace } = run;
  for (;;) {
    pace.steps += 1;
    if (pace.steps % STEPS_PER_TURN === 0) await nextTurn();
    const move = nextMove(plan, lane);
    if (move.kind === 'over') return null;
    const isMeant = heedStop(run);
    if (isMeant === 'over') return null;
    if (isMeant === 'changed') continue;
    const left = move.kind === 'lanes' ? await walkLanes(run, move.frame) : await step(run, move.nodeId);
    if (left !== null) return left;
  }
}

/** What a stop means for the lane before its next node: `changed` when its next node may be another one now. */
function heedStop(run: RunSession): 'go on' | 'changed' | 'over' {
  const { lane, record, control, graces, options } = run;
  const { cause } = control;
  const stopped = stoppedLane(lane);
  if (stopped !== null) {
    graces.begin(stopped);
    if (graces.isOver(stopped)) return abandon(run, stopped);
    const interrupted = lane.intent ?? lane.retrying;
    if (lane.stop === null || isInFinally(lane) || interrupted === null) return 'go on';
    const { step, node_id } = interrupted;
    record.add({ kind: 'interrupted', ...laneMark(lane), step, node_id, at: options.clock.now() });
    return 'changed';
  }
  if (cause === null || cause.kind === 'suspend') return 'go on';
  record.add(stopEntry(cause, lane, options.clock.now()));
  return 'changed';
}

/** What is left of the run ends with its outcome; a lane has to be put out of its split's way. */
function abandon({ lane, record, options }: RunSession, stopped: Lane): 'over' | 'changed' {
  if (stopped.parent === null) return 'over';
  record.add({ kind: 'lane_dropped', ...laneMark(lane), at: options.clock.now() });
  return 'changed';
}

/** Null when the walk goes on. */
async function step(run: RunSession, nodeId: string): Promise<LaneLeft | null> {
  const { cause } = run.control;
  if (cause?.kind === 'suspend') return { kind: 'suspended', cause: 'asked', reason: cause.reason };
  const node = run.plan.workflow.nodes.get(nodeId);
  if (node === undefined) throw new Error(`the walk reached ${nodeId}, which is no node of this workflow`);
  const end = await runStep(run, node);
  switch (end.kind) {
    case 'ended':
      return null;
    case 'suspended':
      return end;
    case 'in_doubt':
      return { kind: 'in_doubt', nodes: [end.question] };
    case 'stopped':
      if (end.hasEnded) return null;
      return {
        kind: 'suspended',
        cause: 'node-still-running',
        reason: `the run was told to stop, but the node "${nodeId}" has not ended yet`,
      };
  }
}

type Walked = { readonly lane: Lane } & (
  | { readonly left: LaneLeft | null }
  /** A journal that refused, or a defect. */
  | { readonly fault: unknown }
);

/** Null when the split is over: its parent goes on. */
async function walkLanes(run: RunSession, frame: SplitFrame): Promise<LaneLeft | null> {
  const { lane: parent, control } = run;
  const walking = new Map<Lane, Promise<Walked>>();
  const lefts = new Map<Lane, LaneLeft>();
  const faults: unknown[] = [];
  const done = new Set<Lane>();
  /** Walked once more to their end because they were stopped while they waited for an answer. */
  const toldToStop = new Set<Lane>();
  for (;;) {
    for (const lane of faults.length > 0 ? [] : lanesOf(parent, frame)) {
      if (lane.end.kind === 'running' && !walking.has(lane) && !done.has(lane)) {
        walking.set(lane, walkWithin({ ...run, lane }, frame));
      }
    }
    if (walking.size === 0) break;
    const walked = await Promise.race(walking.values());
    walking.delete(walked.lane);
    done.add(walked.lane);
    if ('fault' in walked) {
      faults.push(walked.fault);
      control.suspend('another lane of the run could not go on');
    } else if (walked.left !== null) {
      lefts.set(walked.lane, walked.left);
    }
    // A lane that waits for an answer needs none any more once it is told to stop.
    for (const [lane, left] of lefts) {
      if (left.kind !== 'in_doubt' || lane.stop === null || toldToStop.has(lane)) continue;
      toldToStop.add(lane);
      lefts.delete(lane);
      done.delete(lane);
    }
  }
  if (faults.length > 0) throw faults[0];
  return lefts.size === 0 ? null : together([...lefts.values()]);
}

/** Never rejects. The time limit of an item runs anew when the run is resumed. */
async function walkWithin(run: RunSession, frame: SplitFrame): Promise<Walked> {
  const { lane } = run;
  const timer = new AbortController();
  if (frame.work.kind === 'items') {
    longSleep(run.options.clock, frame.work.timeoutMs, timer.signal).then(
      () => stopItem(run, frame),
      () => undefined,
    );
  }
  try {
    return { lane, left: await walkLane(run) };
  } catch (fault) {
    return { lane, fault };
  } finally {
    timer.abort();
  }
}

function stopItem({ lane, record, plan, options }: RunSession, { node, work }: SplitFrame): void {
  if (work.kind !== 'items' || lane.end.kind !== 'running' || lane.stop !== null) return;
  const seconds = work.timeoutMs / 1_000;
  record.add({
    kind: 'lane_stop',
    ...laneMark(lane),
    error: {
      code: 'ITEM_TIMEOUT',
      category: 'transient',
      message: `Item ${lane.origin?.index ?? 0} did not end within the ${seconds} s of "timeout_per_item".`,
      node_id: node,
      node_type: plan.workflow.nodes.get(node)?.type ?? 'ParallelForEachNode',
      error_type: 'TimeoutError',
    },
    at: options.clock.now(),
  });
}

/** What keeps the run from going on soonest comes first. */
function together(lefts: readonly LaneLeft[]): LaneLeft {
  const suspended = lefts.filter((left) => left.kind === 'suspended');
  const first = suspended.find(({ cause }) => cause === 'node-still-running') ?? suspended[0];
  if (first !== undefined) return first;
  return { kind: 'in_doubt', nodes: lefts.flatMap((left) => (left.kind === 'in_doubt' ? left.nodes : [])) };
}
