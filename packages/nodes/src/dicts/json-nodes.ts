/** Nodes between JSON text and values. */
import { z } from 'zod';
import { defineNode } from '../define-node.ts';
import { NodeError } from '../errors.ts';
import { anything, flag, integer, param } from '../params/index.ts';
import type { JsonValue, NodeType } from '../ports.ts';
import { kindOf } from '../values/kind-of.ts';
import { jsonText } from './json-text.ts';

export const jsonParseNode: NodeType = defineNode({
  type: 'JsonParseNode',
  category: 'data',
  description: 'Reads JSON text; a value that is no text any more passes as it is.',
  params: z.object({ json_string: anything() }),
  outputs: ['data'],
  effect: () => 'pure',
  async run(ctx) {
    return { outputs: { data: parsed(ctx.params.json_string) } };
  },
});

export const dictToJsonNode: NodeType = defineNode({
  type: 'DictToJsonNode',
  category: 'data',
  description: 'JSON text of a value.',
  params: z.object({
    dict: param((value) => ({ value: (value ?? {}) as JsonValue })),
    indent: integer({ fallback: null, min: 0, max: 16 }),
    sort_keys: flag(false),
    ensure_ascii: flag(true),
  }),
  outputs: ['json_string'],
  effect: () => 'pure',
  async run(ctx) {
    const { dict, indent, sort_keys, ensure_ascii } = ctx.params;
    const json_string = jsonText(dict, { indent, sortKeys: sort_keys, ensureAscii: ensure_ascii });
    return { outputs: { json_string } };
  },
});

function parsed(source: JsonValue): JsonValue {
  if (source === null || source === '') {
    throw new NodeError('json_string is empty: there is nothing to parse', { code: 'JSON_INVALID' });
  }
  if (typeof source !== 'string') return source;
  try {
    return JSON.parse(source.replace(/^\ufeff/, '')) as JsonValue;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : kindOf(cause);
    throw new NodeError(`json_string is not valid JSON: ${reason}`, { code: 'JSON_INVALID', cause });
  }
}
