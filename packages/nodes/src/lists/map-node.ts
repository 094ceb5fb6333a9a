/** Applies a named transform to every element. */
import { z } from 'zod';
import { defineNode } from '../define-node.ts';
import { NodeError } from '../errors.ts';
import { choice, list, text } from '../params/index.ts';
import type { JsonValue, NodeType } from '../ports.ts';
import { kindOf } from '../values/kind-of.ts';
import { numericText } from '../values/numeric-text.ts';
import { readPath } from '../values/read-path.ts';
import { textOf } from '../values/text-of.ts';

/** undefined: the element cannot be transformed. */
type Transform = (item: JsonValue) => JsonValue | undefined;

const transforms = {
  get_property: (item) => item,
  to_string: textOf,
  to_int: (item) => {
    const number = numberOf(item);
    return number === undefined ? undefined : Math.trunc(number);
  },
  to_float: (item) => numberOf(item),
  to_upper: (item) => textOf(item).toUpperCase(),
  to_lower: (item) => textOf(item).toLowerCase(),
  trim: (item) => textOf(item).trim(),
  length: (item) => lengthOf(item),
} as const satisfies Record<string, Transform>;

type TransformName = keyof typeof transforms;
const names = Object.keys(transforms) as TransformName[];

export const listMapNode: NodeType = defineNode({
  type: 'ListMapNode',
  category: 'data',
  description: 'A list of the transformed elements, or of the transformed values at key_path.',
  params: z.object({ list: list(), transform: choice(names, 'to_string'), key_path: text('') }),
  outputs: ['result'],
  effect: () => 'pure',
  async run(ctx) {
    const { list: items, transform: name, key_path } = ctx.params;
    const transform: Transform = transforms[name];
    const result = items.map((item, index) => {
      const value = readPath(item, key_path) ?? null;
      const transformed = transform(value);
      if (transformed !== undefined) return transformed;
      throw new NodeError(`${name} cannot be applied to ${kindOf(value)} at index ${index} of the list`, {
        code: 'INVALID_VALUE',
      });
    });
    return { outputs: { result } };
  },
});

function numberOf(item: JsonValue): number | undefined {
  if (item === null) return 0;
  if (typeof item === 'string') return numericText(item) ?? undefined;
  return typeof item === 'object' ? undefined : Number(item);
}

function lengthOf(item: JsonValue): number | undefined {
  if (item === null) return 0;
  if (typeof item === 'string') return Array.from(item).length;
  return typeof item === 'object' ? Object.keys(item).length : undefined;
}
