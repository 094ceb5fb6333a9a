/** What progress has to know of a workflow: how many nodes there are, and which loops stand around each. */
import { buildFlowGraph } from '../model/flow-graph.ts';
import { pairNodes } from '../model/pairs.ts';
import { requireWorkflow } from '../model/require-workflow.ts';
import type { Workflow } from '../model/workflow.ts';

export interface ProgressShape {
  readonly totalNodes: number;
  typeOf(nodeId: string): string;
  /** The start nodes of the loops around a node, outermost first. */
  loopsAround(nodeId: string): readonly string[];
  /** The nodes in the body of a loop; none for a node that is no loop. */
  bodyOf(loopId: string): ReadonlySet<string>;
}

/** A shape as plain data, to be told to another process. */
export interface ProgressShapeData {
  /** By node. */
  readonly types: Readonly<Record<string, string>>;
  /** The nodes in the body of each loop, by its start node. */
  readonly bodies: readonly (readonly [loop: string, body: readonly string[]])[];
}

export function progressShapeData(workflow: Workflow): ProgressShapeData {
  const nodes = new Map(
    [...workflow.nodes].map(([id, { type, config }]) => [id, { id, typeName: type, config }] as const),
  );
  const { bodies } = buildFlowGraph({ nodes, connections: workflow.connections, pairs: pairNodes(nodes) });
  return {
    types: Object.fromEntries([...workflow.nodes].map(([id, { type }]) => [id, type])),
    bodies: [...bodies].map(([loop, body]) => [loop, [...body]] as const),
  };
}

export function progressShapeOf(data: ProgressShapeData): ProgressShape {
  const types = new Map(Object.entries(data.types));
  const bodies = new Map(data.bodies.map(([loop, body]) => [loop, new Set(body)]));
  // A loop that contains another one has the larger body.
  const largestFirst = [...bodies].toSorted(([, a], [, b]) => b.size - a.size);
  return {
    totalNodes: types.size,
    typeOf: (nodeId) => types.get(nodeId) ?? 'unknown',
    loopsAround: (nodeId) => largestFirst.flatMap(([loop, body]) => (body.has(nodeId) ? [loop] : [])),
    bodyOf: (loopId) => bodies.get(loopId) ?? new Set(),
  };
}

/** @throws ArgumentError for what `checkWorkflow` did not answer with */
export function progressShape(workflow: Workflow): ProgressShape {
  requireWorkflow(workflow);
  return progressShapeOf(progressShapeData(workflow));
}

/** The shape of a workflow of which only the size is known: its loops count as plain nodes. */
export function flatShape(totalNodes: number): ProgressShape {
  return { totalNodes, typeOf: () => 'unknown', loopsAround: () => [], bodyOf: () => new Set() };
}
