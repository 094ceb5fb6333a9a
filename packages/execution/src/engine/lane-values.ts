/** What is to be seen from a lane: its own variables and outputs over those of the lanes that it was opened from. */
import type { JsonObject, JsonValue } from '../json.ts';
import type { Lane } from './run-state.ts';

export function variableOf(lane: Lane, name: string): JsonValue | undefined {
  for (let at: Lane | null = lane; at !== null; at = at.parent) {
    const value = at.variables.get(name);
    if (value !== undefined) return value;
  }
  return undefined;
}

/** Those of the newest run of a node; undefined while it has not run. */
export function outputsOf(lane: Lane, nodeId: string): JsonObject | undefined {
  for (let at: Lane | null = lane; at !== null; at = at.parent) {
    const outputs = at.outputs.get(nodeId);
    if (outputs !== undefined) return outputs;
  }
  return undefined;
}

const SCOPE_MARK = '\u001f';

/** The name under which a lane keeps a variable of a sub-workflow; the file's own have their plain names. */
export function scopedName(scope: string, name: string): string {
  return scope === '' ? name : `${scope}${SCOPE_MARK}${name}`;
}

/** The scope of a name that {@link scopedName} made. */
export function scopeOfName(scoped: string): string {
  return scoped.slice(0, Math.max(0, scoped.indexOf(SCOPE_MARK)));
}

/** The variables that nodes of a scope see, by their own names. */
export function variablesIn(scope: string, variables: ReadonlyMap<string, JsonValue>): Map<string, JsonValue> {
  const own = [...variables].filter(([name]) => scopeOfName(name) === scope);
  const start = scopedName(scope, '').length;
  return new Map(own.map(([name, value]) => [name.slice(start), value]));
}

export function allVariables(lane: Lane): Map<string, JsonValue> {
  if (lane.parent === null) return new Map(lane.variables);
  const all = allVariables(lane.parent);
  for (const [name, value] of lane.variables) all.set(name, value);
  return all;
}

/** Whether a node has ended on the way to here. */
export function hasExecuted(lane: Lane, nodeId: string): boolean {
  for (let at: Lane | null = lane; at !== null; at = at.parent) if (at.executed.has(nodeId)) return true;
  return false;
}
