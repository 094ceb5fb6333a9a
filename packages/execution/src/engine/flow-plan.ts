/** A workflow made ready for the walk: who follows whom by which exit, where values come from, what pairs. */
import type { JsonValue } from '../json.ts';
import { entryNodes, neverLeft } from '../model/flow-graph.ts';
import { pairNodes } from '../model/pairs.ts';
import type { NodeRegistry } from '../model/registry.ts';
import { type SubflowPorts, subflowPorts } from '../model/subflow-ports.ts';
import type { Workflow, WorkflowNode, WorkflowSettings } from '../model/workflow.ts';
import type { NodeType } from '../node-contract.ts';

export interface PortReference {
  readonly node: string;
  readonly port: string;
}

export interface FlowPlan {
  readonly workflow: Workflow;
  /** Where the walk begins, in file order. */
  readonly entry: readonly string[];
  /** Where the walk of a called workflow begins. */
  entryOf(scope: string): readonly string[];
  /** The nodes of a called workflow, without those that it calls. */
  nodesIn(scope: string): readonly string[];
  /** The input and output nodes of a workflow, by their ports. */
  portsOf(scope: string): SubflowPorts;
  /** The variables that a called workflow declares. */
  variablesOf(scope: string): Readonly<Record<string, JsonValue>>;
  /** The scope that a node belongs to. */
  scopeOf(nodeId: string): string;
  /** The settings of the file that a node stands in. */
  settingsOf(nodeId: string): WorkflowSettings;
  typeOf(nodeId: string): NodeType;
  /** All exec exits of a node, in order of preference. */
  exitsOf(nodeId: string): readonly string[];
  /** What follows an exit, in file order. Catch nodes are left out: only errors lead to them. */
  targetsOf(nodeId: string, exit: string): readonly string[];
  /** The exits that lead somewhere. */
  connectedExitsOf(nodeId: string): readonly string[];
  /** Where the values of a node's input ports come from. */
  sourcesOf(nodeId: string): ReadonlyMap<string, PortReference>;
  /** The exit for a node that ends without choosing one; null when each exit means a decision. */
  normalExitOf(nodeId: string): string | null;
  /** Output ports of a node that data connections start at. */
  usedOutputsOf(nodeId: string): ReadonlySet<string>;
  loopOfEnd(endId: string): string | null;
  endsOfLoop(loopStartId: string): readonly string[];
  /** The enabled catch nodes of a try, in the order in which they are asked. */
  catchesOf(tryId: string): readonly string[];
  finallyOf(tryId: string): string | null;
  /** The exits by which a region's node handles errors itself, without nodes of its own; null where it has none. */
  handlersOf(tryId: string): { readonly error: string; readonly last: string | null };
  /** The join of a fork; null for any other node. */
  joinOf(forkId: string): string | null;
  /** The enabled try that a finally node belongs to; null for any other node. */
  tryOfFinally(finallyId: string): string | null;
}

/** Exec connections end at this port. */
const EXEC_IN = 'exec_in';

/** @throws Error for a node type that the registry lacks: the workflow was not checked */
export function planFlow(workflow: Workflow, registry: NodeRegistry): FlowPlan {
  const types = new Map<string, NodeType>();
  const exits = new Map<string, readonly string[]>();
  for (const node of workflow.nodes.values()) {
    const type = registry.get(node.type);
    if (type === undefined) throw new Error(`the workflow was not checked: no node type ${node.type}`);
    types.set(node.id, type);
    exits.set(node.id, typeof type.exits === 'function' ? type.exits(node.config) : (type.exits ?? ['exec_out']));
  }
  const { targets, sources, usedOutputs } = readConnections(workflow);
  return {
    workflow,
    entry: entryNodes(workflow),
    ...scopesOf(workflow),
    typeOf: (nodeId) => required(types.get(nodeId), nodeId),
    exitsOf: (nodeId) => required(exits.get(nodeId), nodeId),
    targetsOf: (nodeId, exit) => targets.get(nodeId)?.get(exit) ?? [],
    connectedExitsOf: (nodeId) => [...(targets.get(nodeId)?.keys() ?? [])],
    sourcesOf: (nodeId) => sources.get(nodeId) ?? new Map(),
    usedOutputsOf: (nodeId) => usedOutputs.get(nodeId) ?? new Set(),
    normalExitOf: (nodeId) => {
      const own = required(exits.get(nodeId), nodeId);
      if (own.includes('retry_body') || neverLeft.has(workflow.nodes.get(nodeId)?.type ?? '')) return null;
      return ['exec_out', 'completed', 'success'].find((exit) => own.includes(exit)) ?? null;
    },
    ...pairsOf(workflow),
  };
}

function required<T>(value: T | undefined, nodeId: string): T {
  if (value === undefined) throw new Error(`no node ${nodeId} in this workflow`);
  return value;
}

interface Connections {
  readonly targets: ReadonlyMap<string, ReadonlyMap<string, readonly string[]>>;
  readonly sources: ReadonlyMap<string, ReadonlyMap<string, PortReference>>;
  readonly usedOutputs: ReadonlyMap<string, ReadonlySet<string>>;
}

function readConnections(workflow: Workflow): Connections {
  const targets = new Map<string, Map<string, string[]>>();
  const sources = new Map<string, Map<string, PortReference>>();
  const usedOutputs = new Map<string, Set<string>>();
  for (const { sourceNode, sourcePort, targetNode, targetPort } of workflow.connections) {
    if (targetPort === EXEC_IN) {
      const isCatch = workflow.nodes.get(targetNode)?.type === 'CatchNode';
      if (!isCatch) listIn(mapIn(targets, sourceNode), sourcePort).push(targetNode);
    } else {
      mapIn(sources, targetNode).set(targetPort, { node: sourceNode, port: sourcePort });
      usedOutputs.set(sourceNode, new Set(usedOutputs.get(sourceNode)).add(sourcePort));
    }
  }
  return { targets, sources, usedOutputs };
}

function mapIn<K, L, V>(maps: Map<K, Map<L, V>>, key: K): Map<L, V> {
  const map = maps.get(key) ?? new Map<L, V>();
  maps.set(key, map);
  return map;
}

function listIn<K, V>(lists: Map<K, V[]>, key: K): V[] {
  const list = lists.get(key) ?? [];
  lists.set(key, list);
  return list;
}

type Scopes = Pick<FlowPlan, 'entryOf' | 'nodesIn' | 'portsOf' | 'variablesOf' | 'scopeOf' | 'settingsOf'>;

function scopesOf(workflow: Workflow): Scopes {
  const byScope = Map.groupBy(workflow.nodes.values(), ({ scope }) => scope);
  const nodesOf = (scope: string): readonly WorkflowNode[] => byScope.get(scope) ?? [];
  const entries = new Map([...byScope.keys()].map((scope) => [scope, entryNodes(workflow, scope)]));
  const ports = new Map(
    [...byScope].map(([scope, nodes]) => [
      scope,
      subflowPorts(nodes.map((node) => ({ ...node, typeName: node.type }))),
    ]),
  );
  const none: SubflowPorts = { inputs: new Map(), outputs: new Map() };
  return {
    entryOf: (scope) => entries.get(scope) ?? [],
    nodesIn: (scope) => nodesOf(scope).map(({ id }) => id),
    portsOf: (scope) => ports.get(scope) ?? none,
    variablesOf: (scope) => workflow.scopes.get(scope)?.variables ?? {},
    scopeOf: (nodeId) => workflow.nodes.get(nodeId)?.scope ?? '',
    settingsOf: (nodeId) => workflow.scopes.get(workflow.nodes.get(nodeId)?.scope ?? '')?.settings ?? workflow.settings,
  };
}

type Pairs = Pick<
  FlowPlan,
  'loopOfEnd' | 'endsOfLoop' | 'catchesOf' | 'finallyOf' | 'handlersOf' | 'tryOfFinally' | 'joinOf'
>;

function pairsOf(workflow: Workflow): Pairs {
  const nodes = [...workflow.nodes].map(([id, { type, config }]) => [id, { id, typeName: type, config }] as const);
  const startOf = pairNodes(new Map(nodes));
  const partners = new Map<string, string[]>();
  for (const node of workflow.nodes.values()) {
    const start = startOf.get(node.id);
    if (start !== undefined) listIn(partners, start).push(node.id);
  }
  const partnersOf = (startId: string, type: string): readonly string[] =>
    (partners.get(startId) ?? []).filter((id) => {
      const node = workflow.nodes.get(id);
      return node?.type === type && !(node.disabled && type === 'CatchNode');
    });
  return {
    loopOfEnd: (endId) => startOf.get(endId) ?? null,
    endsOfLoop: (loopStartId) => partners.get(loopStartId) ?? [],
    catchesOf: (tryId) => {
      const first = workflow.nodes.get(tryId)?.config.paired_catch_id;
      const catches = partnersOf(tryId, 'CatchNode');
      return [...catches.filter((id) => id === first), ...catches.filter((id) => id !== first)];
    },
    handlersOf: (tryId) =>
      workflow.nodes.get(tryId)?.type === 'OnErrorNode'
        ? { error: 'on_error', last: 'finally' }
        : { error: 'catch', last: null },
    finallyOf: (tryId) => partnersOf(tryId, 'FinallyNode')[0] ?? null,
    joinOf: (forkId) => partnersOf(forkId, 'JoinNode')[0] ?? null,
    tryOfFinally: (finallyId) => {
      const isFinally = workflow.nodes.get(finallyId)?.type === 'FinallyNode';
      const tryId = isFinally ? startOf.get(finallyId) : undefined;
      return tryId === undefined || workflow.nodes.get(tryId)?.disabled ? null : tryId;
    },
  };
}
