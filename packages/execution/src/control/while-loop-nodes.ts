/**
 * WhileLoopStartNode and its older form WhileLoopNode: `body` while the condition holds, then `completed`.
 * A condition that still holds after `max_iterations` fails the node (MAX_ITERATIONS): it is no success.
 */
import { z } from 'zod';
import { NodeError } from '../errors.ts';
import type { NodeType } from '../node-contract.ts';
import { type ConditionParams, conditionHolds } from './condition.ts';
import { anything, integer, text } from './control-params.ts';
import { type ControlContext, type ControlResult, defineControl } from './control-type.ts';

export const whileLoopStartNode: NodeType = defineControl({
  type: 'WhileLoopStartNode',
  description: 'Runs `body` while a condition holds, then `completed`.',
  params: z.object({ condition: anything(), expression: text(), max_iterations: integer(1000), paired_end_id: text() }),
  rawParams: ['condition', 'expression'],
  exits: ['body', 'completed'],
  outputs: ['current_iteration'],
  run: (ctx) => visit(ctx, 'body', 'current_iteration'),
});

export const whileLoopNode: NodeType = defineControl({
  type: 'WhileLoopNode',
  description: 'The older while loop: `loop_body` while a condition holds, then `completed`.',
  params: z.object({ condition: anything(), expression: text(), max_iterations: integer(1000) }),
  rawParams: ['condition', 'expression'],
  exits: ['loop_body', 'completed'],
  outputs: ['iteration'],
  run: (ctx) => visit(ctx, 'loop_body', 'iteration'),
});

interface WhileParams extends ConditionParams {
  readonly max_iterations: number;
}

function visit(ctx: ControlContext<WhileParams>, body: string, port: string): ControlResult {
  const open = ctx.visit.openLoop;
  const iteration = open === null ? 0 : open.index + 1;
  if (!conditionHolds(ctx)) return { exit: 'completed', control: { op: 'close_loop' } };
  const { max_iterations: limit } = ctx.params;
  if (iteration >= limit) {
    throw new NodeError(`The condition still holds after ${limit} iterations, the loop's "max_iterations".`, {
      code: 'MAX_ITERATIONS',
      errorType: 'MaxIterationsError',
    });
  }
  return {
    exit: body,
    outputs: { [port]: iteration },
    control: open === null ? { op: 'open_loop', source: { kind: 'while' }, item_var: null } : { op: 'next' },
  };
}
