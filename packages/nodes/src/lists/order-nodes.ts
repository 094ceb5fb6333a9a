/** Nodes that rearrange a list: sort, reverse, unique, flatten, join. */
import { z } from 'zod';
import { defineNode } from '../define-node.ts';
import { NodeError } from '../errors.ts';
import { flag, integer, list, text } from '../params/index.ts';
import type { JsonValue, NodeType } from '../ports.ts';
import { strictOrder } from '../values/compare.ts';
import { isObject, kindOf } from '../values/kind-of.ts';
import { readPath } from '../values/read-path.ts';
import { textOf } from '../values/text-of.ts';

export const listSortNode: NodeType = defineNode({
  type: 'ListSortNode',
  category: 'data',
  description: 'A sorted copy, by the elements or by the value at key_path; elements without a value come last.',
  params: z.object({ list: list(), reverse: flag(false), key_path: text('') }),
  outputs: ['result'],
  effect: () => 'pure',
  async run(ctx) {
    const { list: items, reverse, key_path } = ctx.params;
    return { outputs: { result: sorted(items, key_path, reverse) } };
  },
});

export const listReverseNode: NodeType = defineNode({
  type: 'ListReverseNode',
  category: 'data',
  description: 'A copy in the opposite order.',
  params: z.object({ list: list() }),
  outputs: ['result'],
  effect: () => 'pure',
  async run(ctx) {
    return { outputs: { result: ctx.params.list.toReversed() } };
  },
});

export const listUniqueNode: NodeType = defineNode({
  type: 'ListUniqueNode',
  category: 'data',
  description: 'A copy without repetitions; the first of equal elements stays.',
  params: z.object({ list: list() }),
  outputs: ['result'],
  effect: () => 'pure',
  async run(ctx) {
    const seen = new Map<string, JsonValue>();
    for (const item of ctx.params.list) {
      const identity = identityOf(item);
      if (!seen.has(identity)) seen.set(identity, item);
    }
    return { outputs: { result: [...seen.values()] } };
  },
});

export const listFlattenNode: NodeType = defineNode({
  type: 'ListFlattenNode',
  category: 'data',
  description: 'Puts the elements of inner lists in their place, depth levels deep.',
  params: z.object({ list: list(), depth: integer({ fallback: 1, min: 0, max: 100 }) }),
  outputs: ['result'],
  effect: () => 'pure',
  async run(ctx) {
    const result = (ctx.params.list as unknown[]).flat(ctx.params.depth) as JsonValue[];
    return { outputs: { result } };
  },
});

export const listJoinNode: NodeType = defineNode({
  type: 'ListJoinNode',
  category: 'data',
  description: 'The elements as one text with the separator between them.',
  params: z.object({ list: list(), separator: text(', ') }),
  outputs: ['result'],
  effect: () => 'pure',
  async run(ctx) {
    return { outputs: { result: ctx.params.list.map(textOf).join(ctx.params.separator) } };
  },
});

function sorted(items: readonly JsonValue[], path: string, reverse: boolean): JsonValue[] {
  const keyed = items.map((item) => ({ item, key: readPath(item, path) ?? null }));
  const present = keyed.filter(({ key }) => key !== null);
  const absent = keyed.filter(({ key }) => key === null);
  present.sort((a, b) => (reverse ? -1 : 1) * orderOf(a.key, b.key));
  return [...present, ...absent].map(({ item }) => item);
}

function orderOf(a: JsonValue, b: JsonValue): number {
  const order = strictOrder(a, b);
  if (order !== null) return order;
  throw new NodeError(`The list cannot be sorted: ${kindOf(a)} and ${kindOf(b)} have no order`, {
    code: 'NOT_COMPARABLE',
    errorType: 'TypeError',
  });
}

/** The same text for equal values: objects by sorted keys. */
function identityOf(value: JsonValue): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    isObject(part) ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1))) : part,
  );
}
