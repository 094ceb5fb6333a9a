/** What progress has to know of a workflow: how many nodes there are, and which loops stand around each. */
import { buildFlowGraph } from '../model/flow-graph.ts';
import { pairNodes } from '../model/pairs.ts';
import type { Workflow } from '../model/workflow.ts';

export interface ProgressShape {
  readonly totalNodes: number;
  typeOf(nodeId: string): string;
  /** The start nodes of the loops around a node, outermost first. */
  loopsAround(nodeId: string): readonly string[];
  /** The nodes in the body of a loop; none for a node that is no loop. */
  bodyOf(loopId: string): ReadonlySet<string>;
}

export function progressShape(workflow: Workflow): ProgressShape {
  const nodes = new Map(
    [...workflow.nodes].map(([id, { type, config }]) => [id, { id, typeName: type, config }] as const),
  );
  const { bodies } = buildFlowGraph({ nodes, connections: workflow.connections, pairs: pairNodes(nodes) });
  // A loop that contains another one has the larger body.
  const largestFirst = [...bodies].toSorted(([, a], [, b]) => b.size - a.size);
  return {
    totalNodes: workflow.nodes.size,
    typeOf: (nodeId) => workflow.nodes.get(nodeId)?.type ?? 'unknown',
    loopsAround: (nodeId) => largestFirst.flatMap(([loop, body]) => (body.has(nodeId) ? [loop] : [])),
    bodyOf: (loopId) => bodies.get(loopId) ?? new Set(),
  };
}

/** The shape of a workflow of which only the size is known: its loops count as plain nodes. */
export function flatShape(totalNodes: number): ProgressShape {
  return { totalNodes, typeOf: () => 'unknown', loopsAround: () => [], bodyOf: () => new Set() };
}
