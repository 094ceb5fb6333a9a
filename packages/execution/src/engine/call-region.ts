/**
 * The region of a call: what its workflow sees when it begins, and what is left of it when it is over. It has
 * variables of its own, kept in the lane under names that carry the call's scope.
 */
import { publishedError } from '../control/published-error.ts';
import type { RunError } from '../errors.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import type { FlowPlan } from './flow-plan.ts';
import type { CallFrame } from './frames.ts';
import { scopedName, scopeOfName, variableOf } from './lane-values.ts';
import type { Lane } from './run-state.ts';

export interface Opening {
  readonly given: JsonObject;
  readonly limit_ms: number | null;
}

/** Opens the call of a node: nothing of an earlier call is left in it. */
export function openCall(plan: FlowPlan, lane: Lane, nodeId: string, { given, limit_ms: limitMs }: Opening): void {
  forget(plan, lane, nodeId);
  for (const [name, value] of Object.entries(plan.variablesOf(nodeId))) {
    lane.variables.set(scopedName(nodeId, name), Object.hasOwn(given, name) ? (given[name] ?? null) : value);
  }
  publishInputs(plan, lane, nodeId, (port) => (Object.hasOwn(given, port) ? given[port] : undefined));
  lane.frames.push({ kind: 'call', node: nodeId, limitMs, spentMs: 0, queue: [...plan.entryOf(nodeId)] });
}

/** A workflow that nobody calls takes its inputs from its variables. */
export function publishRootInputs(plan: FlowPlan, lane: Lane): void {
  publishInputs(plan, lane, '', (port) => variableOf(lane, port));
}

/** Input nodes have their value from the beginning: control need not come to them. */
function publishInputs(
  plan: FlowPlan,
  lane: Lane,
  scope: string,
  given: (port: string) => JsonValue | undefined,
): void {
  for (const [port, nodeIds] of plan.portsOf(scope).inputs) {
    for (const nodeId of nodeIds) {
      const value = given(port) ?? plan.workflow.nodes.get(nodeId)?.config.default_value ?? null;
      lane.outputs.set(nodeId, { value });
    }
  }
}

/** The innermost frame must be the call's. Its variables end with it; the outputs of its nodes stay to be seen. */
export function closeCall(lane: Lane, frame: CallFrame): void {
  lane.frames.pop();
  forgetVariables(lane, frame.node);
}

/** Closes a call that failed, and tells the calling node's ports about it. */
export function closeFailedCall(lane: Lane, frame: CallFrame, error: RunError): void {
  closeCall(lane, frame);
  const { error_message, error_type } = publishedError(error);
  const outputs = { success: false, execution_time_ms: frame.spentMs, error_message, error_type };
  lane.outputs.set(frame.node, { ...lane.outputs.get(frame.node), ...outputs });
}

function forget(plan: FlowPlan, lane: Lane, scope: string): void {
  forgetVariables(lane, scope);
  for (const nodeId of plan.nodesIn(scope)) {
    // What an outer lane knows of an earlier call must not show through.
    if (lane.parent === null) lane.outputs.delete(nodeId);
    else lane.outputs.set(nodeId, {});
  }
}

function forgetVariables(lane: Lane, scope: string): void {
  for (const name of lane.variables.keys()) {
    const owner = scopeOfName(name);
    if (owner === scope || owner.startsWith(`${scope}/`)) lane.variables.delete(name);
  }
}
