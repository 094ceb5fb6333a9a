/** What is enqueued must come out of the database as it went in: a character that it cannot hold is refused by its place. */
import type { JsonValue } from '../json.ts';
import { isDeeperThan } from '../model/json-depth.ts';
import { pathToNul, visible } from '../model/nul-character.ts';
import { GatewayError } from './gateway-error.ts';
import type { EnqueueRequest } from './gateway-types.ts';

/** Deeper ones no robot stores: its journal needs some levels for itself. */
const maxDepth = 900;

/** @throws GatewayError `INVALID_TEXT`, `TOO_DEEP` */
export function requireStorable({ workflow, variables = {}, name = '' }: EnqueueRequest): void {
  if (name.includes('\u0000')) throw refusal('the name', visible(name));
  if (isDeeperThan(variables, maxDepth))
    throw new GatewayError('TOO_DEEP', `the variables are nested more than ${maxDepth} levels deep`);
  const inVariables = pathToNul(variables);
  if (inVariables !== null) throw refusal('the variable', inVariables.join('.'));
  const inWorkflow = pathInText(workflow);
  if (inWorkflow === null) return;
  const [part, node, inner, ...field] = inWorkflow;
  if (part !== 'nodes' || node === undefined || inner === undefined)
    throw refusal('the workflow at', inWorkflow.join('.'));
  throw refusal(`the node "${visible(node)}", field`, (inner === 'config' ? field : [inner, ...field]).join('.'));
}

/** What is no JSON is for the database to refuse. */
function pathInText(workflow: string): readonly string[] | null {
  if (!workflow.includes('\u0000') && !/\\u0000/.test(workflow)) return null;
  try {
    return pathToNul(JSON.parse(workflow) as JsonValue);
  } catch {
    return null;
  }
}

function refusal(what: string, place: string): GatewayError {
  return new GatewayError(
    'INVALID_TEXT',
    `${what} "${place}" holds the character U+0000, which the database cannot store`,
  );
}
