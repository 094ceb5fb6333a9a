/** What comes next in a lane. A pure reading of the settled state. */
import type { FlowPlan } from './flow-plan.ts';
import { innermost } from './frame-search.ts';
import type { SplitFrame } from './frames.ts';

import type { Lane } from './run-state.ts';

export type NextMove =
  | { readonly kind: 'node'; readonly nodeId: string }
  /** Other lanes run first. */
  | { readonly kind: 'lanes'; readonly frame: SplitFrame }
  | { readonly kind: 'over' };

const OVER: NextMove = { kind: 'over' };

export function nextMove(plan: FlowPlan, lane: Lane): NextMove {
  if (lane.end.kind !== 'running') return OVER;
  const frame = innermost(lane);
  if (frame.kind === 'split' && frame.phase === 'open') return { kind: 'lanes', frame };
  const nodeId = nextNode(plan, lane);
  return nodeId === null ? OVER : { kind: 'node', nodeId };
}

function nextNode(plan: FlowPlan, lane: Lane): string | null {
  const frame = innermost(lane);
  const head = frame.queue[0];
  if (head !== undefined) return head;
  switch (frame.kind) {
    case 'root':
      return null;
    case 'loop':
    case 'call':
    case 'retry':
      return frame.node;
    case 'try':
      return frame.catches[0] ?? plan.finallyOf(frame.node);
    case 'split':
      return plan.joinOf(frame.node);
  }
}
