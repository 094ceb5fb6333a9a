/**
 * Nodes that belong together: loop ends to loop starts, catch and finally to try, join to fork. Files name the
 * partner on either side.
 */
import type { JsonObject } from '../json.ts';

export interface PairedNode {
  readonly id: string;
  readonly typeName: string;
  readonly config: JsonObject;
  /** Absent: enabled. */
  readonly disabled?: boolean | undefined;
}

export interface PairRule {
  readonly first: string;
  readonly second: string;
  /** Config key of the first node that names the second. */
  readonly keyOfFirst: string;
  /** Config key of the second node that names the first. */
  readonly keyOfSecond: string;
}

export const pairRules: readonly PairRule[] = [
  { first: 'ForLoopStartNode', second: 'ForLoopEndNode', keyOfFirst: 'paired_end_id', keyOfSecond: 'paired_start_id' },
  {
    first: 'WhileLoopStartNode',
    second: 'WhileLoopEndNode',
    keyOfFirst: 'paired_end_id',
    keyOfSecond: 'paired_start_id',
  },
  { first: 'TryNode', second: 'CatchNode', keyOfFirst: 'paired_catch_id', keyOfSecond: 'paired_try_id' },
  { first: 'TryNode', second: 'FinallyNode', keyOfFirst: 'paired_finally_id', keyOfSecond: 'paired_try_id' },
  { first: 'ForkNode', second: 'JoinNode', keyOfFirst: 'paired_join_id', keyOfSecond: 'paired_fork_id' },
];

/** Exits that lead into a loop's body, by the loop's type. */
export const loopBodyExits: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ['ForLoopStartNode', new Set(['body'])],
  ['WhileLoopStartNode', new Set(['body'])],
  ['ForLoopNode', new Set(['loop_body', 'body'])],
  ['WhileLoopNode', new Set(['loop_body', 'body'])],
  ['ParallelForEachNode', new Set(['body'])],
  ['RetryNode', new Set(['retry_body'])],
]);

/** Loops that BreakNode and ContinueNode act on. */
export const breakableLoops: ReadonlySet<string> = new Set([
  'ForLoopStartNode',
  'WhileLoopStartNode',
  'ForLoopNode',
  'WhileLoopNode',
  'ParallelForEachNode',
]);

/** The first node of each second node that is paired: loop start by loop end, try by catch, and so on. */
export function pairNodes(nodes: ReadonlyMap<string, PairedNode>): ReadonlyMap<string, string> {
  const firstOf = new Map<string, string>();
  for (const rule of pairRules) {
    for (const node of nodes.values()) {
      if (node.typeName === rule.first) {
        const second = partner(nodes, node, rule.keyOfFirst, rule.second);
        if (second !== undefined) firstOf.set(second, node.id);
      }
    }
    for (const node of nodes.values()) {
      if (node.typeName === rule.second) {
        const first = partner(nodes, node, rule.keyOfSecond, rule.first);
        if (first !== undefined) firstOf.set(node.id, first);
      }
    }
  }
  return firstOf;
}

/** The id that a config key names; undefined when it names none. */
export function namedPartner(config: JsonObject, key: string): string | undefined {
  const name = config[key];
  const text = typeof name === 'number' ? String(name) : name;
  return typeof text === 'string' && text.trim() !== '' ? text.trim() : undefined;
}

function partner(
  nodes: ReadonlyMap<string, PairedNode>,
  node: PairedNode,
  key: string,
  type: string,
): string | undefined {
  const id = namedPartner(node.config, key);
  return id !== undefined && nodes.get(id)?.typeName === type ? id : undefined;
}
