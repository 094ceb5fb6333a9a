/** Nodes that fail on purpose: ThrowErrorNode and AssertNode. */
import { z } from 'zod';
import { NodeError } from '../errors.ts';
import type { NodeType } from '../node-contract.ts';
import { conditionHolds } from './condition.ts';
import { anything, text } from './control-params.ts';
import { defineControl } from './control-type.ts';

export const throwErrorNode: NodeType = defineControl({
  type: 'ThrowErrorNode',
  description: 'Fails with a message.',
  params: z.object({ error_message: text('Custom error') }),
  outputs: [],
  run(ctx) {
    throw new NodeError(ctx.params.error_message, { code: 'CUSTOM_ERROR', errorType: 'CustomError' });
  },
});

export const assertNode: NodeType = defineControl({
  type: 'AssertNode',
  description: 'Fails unless its condition (nothing given: true) holds.',
  params: z.object({ condition: anything(), message: text('Assertion failed') }),
  rawParams: ['condition'],
  outputs: ['passed'],
  run(ctx) {
    const condition = ctx.params.condition ?? true;
    const isMet = conditionHolds({ ...ctx, params: { condition, expression: '' } });
    if (isMet) return { exit: 'exec_out', outputs: { passed: true } };
    throw new NodeError(ctx.params.message, { code: 'ASSERTION_FAILED', errorType: 'AssertionError' });
  },
});
