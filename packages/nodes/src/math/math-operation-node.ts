/** One of 21 calculations on `a` and `b`. */
import { z } from 'zod';
import { defineNode } from '../define-node.ts';
import { choice, integer, number, text } from '../params/index.ts';
import type { NodeType } from '../ports.ts';
import { roundHalfEven } from '../values/half-even.ts';
import { calculate, operationNames, operationSynonyms } from './operations.ts';

export const mathOperationNode: NodeType = defineNode({
  type: 'MathOperationNode',
  category: 'data',
  description: 'Calculates with a and b; stores the result in a variable if output_var names one.',
  params: z.object({
    operation: choice(operationNames, 'add', operationSynonyms),
    a: number({ fallback: 0 }),
    b: number({ fallback: 0 }),
    round_digits: integer({ fallback: null, min: 0, max: 100 }),
    output_var: text(''),
  }),
  outputs: ['result'],
  effect: () => 'pure',
  async run(ctx) {
    const { operation, a, b, round_digits, output_var } = ctx.params;
    const exact = calculate(operation, a, b);
    const result = round_digits === null ? exact : roundHalfEven(exact, round_digits);
    if (output_var !== '') ctx.variables.set(output_var, result);
    return { outputs: { result } };
  },
});
