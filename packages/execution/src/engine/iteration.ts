/** Which turn of which loops a node runs in, outermost first: `['loop-1', 3]`, for those who read a journal without a fold. */
import type { Lane } from './run-state.ts';

export type Iteration = readonly (string | number)[];

/** A loop's own node stands outside of its loop. Items of a parallel loop are turns, branches of a fork are not. */
export function iterationOf(lane: Lane, nodeId: string): Iteration {
  const around = lane.parent === null ? [] : iterationOf(lane.parent, nodeId);
  const item = lane.origin?.kind === 'item' ? [lane.origin.node, lane.origin.index] : [];
  const loops = lane.frames.flatMap((frame) =>
    frame.kind === 'loop' && frame.node !== nodeId ? [frame.node, frame.index] : [],
  );
  return [...around, ...item, ...loops];
}
