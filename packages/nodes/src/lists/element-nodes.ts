/** Nodes for single elements and parts of a list: create, get, length, append, contains, slice. */
import { z } from 'zod';
import { defineNode } from '../define-node.ts';
import { NodeError } from '../errors.ts';
import { anything, integer, list } from '../params/index.ts';
import type { JsonValue, NodeType } from '../ports.ts';
import { looselyEqual } from '../values/compare.ts';

export const createListNode: NodeType = defineNode({
  type: 'CreateListNode',
  category: 'data',
  description: 'A list of item_1 to item_3, without those that are null.',
  params: z.object({ item_1: anything(), item_2: anything(), item_3: anything() }),
  outputs: ['list'],
  effect: () => 'pure',
  async run(ctx) {
    const { item_1, item_2, item_3 } = ctx.params;
    return { outputs: { list: [item_1, item_2, item_3].filter((item) => item !== null) } };
  },
});

export const listGetItemNode: NodeType = defineNode({
  type: 'ListGetItemNode',
  category: 'data',
  description: 'The element at an index; -1 is the last one.',
  params: z.object({ list: list(), index: integer({ fallback: 0 }) }),
  outputs: ['item'],
  effect: () => 'pure',
  async run(ctx) {
    const { list: items, index } = ctx.params;
    const item = items.at(index);
    if (item === undefined) {
      throw new NodeError(`The list has ${items.length} elements; there is none at index ${index}`, {
        code: 'INDEX_OUT_OF_RANGE',
        errorType: 'IndexError',
      });
    }
    return { outputs: { item } };
  },
});

export const listLengthNode: NodeType = defineNode({
  type: 'ListLengthNode',
  category: 'data',
  description: 'How many elements a list has.',
  params: z.object({ list: list() }),
  outputs: ['length'],
  effect: () => 'pure',
  async run(ctx) {
    return { outputs: { length: ctx.params.list.length } };
  },
});

export const listAppendNode: NodeType = defineNode({
  type: 'ListAppendNode',
  category: 'data',
  description: 'A copy of a list with an item at its end.',
  params: z.object({ list: list(), item: anything() }),
  outputs: ['result'],
  effect: () => 'pure',
  async run(ctx) {
    return { outputs: { result: [...ctx.params.list, ctx.params.item] } };
  },
});

export const listContainsNode: NodeType = defineNode({
  type: 'ListContainsNode',
  category: 'data',
  description: 'Whether a list has an item, and its first index (-1 if not).',
  params: z.object({ list: list(), item: anything() }),
  outputs: ['contains', 'index'],
  effect: () => 'pure',
  async run(ctx) {
    const index = ctx.params.list.findIndex((item) => looselyEqual(item, ctx.params.item));
    return { outputs: { contains: index >= 0, index } };
  },
});

export const listSliceNode: NodeType = defineNode({
  type: 'ListSliceNode',
  category: 'data',
  description: 'The elements from start up to, but without, end; negative numbers count from the end.',
  params: z.object({ list: list(), start: integer({ fallback: 0 }), end: integer({ fallback: null }) }),
  outputs: ['result'],
  effect: () => 'pure',
  async run(ctx) {
    const { list: items, start, end } = ctx.params;
    const result: readonly JsonValue[] = items.slice(start, end ?? undefined);
    return { outputs: { result } };
  },
});
