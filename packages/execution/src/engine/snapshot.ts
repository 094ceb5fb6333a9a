/** A run's state as JSON and back: what a snapshot entry holds (I10). */
import type { RunError } from '../errors.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import type { Frame } from './frames.ts';
import type { IntentEntry, StopEntry } from './journal.ts';
import type { LiveResource } from './resource-record.ts';
import { type Lane, newRunState, type Retrying, type RunState, rootLane } from './run-state.ts';

/** The shape inside a snapshot entry. */
interface Snapshot extends LaneSnapshot {
  readonly workflow_hash: string | null;
  readonly library: string | null;
  readonly step: number;
  readonly resources?: readonly LiveResource[];
  readonly errors: readonly RunError[];
  readonly errors_dropped: number;
  readonly stop: StopEntry['stop'] | null;
  readonly active_ms: number;
}

interface LaneSnapshot {
  readonly variables: readonly (readonly [string, JsonValue])[];
  readonly outputs: readonly (readonly [string, JsonObject])[];
  readonly frames: readonly Frame[];
  readonly intent?: IntentEntry | null;
  readonly in_doubt?: boolean;
  readonly retrying: Retrying | null;
  readonly executed: readonly string[];
  readonly last_step?: number;
  readonly steps?: number;
  readonly failure: RunError | null;
}

/** @returns JSON that shares nothing with the state */
export function takeSnapshot(state: RunState): { readonly state: JsonObject; readonly sizeBytes: number } {
  const snapshot: Snapshot = {
    workflow_hash: state.workflowHash,
    library: state.library,
    ...laneSnapshot(rootLane(state)),
    resources: [...state.resources.values()],
    step: state.step,
    errors: state.errors,
    errors_dropped: state.errorsDropped,
    stop: state.stop,
    active_ms: state.activeMs,
  };
  const text = JSON.stringify(snapshot);
  return { state: JSON.parse(text) as JsonObject, sizeBytes: text.length };
}

function laneSnapshot(lane: Lane): LaneSnapshot {
  return {
    variables: [...lane.variables],
    outputs: [...lane.outputs],
    frames: lane.frames,
    intent: lane.intent,
    in_doubt: lane.isInDoubt,
    retrying: lane.retrying,
    executed: [...lane.executed],
    last_step: lane.lastStep,
    steps: lane.steps,
    failure: lane.end.kind === 'failed' ? lane.end.error : null,
  };
}

export function restoreSnapshot(stored: JsonObject): RunState {
  const snapshot = structuredClone(stored) as unknown as Snapshot;
  const state = newRunState([]);
  state.workflowHash = snapshot.workflow_hash;
  state.library = snapshot.library;
  state.step = snapshot.step;
  state.resources = new Map((snapshot.resources ?? []).map((record) => [record.id, record]));
  state.errors = [...snapshot.errors];
  state.errorsDropped = snapshot.errors_dropped;
  state.stop = snapshot.stop;
  state.activeMs = snapshot.active_ms;
  restoreLane(rootLane(state), snapshot);
  return state;
}

/** A snapshot from before there were lanes was taken between two nodes, and its one lane had begun every step. */
function restoreLane(lane: Lane, snapshot: LaneSnapshot): void {
  lane.variables = new Map(snapshot.variables);
  lane.outputs = new Map(snapshot.outputs);
  lane.frames = [...snapshot.frames];
  lane.intent = snapshot.intent ?? null;
  lane.isInDoubt = snapshot.in_doubt ?? false;
  lane.retrying = snapshot.retrying;
  lane.executed = new Set(snapshot.executed);
  lane.lastStep = snapshot.last_step ?? lane.run.step;
  lane.steps = snapshot.steps ?? lane.run.step;
  lane.end = snapshot.failure === null ? { kind: 'running' } : { kind: 'failed', error: snapshot.failure };
}
