/** EvalExpressionNode: the value of an expression. It lives in the engine because the evaluator does; nothing is run as code. */
import { z } from 'zod';
import { evaluateExpression } from '../model/expression.ts';
import type { NodeType } from '../node-contract.ts';
import { text } from './control-params.ts';
import { defineControl } from './control-type.ts';

/** Python's names of the types, which workflows of the designer compare with. */
function typeName(value: unknown): string {
  if (value === null) return 'NoneType';
  if (Array.isArray(value)) return 'list';
  if (typeof value === 'number') return Number.isInteger(value) ? 'int' : 'float';
  return { string: 'str', boolean: 'bool' }[typeof value as 'string' | 'boolean'] ?? 'dict';
}

export const evalExpressionNode: NodeType = defineControl({
  type: 'EvalExpressionNode',
  description: 'Gives the value of an expression; one that cannot be evaluated fails the node.',
  params: z.object({ expression: text() }),
  rawParams: ['expression'],
  outputs: ['result', 'type', 'success', 'error'],
  outputsFrom: 'params',
  run(ctx) {
    const result = evaluateExpression(ctx.params.expression, ctx.scope);
    return { outputs: { result, type: typeName(result), success: true, error: '' } };
  },
});
