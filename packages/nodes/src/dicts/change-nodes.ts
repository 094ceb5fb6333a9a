/** Nodes that make an object from another: create, set, remove, merge. The input is never altered. */
import { z } from 'zod';
import { defineNode } from '../define-node.ts';
import { anything, dict, type Param, param, text } from '../params/index.ts';
import type { JsonObject, JsonValue, NodeType } from '../ports.ts';

export const createDictNode: NodeType = defineNode({
  type: 'CreateDictNode',
  category: 'data',
  description: 'An object of up to three keys and values; an empty key is left out.',
  params: z.object({
    key_1: text(''),
    value_1: anything(),
    key_2: text(''),
    value_2: anything(),
    key_3: text(''),
    value_3: anything(),
  }),
  outputs: ['dict'],
  effect: () => 'pure',
  async run(ctx) {
    const { key_1, value_1, key_2, value_2, key_3, value_3 } = ctx.params;
    const pairs: [string, JsonValue][] = [
      [key_1, value_1],
      [key_2, value_2],
      [key_3, value_3],
    ];
    return { outputs: { dict: Object.fromEntries(pairs.filter(([key]) => key !== '')) } };
  },
});

export const dictSetNode: NodeType = defineNode({
  type: 'DictSetNode',
  category: 'data',
  description: 'A copy of an object with a key set.',
  params: z.object({ dict: dict(), key: keyToSet(), value: anything() }),
  outputs: ['result'],
  effect: () => 'pure',
  async run(ctx) {
    const { dict: source, key, value } = ctx.params;
    return { outputs: { result: { ...source, [key]: value } } };
  },
});

export const dictRemoveNode: NodeType = defineNode({
  type: 'DictRemoveNode',
  category: 'data',
  description: 'A copy of an object without a key, and the value that the key had (null if it was not there).',
  params: z.object({ dict: dict(), key: text('') }),
  outputs: ['result', 'removed_value'],
  effect: () => 'pure',
  async run(ctx) {
    const { dict: source, key } = ctx.params;
    const kept = Object.entries(source).filter(([name]) => name !== key);
    const result: JsonObject = Object.fromEntries(kept);
    return { outputs: { result, removed_value: Object.hasOwn(source, key) ? (source[key] as JsonValue) : null } };
  },
});

export const dictMergeNode: NodeType = defineNode({
  type: 'DictMergeNode',
  category: 'data',
  description: 'Both objects in one; where both have a key, the second wins.',
  params: z.object({ dict_1: dict(), dict_2: dict() }),
  outputs: ['result'],
  effect: () => 'pure',
  async run(ctx) {
    return { outputs: { result: { ...ctx.params.dict_1, ...ctx.params.dict_2 } } };
  },
});

function keyToSet(): Param<string> {
  return param((value) => {
    const key = text('').safeParse(value).data ?? '';
    return key === '' ? { problem: 'is required, but is empty' } : { value: key };
  });
}
