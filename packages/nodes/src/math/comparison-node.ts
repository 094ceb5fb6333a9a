/** Compares two values; numbers and flags may be given as text. */
import { z } from 'zod';
import { defineNode } from '../define-node.ts';
import { NodeError } from '../errors.ts';
import { anything, choice } from '../params/index.ts';
import type { JsonValue, NodeType } from '../ports.ts';
import { looselyEqual, looseOrder } from '../values/compare.ts';
import { kindOf } from '../values/kind-of.ts';

const operators = ['==', '!=', '>', '<', '>=', '<='] as const;
type Operator = (typeof operators)[number];

const labels: Readonly<Record<string, Operator>> = {
  '=': '==',
  '===': '==',
  equals: '==',
  equal: '==',
  'equals (==)': '==',
  '!==': '!=',
  '<>': '!=',
  not_equals: '!=',
  'not equals': '!=',
  'not equals (!=)': '!=',
  greater_than: '>',
  'greater than': '>',
  'greater than (>)': '>',
  less_than: '<',
  'less than': '<',
  'less than (<)': '<',
  greater_or_equal: '>=',
  'greater or equal': '>=',
  'greater or equal (>=)': '>=',
  less_or_equal: '<=',
  'less or equal': '<=',
  'less or equal (<=)': '<=',
};

export const comparisonNode: NodeType = defineNode({
  type: 'ComparisonNode',
  category: 'data',
  description: 'Compares a and b.',
  params: z.object({ a: anything(), b: anything(), operator: choice(operators, '==', labels) }),
  outputs: ['result'],
  effect: () => 'pure',
  async run(ctx) {
    return { outputs: { result: compare(ctx.params.a, ctx.params.operator, ctx.params.b) } };
  },
});

function compare(a: JsonValue, operator: Operator, b: JsonValue): boolean {
  if (operator === '==') return looselyEqual(a, b);
  if (operator === '!=') return !looselyEqual(a, b);
  const order = looseOrder(a, b);
  if (order === null) {
    throw new NodeError(`${kindOf(a)} and ${kindOf(b)} have no order: "${operator}" compares numbers or texts`, {
      code: 'NOT_COMPARABLE',
      errorType: 'TypeError',
    });
  }
  if (operator === '>') return order > 0;
  if (operator === '<') return order < 0;
  return operator === '>=' ? order >= 0 : order <= 0;
}
