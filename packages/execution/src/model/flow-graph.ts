/**
 * Where control can go in a workflow: the exec connections, and the ways that pairings add (a try to its catch and
 * finally, a fork to its join, a loop to what follows its end node). Ways back to a loop's start that close its body
 * are kept apart, because they are no cycle and do not keep the start from being an entry.
 */
import { EXEC_IN } from './draft.ts';
import { loopBodyExits, type PairedNode, pairNodes } from './pairs.ts';
import type { Connection } from './workflow.ts';

export interface FlowEdge {
  readonly exit: string;
  readonly to: string;
}

export interface FlowGraph {
  readonly nodes: ReadonlyMap<string, PairedNode>;
  /** All ways on from a node, without those back to a loop's start. */
  waysFrom(node: string): readonly FlowEdge[];
  /** Where a run begins, in file order. */
  readonly entries: readonly string[];
  /** The nodes in the body of each loop, by its start. */
  readonly bodies: ReadonlyMap<string, ReadonlySet<string>>;
}

export interface FlowSource {
  readonly nodes: ReadonlyMap<string, PairedNode>;
  /** Connections between existing nodes; those to `exec_in` carry control. */
  readonly connections: readonly Connection[];
  readonly pairs: ReadonlyMap<string, string>;
}

const loopEnds = new Set(['ForLoopEndNode', 'WhileLoopEndNode']);
/** Reached through their partner, so never an entry although nothing is connected to them. */
const enteredByPartner = new Set(['CatchNode', 'FinallyNode', 'ForLoopEndNode', 'WhileLoopEndNode', 'JoinNode']);
/** The ports of a sub-workflow: data, unless control is led through them. */
export const portNodes: ReadonlySet<string> = new Set(['SubflowInputNode', 'SubflowOutputNode']);
/** Their `exec_out` is drawn, but never taken. */
export const neverLeft: ReadonlySet<string> = new Set(['EndNode', 'BreakNode', 'ContinueNode']);

export function buildFlowGraph(source: FlowSource): FlowGraph {
  const ways = controlWays(source);
  const bodies = new Map<string, ReadonlySet<string>>();
  const afters = new Map<string, ReadonlySet<string>>();
  const backEdges = new Set<FlowEdge>();
  for (const start of source.nodes.values()) {
    const exits = loopBodyExits.get(start.typeName);
    if (exits === undefined) continue;
    const body = reach(ways, start.id, (exit) => exits.has(exit));
    bodies.set(start.id, body);
    const after = reach(ways, start.id, (exit) => !exits.has(exit));
    afters.set(start.id, after);
    for (const node of body) {
      if (after.has(node)) continue;
      for (const way of ways.get(node) ?? []) if (way.to === start.id) backEdges.add(way);
    }
  }
  const forward = new Map([...ways].map(([node, edges]) => [node, edges.filter((edge) => !backEdges.has(edge))]));
  const isInside = (node: string, start: string): boolean =>
    bodies.get(start)?.has(node) === true && afters.get(start)?.has(node) !== true;
  for (const [end, edges] of strayEnds(source, ways, isInside)) {
    forward.set(end, [...(forward.get(end) ?? []), ...edges]);
  }
  return {
    nodes: source.nodes,
    waysFrom: (node) => forward.get(node) ?? [],
    entries: entriesOf(source, forward),
    bodies,
  };
}

/**
 * The ways on from loop ends that control may come to while their loop is not open: there, they pass it on like any
 * other node.
 */
function strayEnds(
  { nodes, connections, pairs }: FlowSource,
  ways: Ways,
  isInside: (node: string, start: string) => boolean,
): ReadonlyMap<string, readonly FlowEdge[]> {
  const stray = new Set<string>();
  for (const [from, edges] of ways) {
    for (const { exit, to } of edges) {
      const start = loopEnds.has(nodes.get(to)?.typeName ?? '') ? pairs.get(to) : undefined;
      if (start === undefined) continue;
      const leadsIn =
        from === start ? loopBodyExits.get(nodes.get(start)?.typeName ?? '')?.has(exit) : isInside(from, start);
      if (leadsIn !== true) stray.add(to);
    }
  }
  const out = new Map<string, FlowEdge[]>();
  for (const { sourceNode, sourcePort, targetNode, targetPort } of connections) {
    if (targetPort !== EXEC_IN || !stray.has(sourceNode) || !nodes.has(targetNode)) continue;
    const edges = out.get(sourceNode) ?? [];
    out.set(sourceNode, [...edges, { exit: sourcePort, to: targetNode }]);
  }
  return out;
}

/** A disabled node passes control on, whatever it would do otherwise. */
function isNeverLeft({ typeName, disabled }: PairedNode): boolean {
  return disabled !== true && neverLeft.has(typeName);
}

type Ways = ReadonlyMap<string, readonly FlowEdge[]>;

function controlWays({ nodes, connections, pairs }: FlowSource): Ways {
  const ways = new Map<string, FlowEdge[]>();
  const add = (from: string, exit: string, to: string): void => {
    const edges = ways.get(from);
    if (edges === undefined) ways.set(from, [{ exit, to }]);
    else edges.push({ exit, to });
  };
  for (const { sourceNode, sourcePort, targetNode, targetPort } of connections) {
    const source = nodes.get(sourceNode);
    const target = nodes.get(targetNode);
    if (targetPort !== EXEC_IN || source === undefined || target === undefined || sourceNode === targetNode) continue;
    // Only errors lead to a catch node; its try leads there, see below.
    if (target.typeName === 'CatchNode' || (isNeverLeft(source) && sourcePort === 'exec_out')) continue;
    const start = loopEnds.has(source.typeName) ? pairs.get(sourceNode) : undefined;
    if (start === undefined) add(sourceNode, sourcePort, targetNode);
    else if (start !== targetNode) add(start, 'completed', targetNode);
  }
  for (const [second, first] of pairs) {
    if (!loopEnds.has(nodes.get(second)?.typeName ?? '')) add(first, 'paired', second);
  }
  return ways;
}

/** What can be reached by certain exits of a node, without passing through the node again. */
function reach(ways: Ways, from: string, takes: (exit: string) => boolean): ReadonlySet<string> {
  const reached = new Set<string>();
  const waiting = (ways.get(from) ?? []).filter((edge) => takes(edge.exit)).map((edge) => edge.to);
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    if (node === from || reached.has(node)) continue;
    reached.add(node);
    for (const edge of ways.get(node) ?? []) waiting.push(edge.to);
  }
  return reached;
}

function entriesOf({ nodes }: FlowSource, forward: Ways): readonly string[] {
  const all = [...nodes.values()];
  const starts = all.filter((node) => node.typeName === 'StartNode');
  if (starts.length > 0) return starts.map((node) => node.id);
  const targets = new Set([...forward.values()].flatMap((edges) => edges.map((edge) => edge.to)));
  return all
    .filter((node) => !targets.has(node.id) && !enteredByPartner.has(node.typeName))
    .filter((node) => !portNodes.has(node.typeName) || (forward.get(node.id) ?? []).length > 0)
    .map((node) => node.id);
}

/** True for a node that only holds a value: control never comes to it. */
export function isPortOnly(graph: FlowGraph, node: PairedNode): boolean {
  return portNodes.has(node.typeName) && graph.waysFrom(node.id).length === 0;
}

/** All nodes that a run can come to. */
export function reachableNodes(graph: FlowGraph): ReadonlySet<string> {
  return reachedFrom(graph, graph.entries);
}

/** All nodes that a run can come to once it has taken an exit of that name. */
export function reachableBy(graph: FlowGraph, takes: (exit: string) => boolean): ReadonlySet<string> {
  const ways = [...graph.nodes.keys()].flatMap((node) => graph.waysFrom(node));
  return reachedFrom(
    graph,
    ways.filter(({ exit }) => takes(exit)).map(({ to }) => to),
  );
}

function reachedFrom(graph: FlowGraph, starts: readonly string[]): ReadonlySet<string> {
  const reached = new Set<string>();
  const waiting = [...starts];
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    if (reached.has(node)) continue;
    reached.add(node);
    for (const edge of graph.waysFrom(node)) waiting.push(edge.to);
  }
  return reached;
}

/**
 * Where a run of a checked workflow begins, in file order: its StartNode, or every node that nothing leads to.
 *
 * @param scope the calling node of a sub-workflow; default: the file itself
 */
export function entryNodes(
  workflow: {
    readonly nodes: ReadonlyMap<
      string,
      Pick<PairedNode, 'id' | 'config' | 'disabled'> & { readonly type: string; readonly scope: string }
    >;
    readonly connections: readonly Connection[];
  },
  scope = '',
): readonly string[] {
  const nodes = new Map(
    [...workflow.nodes].flatMap(([id, node]) =>
      node.scope === scope
        ? [[id, { id, typeName: node.type, config: node.config, disabled: node.disabled }] as const]
        : [],
    ),
  );
  return buildFlowGraph({ nodes, connections: workflow.connections, pairs: pairNodes(nodes) }).entries;
}
