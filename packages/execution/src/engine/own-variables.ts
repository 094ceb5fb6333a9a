/** What a journal says about a workflow's own variables, for those who read it without folding it. */
import { requireObject } from '../argument-error.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import type { JournalEntry } from './journal.ts';
import { variablesIn } from './lane-values.ts';

/**
 * The variables that an entry sets for the workflow as a whole: neither what a branch or an item writes for itself (the
 * result of the join repeats what is taken over) nor the variables of a sub-workflow.
 *
 * @example
 * ownVariables({ kind: 'began', workflow_hash: 'h', variables: { n: 1 }, at: 0 }); // { n: 1 }
 */
export function ownVariables(entry: JournalEntry): JsonObject {
  requireObject('entry', entry);
  if (entry.kind === 'snapshot') return ofRoot(entry.state.variables as readonly (readonly [string, JsonValue])[]);
  if (entry.kind === 'began') return entry.variables;
  return entry.kind === 'result' && entry.lane === undefined ? ofRoot(Object.entries(entry.variables)) : {};
}

function ofRoot(variables: readonly (readonly [string, JsonValue])[] | undefined): JsonObject {
  return Object.fromEntries(variablesIn('', new Map(variables ?? [])));
}
