/** A run's state as JSON and back: what a snapshot entry holds (I10). */
import type { RunError } from '../errors.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import type { StopEntry } from './journal.ts';
import type { Frame, Retrying, RunState } from './run-state.ts';

/** The shape inside a snapshot entry. Taken between two nodes, so that no intent is open. */
interface Snapshot {
  readonly workflow_hash: string | null;
  readonly library: string | null;
  readonly variables: readonly (readonly [string, JsonValue])[];
  readonly outputs: readonly (readonly [string, JsonObject])[];
  readonly frames: readonly Frame[];
  readonly step: number;
  readonly retrying: Retrying | null;
  readonly executed: readonly string[];
  readonly errors: readonly RunError[];
  readonly errors_dropped: number;
  readonly failure: RunError | null;
  readonly stop: StopEntry['stop'] | null;
  readonly active_ms: number;
}

/** @returns JSON that shares nothing with the state */
export function takeSnapshot(state: RunState): { readonly state: JsonObject; readonly sizeBytes: number } {
  const snapshot: Snapshot = {
    workflow_hash: state.workflowHash,
    library: state.library,
    variables: [...state.variables],
    outputs: [...state.outputs],
    frames: state.frames,
    step: state.step,
    retrying: state.retrying,
    executed: [...state.executed],
    errors: state.errors,
    errors_dropped: state.errorsDropped,
    failure: state.failure,
    stop: state.stop,
    active_ms: state.activeMs,
  };
  const text = JSON.stringify(snapshot);
  return { state: JSON.parse(text) as JsonObject, sizeBytes: text.length };
}

export function restoreSnapshot(stored: JsonObject): RunState {
  const snapshot = structuredClone(stored) as unknown as Snapshot;
  return {
    workflowHash: snapshot.workflow_hash,
    library: snapshot.library,
    variables: new Map(snapshot.variables),
    outputs: new Map(snapshot.outputs),
    frames: [...snapshot.frames],
    step: snapshot.step,
    intent: null,
    retrying: snapshot.retrying,
    isInDoubt: false,
    executed: new Set(snapshot.executed),
    errors: [...snapshot.errors],
    errorsDropped: snapshot.errors_dropped,
    failure: snapshot.failure,
    stop: snapshot.stop,
    outcome: null,
    activeMs: snapshot.active_ms,
  };
}
