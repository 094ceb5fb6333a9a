/**
 * Random graphs of control-flow nodes: mostly joined as people would, now and then as nobody should. Many are valid,
 * many are not.
 */

import { controlNodeTypes } from '../../src/control/control-node-types.ts';
import type { JsonObject, JsonValue } from '../../src/json.ts';
import { checkWorkflow } from '../../src/model/check-workflow.ts';
import type { NodeRegistry } from '../../src/model/registry.ts';
import { type FileSpec, type NodeSpec, workflowFile } from '../engine/harness.ts';
import type { Random } from './random.ts';

const types: readonly string[] = [
  ...controlNodeTypes.map(({ type }) => type).filter((type) => type !== 'StartNode'),
  ...[
    'MarkNode',
    'MarkNode',
    'FailNode',
    'GiveNode',
    'IfNode',
    'ForLoopStartNode',
    'TryNode',
    'CatchNode',
    'RetryNode',
  ],
];

const exits: Readonly<Record<string, readonly string[]>> = {
  IfNode: ['true', 'false'],
  SwitchNode: ['case_a', 'case_1', 'default'],
  ForLoopStartNode: ['body', 'completed'],
  WhileLoopStartNode: ['body', 'completed'],
  ForLoopNode: ['loop_body', 'completed'],
  WhileLoopNode: ['loop_body', 'completed'],
  TryNode: ['try_body', 'exec_out', 'success', 'catch'],
  CatchNode: ['catch_body'],
  FinallyNode: ['finally_body'],
  RetryNode: ['retry_body', 'success', 'failed'],
  OnErrorNode: ['protected_body', 'on_error', 'finally'],
  ErrorRecoveryNode: ['exec_out', 'fallback'],
  SubflowNode: ['exec_out', 'error'],
  ExecuteWorkflowNode: ['exec_out', 'error'],
  CallSubworkflowNode: ['exec_out', 'error'],
  ForkNode: ['branch_1', 'branch_2'],
  ParallelForEachNode: ['body', 'completed'],
};

/** @param depth how many levels of sub-workflows the graph may have */
export function randomGraph(random: Random, depth = 2): FileSpec {
  const size = 2 + random.below(9);
  const ids = Array.from({ length: size }, (_, index) => `n${index}`);
  const typeOf = new Map(ids.map((id) => [id, random.of(types)] as const));
  const nodes: Record<string, NodeSpec> = random.below(3) > 0 ? { start: ['StartNode'] } : {};
  for (const id of ids) nodes[id] = [typeOf.get(id) ?? '', configOf(id, typeOf, random)];
  const connect: string[] = nodes.start === undefined ? [] : [`start -> ${random.of(ids)}`];
  for (const [index, id] of ids.entries()) {
    for (const exit of exits[typeOf.get(id) ?? ''] ?? ['exec_out']) {
      // Mostly forward; a step back may close a loop, or be a circle.
      const target = random.below(12) === 0 ? random.of(ids) : ids[index + 1 + random.below(2)];
      if (target !== undefined && random.below(5) > 0) connect.push(`${id}.${exit} -> ${target}`);
    }
  }
  if (random.below(20) === 0) connect.push(`${random.of(ids)}.nowhere -> ${random.of(ids)}`);
  if (random.below(6) === 0) connect.push(`${random.of(ids)}.value => ${random.of(ids)}.value`);
  return {
    nodes,
    connect: [...new Set(connect)],
    variables: { v0: 0, v1: [1, 2], flag: true },
    settings: { stop_on_error: random.below(2) === 0, retry_count: random.below(2) },
    ...(depth === 0
      ? {}
      : { subworkflows: { 'a.json': randomGraph(random, depth - 1), 'b.json': randomGraph(random, 0) } }),
  };
}

function configOf(id: string, typeOf: ReadonlyMap<string, string>, random: Random): JsonObject {
  const type = typeOf.get(id) ?? '';
  const near = (wanted: string): JsonValue => {
    const fitting = [...typeOf].flatMap(([other, itsType]) => (itsType === wanted ? [other] : []));
    return fitting.length === 0 || random.below(25) === 0 ? random.of([...typeOf.keys()]) : random.of(fitting);
  };
  const condition: JsonValue = random.of(['{{v0}} < 2', '{{flag}}', 'false', true, '{{nope}}', 'v0 == 1', '1 <']);
  const own = ((): JsonObject => {
    switch (type) {
      case 'IfNode':
      case 'AssertNode':
        return { condition };
      case 'SwitchNode':
        return { value: random.of<JsonValue>(['a', 'b', '{{v0}}']), cases: ['a', 'b'] };
      case 'ForLoopStartNode':
        return random.below(2) === 0 ? { items: '{{v1}}', item_var: 'v0' } : { mode: 'range', end: random.below(3) };
      case 'ForLoopNode':
        return { end: random.below(3) };
      case 'WhileLoopStartNode':
      case 'WhileLoopNode':
        return { condition, max_iterations: random.below(4) };
      case 'ForLoopEndNode':
        return { paired_start_id: near('ForLoopStartNode') };
      case 'WhileLoopEndNode':
        return { paired_start_id: near('WhileLoopStartNode') };
      case 'CatchNode':
      case 'FinallyNode':
        return { paired_try_id: near('TryNode') };
      case 'BreakNode':
      case 'ContinueNode':
        return random.below(2) === 0 ? {} : { paired_loop_start_id: near('ForLoopStartNode') };
      case 'ForkNode':
        return { paired_join_id: near('JoinNode'), fail_fast: random.below(2) === 0 };
      case 'JoinNode':
        return { paired_fork_id: near('ForkNode') };
      case 'ParallelForEachNode':
        return { items: '{{v1}}', batch_size: 1 + random.below(3) };
      case 'RetryNode':
        return { max_attempts: random.below(4), initial_delay: random.below(2) };
      case 'ErrorRecoveryNode':
        return { strategy: random.of(['stop', 'continue', 'retry', 'fallback']), max_retries: random.below(3) };
      case 'SubflowNode':
        return { subflow_path: random.of(['a.json', 'b.json', 'b.json', 'c.json']) };
      case 'ExecuteWorkflowNode':
        return { workflow_path: random.of(['a.json', 'b.json']) };
      case 'CallSubworkflowNode':
        return { subworkflow_id: random.of(['a', 'b']), timeout_seconds: random.below(3) };
      case 'SetVariableNode':
      case 'GetVariableNode':
      case 'IncrementVariableNode':
        return { variable_name: random.of(['v0', 'v2', 'flag']) };
      case 'SubflowInputNode':
      case 'SubflowOutputNode':
        return { port_name: random.of(['value', 'v0']) };
      case 'FailNode':
        return { times: random.below(2), ambiguous: random.below(2) === 0, effect: random.of(['pure', 'effect']) };
      default:
        return {};
    }
  })();
  return random.below(12) === 0 ? { ...own, _disabled: true } : own;
}

/**
 * Mends, a few times over, most of what is found wrong: faulty nodes give way to a plain one, faulty connections go.
 * So more graphs are valid than by chance alone, and with more in them.
 */
export function mended(spec: FileSpec, registry: NodeRegistry, random: Random): FileSpec {
  let graph = spec;
  for (let round = 0; round < 4; round += 1) {
    const { findings } = checkWorkflow(workflowFile(graph), registry);
    const faults = findings.filter(({ severity }) => severity === 'error' && random.below(10) > 0);
    if (faults.length === 0) return graph;
    const nodes = { ...graph.nodes };
    let connect = [...(graph.connect ?? [])];
    for (const { node, code } of faults) {
      const id = node?.split('/')[0] ?? '';
      if (['SELF_CONNECTION', 'CYCLE', 'UNKNOWN_PORT', 'UNKNOWN_NODE'].includes(code)) {
        connect = connect.filter((text) => !text.includes(id) || random.below(2) === 0);
      } else if (nodes[id] !== undefined) nodes[id] = ['MergeNode'];
    }
    graph = { ...graph, nodes, connect };
  }
  return graph;
}
