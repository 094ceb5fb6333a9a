/** Nodes that look into an object: get, property, has key, keys, values, items. */
import { z } from 'zod';
import { defineNode } from '../define-node.ts';
import { anything, dict, text } from '../params/index.ts';
import type { JsonValue, NodeType } from '../ports.ts';
import { readPath } from '../values/read-path.ts';

export const dictGetNode: NodeType = defineNode({
  type: 'DictGetNode',
  category: 'data',
  description: 'The value of a key, or the default.',
  params: z.object({ dict: dict(), key: text(''), default: anything() }),
  outputs: ['value', 'found'],
  effect: () => 'pure',
  async run(ctx) {
    const { dict: source, key, default: fallback } = ctx.params;
    const found = Object.hasOwn(source, key);
    return { outputs: { value: found ? (source[key] as JsonValue) : fallback, found } };
  },
});

export const getPropertyNode: NodeType = defineNode({
  type: 'GetPropertyNode',
  category: 'data',
  description: 'The value at a dotted path such as user.emails[0], or null.',
  params: z.object({ object: anything(), property_path: text('') }),
  outputs: ['value'],
  effect: () => 'pure',
  async run(ctx) {
    const { object, property_path } = ctx.params;
    return { outputs: { value: readPath(structureOf(object), property_path) ?? null } };
  },
});

export const dictHasKeyNode: NodeType = defineNode({
  type: 'DictHasKeyNode',
  category: 'data',
  description: 'Whether an object has a key.',
  params: z.object({ dict: dict(), key: text('') }),
  outputs: ['has_key'],
  effect: () => 'pure',
  async run(ctx) {
    return { outputs: { has_key: Object.hasOwn(ctx.params.dict, ctx.params.key) } };
  },
});

export const dictKeysNode: NodeType = defineNode({
  type: 'DictKeysNode',
  category: 'data',
  description: 'The keys of an object, in order.',
  params: z.object({ dict: dict() }),
  outputs: ['keys', 'count'],
  effect: () => 'pure',
  async run(ctx) {
    const keys = Object.keys(ctx.params.dict);
    return { outputs: { keys, count: keys.length } };
  },
});

export const dictValuesNode: NodeType = defineNode({
  type: 'DictValuesNode',
  category: 'data',
  description: 'The values of an object, in the order of its keys.',
  params: z.object({ dict: dict() }),
  outputs: ['values', 'count'],
  effect: () => 'pure',
  async run(ctx) {
    const values = Object.values(ctx.params.dict);
    return { outputs: { values, count: values.length } };
  },
});

export const dictItemsNode: NodeType = defineNode({
  type: 'DictItemsNode',
  category: 'data',
  description: 'The entries of an object as a list of {key, value}.',
  params: z.object({ dict: dict() }),
  outputs: ['items', 'count'],
  effect: () => 'pure',
  async run(ctx) {
    const items = Object.entries(ctx.params.dict).map(([key, value]) => ({ key, value }));
    return { outputs: { items, count: items.length } };
  },
});

/** Text that is JSON counts as what it spells; a path into other text leads nowhere. */
function structureOf(value: JsonValue): JsonValue {
  if (typeof value !== 'string') return value;
  try {
    return JSON.parse(value) as JsonValue;
  } catch {
    return value;
  }
}
