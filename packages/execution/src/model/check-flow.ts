/** Checks where control goes: one start, no cycle outside a loop, break and continue inside one, nothing left out. */

import { checkBorders } from './check-borders.ts';
import type { Draft, DraftNode } from './draft.ts';
import { type FindingList, quoted } from './finding.ts';
import { type FlowGraph, isPortOnly, reachableBy, reachableNodes } from './flow-graph.ts';
import { breakableLoops, namedPartner } from './pairs.ts';

const MAX_CYCLES = 20;

export function checkFlow(draft: Draft, graph: FlowGraph, findings: FindingList): void {
  checkStarts(draft, findings);
  checkCycles(graph, findings);
  checkJumps(draft, graph, findings);
  checkAttemptEnds(draft, graph, findings);
  checkBorders(draft, graph, findings);
  checkFallbacks(draft, graph, findings);
  checkReachability(draft, graph, findings);
}

function checkStarts(draft: Draft, findings: FindingList): void {
  const [first, ...others] = [...draft.nodes.values()].filter((node) => node.typeName === 'StartNode');
  if (first === undefined) return;
  for (const other of others) {
    findings.error(
      'MULTIPLE_START_NODES',
      `Node ${quoted(other.id)} is a second StartNode, besides ${quoted(first.id)}. A workflow begins at one of them.`,
      { node: other.id, field: 'node_type', suggestion: 'Remove one of them.' },
    );
  }
}

/** Depth first without recursion; each node takes part in one reported cycle at most. */
function checkCycles(graph: FlowGraph, findings: FindingList): void {
  const state = new Map<string, 'open' | 'done'>();
  let reported = 0;
  for (const root of graph.nodes.keys()) {
    if (state.has(root)) continue;
    const path: { readonly node: string; next: number }[] = [{ node: root, next: 0 }];
    state.set(root, 'open');
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const way = graph.waysFrom(top.node)[top.next];
      top.next += 1;
      if (way === undefined) {
        state.set(top.node, 'done');
        path.pop();
      } else if (!state.has(way.to)) {
        state.set(way.to, 'open');
        path.push({ node: way.to, next: 0 });
      } else if (state.get(way.to) === 'open' && reported < MAX_CYCLES) {
        reported += 1;
        const cycle = path.map(({ node }) => node).slice(path.findIndex(({ node }) => node === way.to));
        reportCycle(cycle, findings);
      }
    }
  }
}

function reportCycle(cycle: readonly string[], findings: FindingList): void {
  const [first = '', ...rest] = cycle;
  const shown = [first, ...rest.slice(0, 8), ...(rest.length > 8 ? ['…'] : []), first].map((id) => id.slice(0, 60));
  findings.error('CYCLE', `Control runs in a circle outside of a loop: ${shown.join(' -> ')}.`, {
    node: first,
    suggestion: 'Use a loop node (ForLoopStartNode, WhileLoopStartNode), or remove one of these connections.',
  });
}

function checkJumps(draft: Draft, graph: FlowGraph, findings: FindingList): void {
  for (const node of draft.nodes.values()) {
    if (node.disabled || (node.typeName !== 'BreakNode' && node.typeName !== 'ContinueNode')) continue;
    const named = namedPartner(node.config, 'paired_loop_start_id');
    const around = [...graph.bodies].filter(([loop, body]) => isBreakable(draft, loop) && body.has(node.id));
    // A name that is no loop at all is reported with the pairs.
    if (named !== undefined && !isBreakable(draft, named)) continue;
    if (named === undefined ? around.length > 0 : around.some(([loop]) => loop === named)) continue;
    const where = named === undefined ? 'in no loop' : `outside of the loop ${quoted(named)}, which it names`;
    const word = node.typeName === 'BreakNode' ? 'break' : 'continue';
    findings.error('OUTSIDE_LOOP', `Node ${quoted(node.id)} stands ${where}, so there is nothing to ${word}.`, {
      node: node.id,
      field: named === undefined ? null : 'paired_loop_start_id',
      suggestion: "Connect it into the loop's body, or remove it.",
    });
  }
}

function checkAttemptEnds(draft: Draft, graph: FlowGraph, findings: FindingList): void {
  for (const node of draft.nodes.values()) {
    if (node.disabled || (node.typeName !== 'RetrySuccessNode' && node.typeName !== 'RetryFailNode')) continue;
    const isInRetry = [...graph.bodies].some(
      ([start, body]) => draft.nodes.get(start)?.typeName === 'RetryNode' && body.has(node.id),
    );
    if (isInRetry) continue;
    findings.error('OUTSIDE_RETRY', `Node ${quoted(node.id)} stands in no retry body, so there is no attempt to end.`, {
      node: node.id,
      suggestion: 'Connect it into the "retry_body" of a RetryNode, or remove it.',
    });
  }
}

/** Exits that lead to where an error has been caught. */
const catchExits = new Set(['catch_body', 'on_error', 'catch']);

function checkFallbacks(draft: Draft, graph: FlowGraph, findings: FindingList): void {
  const recoveries = [...draft.nodes.values()].filter(
    ({ typeName, disabled, config }) => typeName === 'ErrorRecoveryNode' && !disabled && config.strategy === 'fallback',
  );
  if (recoveries.length === 0) return;
  const caught = reachableBy(graph, (exit) => catchExits.has(exit));
  for (const node of recoveries) {
    if (caught.has(node.id)) continue;
    findings.error(
      'OUTSIDE_CATCH',
      `Node ${quoted(node.id)} falls back from an error, but stands in no catch body, so there is none.`,
      {
        node: node.id,
        field: 'strategy',
        suggestion: 'Connect it into the "catch_body" of a CatchNode or the "on_error" of an OnErrorNode.',
      },
    );
  }
}

function isBreakable(draft: Draft, id: string): boolean {
  return breakableLoops.has(draft.nodes.get(id)?.typeName ?? '');
}

function checkReachability(draft: Draft, graph: FlowGraph, findings: FindingList): void {
  const reached = reachableNodes(graph);
  for (const node of draft.nodes.values()) {
    if (reached.has(node.id) || isRemark(node) || isPortOnly(graph, node)) continue;
    findings.warning(
      'UNREACHABLE_NODE',
      `Node ${quoted(node.id)} (${node.typeName}) is never reached, so it will not run.`,
      {
        node: node.id,
        suggestion: `Connect its "exec_in", or remove it.`,
      },
    );
  }
}

function isRemark(node: DraftNode): boolean {
  return node.typeName === 'CommentNode';
}
