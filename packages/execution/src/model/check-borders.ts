/**
 * Checks that nothing jumps out of a branch of a fork or an item of a parallel loop: those run side by side, so that a
 * break, a continue or the end of an attempt in one of them cannot act on what surrounds them all.
 */
import type { Draft, DraftNode } from './draft.ts';
import { type FindingList, quoted } from './finding.ts';
import type { FlowGraph } from './flow-graph.ts';
import { breakableLoops, namedPartner } from './pairs.ts';

interface Jump {
  /** Types of the nodes whose bodies the jump acts on. */
  readonly targets: ReadonlySet<string>;
  /** Ends the sentence "to ...". */
  readonly verb: string;
}

const retryTargets: ReadonlySet<string> = new Set(['RetryNode']);

const jumps: ReadonlyMap<string, Jump> = new Map([
  ['BreakNode', { targets: breakableLoops, verb: 'break' }],
  ['ContinueNode', { targets: breakableLoops, verb: 'continue' }],
  ['RetrySuccessNode', { targets: retryTargets, verb: 'end an attempt of' }],
  ['RetryFailNode', { targets: retryTargets, verb: 'end an attempt of' }],
]);

export function checkBorders(draft: Draft, graph: FlowGraph, findings: FindingList): void {
  const nodes = [...draft.nodes.values()];
  const jumping = nodes.filter((node) => !node.disabled && jumps.has(node.typeName));
  if (jumping.length === 0) return;
  const inside = sideBySide(nodes, graph);
  for (const node of jumping) checkJump(node, draft, graph, inside, findings);
}

type Insides = ReadonlyMap<string, ReadonlySet<string>>;

/** The nodes that run in branches or items, by the fork or parallel loop. */
function sideBySide(nodes: readonly DraftNode[], graph: FlowGraph): Insides {
  const inside = new Map<string, ReadonlySet<string>>();
  for (const { id, typeName, disabled } of nodes) {
    if (disabled) continue;
    if (typeName === 'ForkNode') inside.set(id, branchesOf(id, graph));
    if (typeName === 'ParallelForEachNode') inside.set(id, graph.bodies.get(id) ?? new Set());
  }
  return inside;
}

function branchesOf(fork: string, graph: FlowGraph): ReadonlySet<string> {
  const ways = graph.waysFrom(fork);
  const join = ways.find(({ exit }) => exit === 'paired')?.to;
  const reached = new Set<string>();
  const waiting = ways.filter(({ exit }) => exit.startsWith('branch_')).map(({ to }) => to);
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    if (node === join || node === fork || reached.has(node)) continue;
    reached.add(node);
    for (const { to } of graph.waysFrom(node)) waiting.push(to);
  }
  return reached;
}

function checkJump(node: DraftNode, draft: Draft, graph: FlowGraph, inside: Insides, findings: FindingList): void {
  const jump = jumps.get(node.typeName);
  if (jump === undefined) return;
  const named = namedPartner(node.config, 'paired_loop_start_id');
  const around = [...graph.bodies.keys()].filter(
    (start) =>
      jump.targets.has(draft.nodes.get(start)?.typeName ?? '') &&
      graph.bodies.get(start)?.has(node.id) === true &&
      (named === undefined || named === start),
  );
  const between = around.map((start) => borderBetween(node.id, start, graph, inside));
  const [start] = around;
  const [border] = between;
  if (start === undefined || border === undefined || between.includes(undefined)) return;
  const type = draft.nodes.get(border)?.typeName ?? 'ForkNode';
  findings.error(
    'LEAVES_BRANCH',
    `Node ${quoted(node.id)} stands inside of the ${type} ${quoted(border)}, whose ` +
      `${type === 'ForkNode' ? 'branches' : 'items'} run side by side, so it cannot ${jump.verb} ${quoted(start)} around it.`,
    {
      node: node.id,
      field: named === undefined ? null : 'paired_loop_start_id',
      suggestion: `Set a variable there, and decide behind ${type === 'ForkNode' ? 'the join' : 'the loop'}.`,
    },
  );
}

/** What runs side by side around the node, but within the body of `start`; undefined when nothing does. */
function borderBetween(node: string, start: string, graph: FlowGraph, inside: Insides): string | undefined {
  const body = graph.bodies.get(start);
  for (const [border, nodes] of inside) {
    if (border !== start && nodes.has(node) && body?.has(border) === true && !nodes.has(start)) return border;
  }
  return undefined;
}
