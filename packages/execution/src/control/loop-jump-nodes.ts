/**
 * Nodes that act on a loop that is open around them: the end nodes, BreakNode and ContinueNode. An end node
 * ends its path; the iteration is over when nothing else waits in the loop's body. Break and continue drop
 * what waits, but finally bodies on their way still run.
 */
import { z } from 'zod';
import { NodeError } from '../errors.ts';
import type { NodeType } from '../node-contract.ts';
import { text } from './control-params.ts';
import { type ControlContext, type ControlResult, defineControl } from './control-type.ts';

export const forLoopEndNode: NodeType = loopEnd('ForLoopEndNode', 'Ends an iteration of its for loop.');
export const whileLoopEndNode: NodeType = loopEnd('WhileLoopEndNode', 'Ends an iteration of its while loop.');

export const breakNode: NodeType = loopJump('BreakNode', 'break', 'Leaves a loop; its `completed` is next.');
export const continueNode: NodeType = loopJump(
  'ContinueNode',
  'continue',
  'Goes on with the next iteration of a loop.',
);

function loopEnd(type: string, description: string): NodeType {
  return defineControl({
    type,
    description,
    params: z.object({ paired_start_id: text() }),
    outputs: [],
    run: ({ visit }) => {
      const loop = visit.pairedLoop ?? visit.innermostLoop;
      if (loop !== null && visit.isLoopAround(loop)) return { exit: null, control: { op: 'end_path' } };
      if (loop === null || !visit.isLoopOpen(loop)) return { exit: 'exec_out' };
      return loop === visit.innermostLoop
        ? { exit: null, control: { op: 'end_path' } }
        : { exit: null, control: { op: 'continue', loop } };
    },
  });
}

function loopJump(type: string, op: 'break' | 'continue', description: string): NodeType {
  return defineControl({
    type,
    description,
    params: z.object({ paired_loop_start_id: text() }),
    outputs: [],
    run: (ctx): ControlResult => ({ exit: null, control: { op, loop: namedLoop(ctx) } }),
  });
}

function namedLoop({ params, visit }: ControlContext<{ readonly paired_loop_start_id: string }>): string {
  const named = params.paired_loop_start_id.trim();
  const loop = named === '' ? visit.innermostLoop : named;
  if (loop !== null && visit.isLoopOpen(loop)) return loop;
  throw new NodeError(
    loop === null ? 'It is not inside a loop.' : `It is not inside the loop "${loop}", which it names.`,
    { code: 'NO_OPEN_LOOP', errorType: 'LoopError' },
  );
}
