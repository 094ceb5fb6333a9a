/** Finds frames of a lane: a pure reading of where control stands. */
import type { CallFrame, Frame, LoopFrame, RetryFrame, TryFrame } from './frames.ts';
import type { Lane } from './run-state.ts';

/** Whether a loop is open in a lane around this one. */
export function isLoopAround(lane: Lane, loopId: string): boolean {
  for (let at = lane.parent; at !== null; at = at.parent) if (openLoop(at, loopId) !== undefined) return true;
  return false;
}

/** The parallel loop of whose items this lane is one, unless a sub-workflow is being called in it. */
export function ownParallelLoop({ origin, frames }: Lane): string | null {
  return origin?.kind === 'item' && !frames.some(({ kind }) => kind === 'call') ? origin.node : null;
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
  return framesOfScope(lane).findLast((frame) => frame.kind === 'loop');
}

export function innermostRetry(lane: Lane): RetryFrame | undefined {
  return framesOfScope(lane).findLast((frame) => frame.kind === 'retry');
}

/** The region whose error is being dealt with here. */
export function innermostCatch(lane: Lane): TryFrame | undefined {
  return framesOfScope(lane).findLast((frame): frame is TryFrame => frame.kind === 'try' && frame.phase === 'catch');
}

export function openCallOf(lane: Lane, nodeId: string): CallFrame | undefined {
  return lane.frames.findLast((frame): frame is CallFrame => frame.kind === 'call' && frame.node === nodeId);
}

/** What a workflow may act on: nothing of those that call it. */
function framesOfScope(lane: Lane): readonly Frame[] {
  const call = lane.frames.findLastIndex((frame) => frame.kind === 'call');
  return call < 0 ? lane.frames : lane.frames.slice(call + 1);
}

export function takesErrors(frame: Frame): frame is TryFrame | RetryFrame | CallFrame {
  return frame.kind === 'try' || frame.kind === 'retry' || frame.kind === 'call';
}

/** Whether a try or retry region takes the error of a node that fails here, so that the run may well go on. */
export function takesErrorOf(lane: Lane): boolean {
  for (let at: Lane | null = lane; at !== null; at = at.parent) {
    if (at.frames.some((frame) => frame.kind === 'retry' || (frame.kind === 'try' && frame.phase === 'try')))
      return true;
  }
  return false;
}

/** Whether a node is a RetryNode whose region is open: a wire back to it only ends its path. */
export function isOpenRetry(lane: Lane, nodeId: string): boolean {
  return lane.frames.some((frame) => frame.kind === 'retry' && frame.node === nodeId);
}
