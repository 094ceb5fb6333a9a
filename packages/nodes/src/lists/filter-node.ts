/** Splits a list by a named condition on each element or on a value inside it. */
import { z } from 'zod';
import { defineNode } from '../define-node.ts';
import { anything, choice, list, text } from '../params/index.ts';
import type { JsonValue, NodeType } from '../ports.ts';
import { looselyEqual, looseOrder } from '../values/compare.ts';
import { readPath } from '../values/read-path.ts';
import { textOf } from '../values/text-of.ts';

type Condition = (item: JsonValue, value: JsonValue) => boolean;

/** Elements that have no order with the value are neither greater nor less. */
const conditions = {
  equals: looselyEqual,
  not_equals: (item, value) => !looselyEqual(item, value),
  contains: (item, value) =>
    Array.isArray(item)
      ? item.some((part) => looselyEqual(part as JsonValue, value))
      : textOf(item).includes(textOf(value)),
  starts_with: (item, value) => item !== null && textOf(item).startsWith(textOf(value)),
  ends_with: (item, value) => item !== null && textOf(item).endsWith(textOf(value)),
  greater_than: (item, value) => (looseOrder(item, value) ?? 0) > 0,
  less_than: (item, value) => (looseOrder(item, value) ?? 0) < 0,
  is_not_none: (item) => item !== null,
  is_none: (item) => item === null,
  is_truthy: (item) => isTruthy(item),
  is_falsy: (item) => !isTruthy(item),
} as const satisfies Record<string, Condition>;

type ConditionName = keyof typeof conditions;
const names = Object.keys(conditions) as ConditionName[];

export const listFilterNode: NodeType = defineNode({
  type: 'ListFilterNode',
  category: 'data',
  description: 'Splits a list into the elements that meet a condition and those that do not.',
  params: z.object({
    list: list(),
    condition: choice(names, 'is_not_none', {
      '==': 'equals',
      '!=': 'not_equals',
      '>': 'greater_than',
      '<': 'less_than',
    }),
    key_path: text(''),
    value: anything(),
  }),
  outputs: ['result', 'removed'],
  effect: () => 'pure',
  async run(ctx) {
    const { list: items, condition, key_path, value } = ctx.params;
    const holds: Condition = conditions[condition];
    const result: JsonValue[] = [];
    const removed: JsonValue[] = [];
    for (const item of items) {
      (holds(readPath(item, key_path) ?? null, value) ? result : removed).push(item);
    }
    return { outputs: { result, removed } };
  },
});

/** Python's truth: empty text, lists and objects, 0, false and null are false. */
function isTruthy(value: JsonValue): boolean {
  return typeof value === 'object' && value !== null ? Object.keys(value).length > 0 : Boolean(value);
}
