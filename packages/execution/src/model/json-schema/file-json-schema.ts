/** The outer shape of a workflow file as JSON Schema: what the parser takes, and nothing that it refuses. */
import type { JsonObject } from '../../json.ts';
import { variableTypePattern } from '../parse-variables.ts';

const idText: JsonObject = { type: ['string', 'number'] };
const filledText: JsonObject = { anyOf: [{ type: 'string', minLength: 1 }, { type: 'number' }] };
const secondsText = '^\\s*\\+?(\\d+\\.?\\d*|\\.\\d+)([eE][+-]?\\d+)?\\s*$';

const metadata: JsonObject = {
  type: ['object', 'null'],
  description: 'What the file says about itself; nothing in it changes what a run does.',
  properties: { name: { description: 'Shown with the job.' } },
};

const settings: JsonObject = {
  type: ['object', 'null'],
  properties: {
    stop_on_error: {
      description: 'False: a node that fails outside of all regions is recorded, and the walk goes on.',
      default: true,
      anyOf: [{ type: ['boolean', 'null'] }, { type: 'string', pattern: '^([Tt][Rr][Uu][Ee]|[Ff][Aa][Ll][Ss][Ee])$' }],
    },
    timeout: {
      description: "Seconds that a node may run. The designer's 30, 0 and nothing leave the robot's own limit.",
      anyOf: [{ type: 'number', minimum: 0 }, { type: 'string', pattern: secondsText }, { enum: ['', null] }],
    },
    retry_count: {
      description: 'How often a node is tried again; never an effect that may have happened.',
      default: 0,
      anyOf: [{ type: 'integer', minimum: 0 }, { type: 'string', pattern: '^\\s*\\+?\\d+\\s*$' }, { enum: ['', null] }],
    },
  },
};

/** An id under the first of the two keys that is set. */
const anyId: JsonObject = firstOf('node_id', 'id', { type: ['string', 'number', 'null'] });

const connection: JsonObject = {
  type: 'object',
  if: {
    properties: { out: { type: 'array' }, in: { type: 'array' } },
    required: ['out', 'in'],
  },
  // biome-ignore lint/suspicious/noThenProperty: the key of a JSON Schema
  then: { properties: { out: pair(), in: pair() } },
  else: {
    if: { required: ['from_node'] },
    // biome-ignore lint/suspicious/noThenProperty: the key of a JSON Schema
    then: requiring(['from_node', 'from_port', 'to_node', 'to_port']),
    else: requiring(['source_node', 'source_port', 'target_node', 'target_port']),
  },
};

const variable: JsonObject = {
  description: 'A plain value, or a definition with `type` and `default_value`.',
  if: { type: 'object', required: ['default_value'] },
  // biome-ignore lint/suspicious/noThenProperty: the key of a JSON Schema
  then: firstOf('type', 'data_type', {
    anyOf: [{ type: 'string', pattern: variableTypePattern() }, { type: 'null' }],
  }),
};

/** The definitions that do not depend on the node types. */
export const fileDefinitions: JsonObject = {
  workflow: {
    type: 'object',
    required: ['nodes'],
    properties: {
      metadata,
      nodes: {
        anyOf: [
          {
            type: 'object',
            minProperties: 1,
            propertyNames: { minLength: 1, maxLength: 256 },
            additionalProperties: { $ref: '#/$defs/node' },
          },
          { type: 'array', minItems: 1, items: { allOf: [{ $ref: '#/$defs/node' }, { $ref: '#/$defs/listedNode' }] } },
        ],
      },
      connections: { type: ['array', 'null'], items: { $ref: '#/$defs/connection' } },
      variables: {
        anyOf: [
          { type: 'null' },
          { type: 'object', additionalProperties: { $ref: '#/$defs/variable' } },
          {
            type: 'array',
            items: {
              allOf: [
                { type: 'object', required: ['name'], properties: { name: { type: 'string', minLength: 1 } } },
                { $ref: '#/$defs/variable' },
              ],
            },
          },
        ],
      },
      settings,
      subworkflows: {
        type: ['object', 'null'],
        description: 'The workflows that nodes of this one call, by their paths or ids.',
      },
    },
  },
  connection,
  variable,
  listedNode: firstOf('node_id', 'id', { ...idText, ...filledText, maxLength: 256 }, true),
  nodeShape: {
    type: 'object',
    allOf: [
      anyId,
      firstOf('node_type', 'type', { type: 'string', pattern: '\\S' }, true),
      firstOf('config', 'properties', { type: ['object', 'null'] }),
    ],
  },
};

/** The schema for the value of `key`, or of `other` where `key` is null or missing. */
function firstOf(key: string, other: string, schema: JsonObject, isRequired = false): JsonObject {
  return {
    if: { required: [key], properties: { [key]: { not: { type: 'null' } } } },
    // biome-ignore lint/suspicious/noThenProperty: the key of a JSON Schema
    then: { properties: { [key]: schema } },
    else: { properties: { [other]: schema }, ...(isRequired ? { required: [other] } : {}) },
  };
}

function pair(): JsonObject {
  return { minItems: 2, prefixItems: [filledText, filledText] };
}

function requiring(keys: readonly string[]): JsonObject {
  return { required: [...keys], properties: Object.fromEntries(keys.map((key) => [key, filledText])) };
}
