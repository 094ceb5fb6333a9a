/** Which node comes next, or how the run ends. A pure reading of the settled state. */
import type { RunError } from '../errors.ts';
import type { FlowPlan } from './flow-plan.ts';
import type { StopEntry } from './journal.ts';
import { innermost } from './regions.ts';
import type { RunState } from './run-state.ts';

export type NextMove =
  | { readonly kind: 'node'; readonly nodeId: string }
  | { readonly kind: 'completed' }
  | { readonly kind: 'failed'; readonly error: RunError }
  | { readonly kind: 'stopped'; readonly stop: StopEntry['stop'] };

export function nextMove(plan: FlowPlan, state: RunState): NextMove {
  if (state.failure !== null) return { kind: 'failed', error: state.failure };
  const nodeId = nextNode(plan, state);
  if (nodeId !== null) return { kind: 'node', nodeId };
  return state.stop === null ? { kind: 'completed' } : { kind: 'stopped', stop: state.stop };
}

function nextNode(plan: FlowPlan, state: RunState): string | null {
  const frame = innermost(state);
  const head = frame.queue[0];
  if (head !== undefined) return head;
  if (frame.kind === 'loop') return frame.node;
  if (frame.kind === 'try') return frame.catches[0] ?? plan.finallyOf(frame.node);
  return null;
}

/** True while a finally body runs, or its node is next: a cancel lets it come to its end. */
export function isInFinally(state: RunState): boolean {
  return state.frames.some((frame) => frame.kind === 'try' && frame.phase === 'finally');
}
