/** Makes one value of a list. */
import { z } from 'zod';
import { defineNode } from '../define-node.ts';
import { NodeError } from '../errors.ts';
import { anything, choice, list, text } from '../params/index.ts';
import type { JsonValue, NodeType } from '../ports.ts';
import { strictOrder } from '../values/compare.ts';
import { kindOf } from '../values/kind-of.ts';
import { numericText } from '../values/numeric-text.ts';
import { readPath } from '../values/read-path.ts';
import { textOf } from '../values/text-of.ts';

type Reduction = (values: readonly JsonValue[], initial: JsonValue) => JsonValue;

/** `initial` starts sum and product, separates in join, and stands in for the others when there is no value. */
const reductions = {
  sum: (values, initial) => numbersOf(values).reduce((total, value) => total + value, startOf(initial, 0)),
  product: (values, initial) => numbersOf(values).reduce((total, value) => total * value, startOf(initial, 1)),
  min: (values, initial) => extreme(values, initial, -1),
  max: (values, initial) => extreme(values, initial, 1),
  avg: (values, initial) => {
    const numbers = numbersOf(values);
    return numbers.length === 0 ? (initial ?? 0) : numbers.reduce((a, b) => a + b, 0) / numbers.length;
  },
  count: (values) => values.length,
  first: (values, initial) => values[0] ?? initial,
  last: (values, initial) => values.at(-1) ?? initial,
  join: (values, initial) => values.map(textOf).join(textOf(initial)),
} as const satisfies Record<string, Reduction>;

type ReductionName = keyof typeof reductions;
const names = Object.keys(reductions) as ReductionName[];

export const listReduceNode: NodeType = defineNode({
  type: 'ListReduceNode',
  category: 'data',
  description: 'Sum, product, min, max, avg, count, first, last or join of the elements that are not null.',
  params: z.object({ list: list(), operation: choice(names, 'sum'), key_path: text(''), initial: anything() }),
  outputs: ['result'],
  effect: () => 'pure',
  async run(ctx) {
    const { list: items, operation, key_path, initial } = ctx.params;
    const reduce: Reduction = reductions[operation];
    const values = items.map((item) => readPath(item, key_path) ?? null).filter((value) => value !== null);
    const result = reduce(values, initial);
    if (typeof result === 'number' && !Number.isFinite(result)) {
      throw new NodeError(`${operation} of the list has no finite result`, { code: 'MATH_DOMAIN' });
    }
    return { outputs: { result } };
  },
});

function numbersOf(values: readonly JsonValue[]): number[] {
  return values.map((value) => numberOf(value, 'The list holds'));
}

function startOf(initial: JsonValue, fallback: number): number {
  return initial === null || initial === '' ? fallback : numberOf(initial, 'initial is');
}

function numberOf(value: JsonValue, where: string): number {
  const number = typeof value === 'string' ? numericText(value) : value;
  if (typeof number === 'number') return number;
  if (typeof number === 'boolean') return Number(number);
  throw new NodeError(`${where} ${kindOf(value)} where a number is needed`, {
    code: 'INVALID_VALUE',
  });
}

function extreme(values: readonly JsonValue[], initial: JsonValue, direction: 1 | -1): JsonValue {
  if (values.length === 0) return initial;
  return values.reduce((best, value) => {
    const order = strictOrder(value, best);
    if (order !== null) return order * direction > 0 ? value : best;
    throw new NodeError(
      `The list has no ${direction > 0 ? 'max' : 'min'}: ${kindOf(best)} and ${kindOf(value)} have no order`,
      {
        code: 'NOT_COMPARABLE',
        errorType: 'TypeError',
      },
    );
  });
}
