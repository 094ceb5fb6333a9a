/** Which node comes next in a lane, or how the lane ends. A pure reading of the settled state. */
import type { RunError } from '../errors.ts';
import type { FlowPlan } from './flow-plan.ts';
import type { StopEntry } from './journal.ts';
import { innermost } from './regions.ts';
import type { Lane } from './run-state.ts';

export type NextMove =
  | { readonly kind: 'node'; readonly nodeId: string }
  | { readonly kind: 'completed' }
  | { readonly kind: 'failed'; readonly error: RunError }
  | { readonly kind: 'stopped'; readonly stop: StopEntry['stop'] };

export function nextMove(plan: FlowPlan, lane: Lane): NextMove {
  if (lane.end.kind === 'failed') return lane.end;
  const nodeId = nextNode(plan, lane);
  if (nodeId !== null) return { kind: 'node', nodeId };
  const { stop } = lane.run;
  return stop === null ? { kind: 'completed' } : { kind: 'stopped', stop };
}

function nextNode(plan: FlowPlan, lane: Lane): string | null {
  const frame = innermost(lane);
  const head = frame.queue[0];
  if (head !== undefined) return head;
  if (frame.kind === 'loop' || frame.kind === 'call' || frame.kind === 'retry') return frame.node;
  if (frame.kind === 'try') return frame.catches[0] ?? plan.finallyOf(frame.node);
  return null;
}

/** True while a finally body runs, or its node is next: a cancel lets it come to its end. */
export function isInFinally(lane: Lane): boolean {
  return lane.frames.some((frame) => frame.kind === 'try' && frame.phase === 'finally');
}
