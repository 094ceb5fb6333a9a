/** A node's inputs in the form that may be recorded, and what tells them apart. */
import { createHash } from 'node:crypto';
import type { JsonObject } from '../../json.ts';
import type { WorkflowNode } from '../../model/workflow.ts';
import { readInputs } from '../params.ts';
import { runScope } from '../run-scope.ts';
import type { RunSession } from '../run-session.ts';
import { noSecrets } from '../secrets.ts';

/** A node's inputs as the journal may have them, with secrets left as references. */
export function storableInputs({ plan, lane, options }: RunSession, node: WorkflowNode): JsonObject {
  const scope = runScope(lane, node.scope, options.clock, noSecrets);
  return readInputs({ plan, lane, nodeId: node.id, scope, onUnknownReference: () => undefined });
}

/** Tells the inputs of one run of a node from those of another one; null when secrets are among them. */
export function inputsMark({ secrets }: RunSession, inputs: JsonObject): string | null {
  if (secrets.holds(inputs)) return null;
  return createHash('sha256').update(JSON.stringify(inputs)).digest('hex').slice(0, 16);
}
