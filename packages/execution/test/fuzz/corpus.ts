/** Sound workflow files to start from: the examples that ship, and files full of control flow. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
// The library by its place: the package itself must not depend on it.
import { builtinNodes } from '../../../nodes/src/index.ts';
import type { JsonValue } from '../../src/json.ts';
import { createNodeRegistry, type NodeRegistry } from '../../src/model/registry.ts';
import { type FileSpec, workflowFile } from '../engine/harness.ts';

const examples = new URL('../../../../examples/', import.meta.url);

export const fullRegistry: NodeRegistry = createNodeRegistry(builtinNodes);

const files: readonly FileSpec[] = [
  {
    nodes: {
      start: ['StartNode'],
      each: ['ForLoopStartNode', { items: '{{words}}', item_var: 'word' }],
      odd: ['IfNode', { expression: '{{each.current_index}} % 2 == 1' }],
      skip: ['ContinueNode', { paired_loop_start_id: 'each' }],
      leave: ['BreakNode'],
      which: ['SwitchNode', { value: '{{word}}', cases: ['a', 'b'] }],
      end: ['ForLoopEndNode', { paired_start_id: 'each' }],
      count: ['IncrementVariableNode', { variable_name: 'n', increment: 2 }],
    },
    connect: [
      'start -> each.body -> odd.true -> skip',
      'odd.false -> which.case_a -> count -> end',
      'which.case_b -> leave',
    ],
    variables: { words: { type: 'List', default_value: ['x', 'a', 'b'] }, n: 0 },
    settings: { stop_on_error: true, timeout: 30, retry_count: 1 },
  },
  {
    nodes: {
      start: ['StartNode'],
      try: ['TryNode', { paired_catch_id: 'catch', paired_finally_id: 'finally' }],
      while: ['WhileLoopStartNode', { condition: '{{n}} < 3', max_iterations: 5 }],
      more: ['IncrementVariableNode', { variable_name: 'n' }],
      throw: ['ThrowErrorNode', { error_message: 'no {{n}}' }],
      catch: ['CatchNode', { paired_try_id: 'try', error_types: 'CustomError' }],
      say: ['SetVariableNode', { variable_name: 'said', value: '{{catch.error_message}}' }],
      finally: ['FinallyNode', { paired_try_id: 'try' }],
      done: ['EndNode'],
    },
    connect: [
      'start -> try.try_body -> while.body -> more',
      'while.completed -> throw',
      'catch.catch_body -> say',
      'try -> done',
    ],
    variables: { n: { type: 'Integer', default_value: '0' } },
  },
  {
    nodes: {
      each: ['ForLoopNode', { start: 0, end: 2 }],
      while: ['WhileLoopNode', { expression: '{{i}} < 1', max_iterations: 2 }],
      i: ['IncrementVariableNode', { variable_name: 'i' }],
      off: ['LogNode', { message: 'off', _disabled: true }],
    },
    connect: ['each.loop_body -> while.loop_body -> i', 'each.completed -> off', 'each.index => i.increment'],
    variables: { i: 0 },
  },
];

/** A file in the list form of nodes and variables, and with older spellings. */
const listForm: JsonValue = {
  name: 'older',
  nodes: [
    { id: 1, type: 'StartNode' },
    { node_id: '2', node_type: 'BrowserWaitNode', properties: { duration: '0.5' } },
  ],
  connections: [{ out: [1, 'exec_out'], in: [2, 'exec_in'] }],
  variables: [{ name: 'x', type: 'Boolean', default_value: 'yes' }],
};

export const corpus: readonly JsonValue[] = [
  ...readdirSync(examples)
    .filter((name) => name.endsWith('.json'))
    .map((name) => JSON.parse(readFileSync(fileURLToPath(new URL(name, examples)), 'utf8')) as JsonValue),
  ...files.map(workflowFile),
  listForm,
];
