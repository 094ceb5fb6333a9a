/** What a call of the engine hands back. */

import { requireObjects, requireWhole } from '../argument-error.ts';
import type { Workflow } from '../model/workflow.ts';
import { foldValues } from './fold.ts';
import type { JournalEntry, RunEnd, RunStatistics } from './journal.ts';
import { variablesIn } from './lane-values.ts';
import type { RunReport } from './run-options.ts';
import { type RunState, rootLane } from './run-state.ts';
import type { RunSecrets } from './secrecy/run-secrets.ts';

export function runReport(workflow: Workflow, state: RunState, end: RunEnd, secrets: RunSecrets): RunReport {
  const root = rootLane(state);
  const variables = Object.fromEntries(variablesIn('', root.variables));
  const outputs = Object.fromEntries(root.outputs);
  const begun = begunNodes(state);
  const secret = [...secrets.partsOfEach(variables, ['variables']), ...secrets.partsOfEach(outputs, ['outputs'])];
  return {
    end,
    variables,
    outputs,
    ...(secret.length === 0 ? {} : { secret }),
    skipped: skippedNodes(workflow, state).filter((nodeId) => !begun.has(nodeId)),
    ...(state.skipped.size === 0
      ? {}
      : { passedOver: [...workflow.nodes.keys()].filter((id) => state.skipped.has(id)) }),
    errors: [...state.errors],
  };
}

export function runStatistics(workflow: Workflow, state: RunState, durationMs: number): RunStatistics {
  const skipped = skippedNodes(workflow, state).length;
  return {
    duration_ms: Math.max(0, Math.round(durationMs)),
    nodes_total: workflow.nodes.size,
    nodes_executed: workflow.nodes.size - skipped,
    nodes_skipped: skipped,
  };
}

/**
 * The figures of a run that ends without being gone on with: what its journal says it did.
 *
 * @param nodesTotal how many nodes its workflow has
 * @throws ArgumentError
 * @example
 * recordedStatistics(await journal.load(), workflow.nodes.size).nodes_executed; // 3
 */
export function recordedStatistics(entries: readonly JournalEntry[], nodesTotal: number): RunStatistics {
  requireObjects('entries', entries);
  requireWhole('nodesTotal', nodesTotal, 0);
  const { lanes, skipped, activeMs } = foldValues(entries);
  const executed = new Set([...lanes.values()].flatMap((lane) => [...lane.executed]));
  const count = [...executed].filter((nodeId) => !skipped.has(nodeId)).length;
  return {
    duration_ms: Math.round(activeMs),
    nodes_total: nodesTotal,
    nodes_executed: count,
    nodes_skipped: Math.max(0, nodesTotal - count),
  };
}

/** Nodes that have begun and not ended, and those of dropped lanes whose effects may have happened. */
function begunNodes({ lanes, cutOff }: RunState): ReadonlySet<string> {
  const open = [...lanes.values()].flatMap(({ intent, retrying }) => [intent, retrying]);
  return new Set([...open, ...cutOff].flatMap((begun) => (begun === null ? [] : [begun.node_id])));
}

function skippedNodes(workflow: Workflow, state: RunState): readonly string[] {
  const lanes = [...state.lanes.values()];
  return [...workflow.nodes.keys()].filter(
    (nodeId) => state.skipped.has(nodeId) || !lanes.some(({ executed }) => executed.has(nodeId)),
  );
}
