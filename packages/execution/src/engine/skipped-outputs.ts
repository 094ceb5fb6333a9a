/**
 * Outputs that are not there because their node was skipped when it was in doubt: whoever reads one fails. Left as it is
 * written, as other unknown references are, `{{login.token}}` would be what a robot types into a form.
 */
import { NodeError } from '../errors.ts';
import { inlinedId } from '../model/inline.ts';
import { variablesNamedIn } from '../model/known-names.ts';
import { type Reference, referenceText } from '../model/reference-path.ts';
import type { WorkflowNode } from '../model/workflow.ts';
import type { ResultEntry } from './journal.ts';
import { scopedName } from './lane-values.ts';
import type { Lane } from './run-state.ts';

/** Keeps whether the newest run of a node in this lane was skipped, and which variables it would have set. */
export function noteOutputs(lane: Lane, { skipped = false }: ResultEntry, node: WorkflowNode): void {
  if (!skipped) {
    lane.withoutOutputs.delete(node.id);
    return;
  }
  const names = [...variablesNamedIn(node.config)].map((name) => scopedName(node.scope, name));
  lane.withoutOutputs.set(node.id, names);
}

/** True when the newest run of a node, as it is seen from this lane, was skipped. */
export function isWithoutOutputs(lane: Lane, nodeId: string): boolean {
  for (let at: Lane | null = lane; at !== null; at = at.parent) {
    if (at.outputs.has(nodeId)) return at.withoutOutputs.has(nodeId);
  }
  return false;
}

/**
 * Refuses a reference that nothing answers, if that is because a node was skipped.
 *
 * @throws NodeError `OUTPUT_SKIPPED`
 */
export function refuseSkipped(lane: Lane, scope: string, reference: Reference): void {
  const { names } = reference;
  for (let length = 1; length <= names.length; length += 1) {
    const name = names.slice(0, length).join('.');
    const owner = length < names.length && isWithoutOutputs(lane, inlinedId(scope, name));
    const nodeId = owner ? inlinedId(scope, name) : setterOf(lane, scopedName(scope, name));
    if (nodeId !== undefined) throw outputSkipped(`{{${referenceText(reference)}}}`, nodeId);
  }
}

/** The skipped node that would have set a variable. */
function setterOf(lane: Lane, variable: string): string | undefined {
  for (let at: Lane | null = lane; at !== null; at = at.parent) {
    for (const [nodeId, names] of at.withoutOutputs) {
      if (names.includes(variable) && isWithoutOutputs(lane, nodeId)) return nodeId;
    }
  }
  return undefined;
}

/** @param what as the workflow names it: `{{login.token}}`, or the port of a connection */
export function outputSkipped(what: string, nodeId: string): NodeError {
  return new NodeError(
    `It needs ${what}, which is not there: the node "${nodeId}" was skipped when it was in doubt. ` +
      'A try region around this node can take this error, and a value in the config is the default for a field that a ' +
      `connection fills; or run the job again from its start, or answer for "${nodeId}" with retry or fail next time.`,
    { code: 'OUTPUT_SKIPPED', errorType: 'OutputSkippedError', details: { reference: what, skipped_node: nodeId } },
  );
}
