/**
 * The file format as JSON Schema (draft 2020-12), for editors and other tools. It says of shapes what the validator
 * says, and of config what can be said without the rest of the file: every file that the validator takes is valid
 * by it, unless a config value is of the wrong kind and a connection stands in for it. What needs the whole graph
 * (connections to missing nodes, pairs, cycles) only `checkWorkflow` tells.
 */
import { ArgumentError, requireMethods, requireObjects } from '../../argument-error.ts';
import type { JsonObject } from '../../json.ts';
import type { NodeType } from '../../node-contract.ts';
import { paramsOf } from '../param-schema.ts';
import type { NodeRegistry } from '../registry.ts';
import { fileDefinitions } from './file-json-schema.ts';
import { paramJsonSchema } from './param-json-schema.ts';

/** Config keys that the engine understands in every node. */
const engineKeys: JsonObject = {
  _disabled: { description: 'True: the node passes control on, and copies inputs to outputs of the same name.' },
  timeout: { description: 'Time limit of the node; seconds, unless its type says otherwise.' },
  retry_count: { description: 'How often the node is tried again when it fails.' },
  retry_interval: { description: 'Ms between two attempts. Default 1,000.' },
  retry_backoff: { description: 'By which factor that interval grows from attempt to attempt. Default 1.' },
  unstorable: {
    description:
      'What to do when a restart took a value of this node that could not be stored: "rerun" the node, or "fail" the one that reads it.',
  },
  in_doubt: { description: 'What to do when nobody can tell whether an interrupted effect happened.' },
};

/**
 * The schema of workflow files whose nodes are of the registry's types. Nodes of other types are not judged.
 *
 * @throws ArgumentError for a `registry` that is none
 * @example
 * const schema = workflowJsonSchema(createNodeRegistry([]));
 * schema.$schema; // 'https://json-schema.org/draft/2020-12/schema'
 */
export function workflowJsonSchema(registry: NodeRegistry): JsonObject {
  requireMethods('registry', registry, ['list']);
  if (!(registry.aliases instanceof Map)) throw new ArgumentError('registry.aliases', 'a Map', registry.aliases);
  const types = registry.list();
  requireObjects('registry.list()', types);
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Casare workflow',
    description: 'A workflow file as the CasareRPA designer saves it and a Casare Robot runs it.',
    anyOf: [
      { $ref: '#/$defs/workflow' },
      ...['workflow', 'base_workflow', 'workflow_definition'].map((key) => ({
        type: 'object',
        not: { required: ['nodes'] },
        required: [key],
        properties: { [key]: { $ref: '#/$defs/workflow' } },
      })),
    ],
    $defs: {
      ...fileDefinitions,
      node: { allOf: [{ $ref: '#/$defs/nodeShape' }, ...types.map((type) => ruleFor(type, registry))] },
      ...Object.fromEntries(types.map((type) => [`config:${type.type}`, configJsonSchema(type)])),
    },
  };
}

function ruleFor(type: NodeType, registry: NodeRegistry): JsonObject {
  const names = [...registry.aliases].flatMap(([alias, name]) => (name === type.type ? [alias] : []));
  const disabled = { required: ['_disabled'], properties: { _disabled: { enum: [true, 'true'] } } };
  return {
    if: {
      type: 'object',
      required: ['node_type', 'config'],
      properties: { node_type: { enum: [type.type, ...names] }, config: { type: 'object', not: disabled } },
    },
    // biome-ignore lint/suspicious/noThenProperty: the key of a JSON Schema
    then: { properties: { config: { $ref: `#/$defs/config:${type.type}` } } },
  };
}

function configJsonSchema(type: NodeType): JsonObject {
  const params = [...paramsOf(type)].map(([param, schema]) => [param, paramJsonSchema(schema)] as const);
  return {
    type: 'object',
    description: type.description,
    properties: { ...engineKeys, ...Object.fromEntries(params) },
  };
}
