/** A run's state as JSON and back: what a snapshot entry holds (I10). */
import type { RunError } from '../errors.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import type { CutOff } from './cut-off.ts';
import type { DoubtQuestion } from './doubt.ts';
import type { Frame } from './frames.ts';
import type { AnsweredEntry, IntentEntry, StopEntry } from './journal.ts';
import type { LiveResource } from './resource-record.ts';
import {
  addLane,
  type Lane,
  type LaneEnd,
  type LaneOrigin,
  laneOf,
  newRunState,
  type Retrying,
  type RunState,
  rootLane,
} from './run-state.ts';

/** The shape inside a snapshot entry. */
interface Snapshot extends LaneSnapshot {
  /** The lanes besides the root lane, parents first. */
  readonly lanes?: readonly (LaneSnapshot & LaneIdentity)[];
  readonly workflow_hash: string | null;
  readonly library: string | null;
  readonly begun_at?: number;
  readonly step: number;
  readonly resources?: readonly LiveResource[];
  readonly errors: readonly RunError[];
  readonly errors_dropped: number;
  readonly stop: StopEntry['stop'] | null;
  readonly cut_off?: readonly CutOff[];
  readonly cut_off_more?: number;
  readonly skipped?: readonly string[];
  readonly run_doubt?: DoubtQuestion | null;
  readonly doubts_answered?: number;
  readonly has_unstorable?: true;
  readonly active_ms: number;
  readonly active_until?: number;
}

interface LaneIdentity {
  readonly id: string;
  readonly parent: string;
  readonly origin: LaneOrigin;
}

interface LaneSnapshot {
  readonly variables: readonly (readonly [string, JsonValue])[];
  readonly outputs: readonly (readonly [string, JsonObject])[];
  readonly without_outputs?: readonly (readonly [string, readonly string[]])[];
  readonly frames: readonly Frame[];
  readonly intent?: IntentEntry | null;
  readonly retried?: readonly CutOff[];
  readonly doubt?: DoubtQuestion | null;
  readonly answered?: AnsweredEntry | null;
  readonly retrying: Retrying | null;
  readonly executed: readonly string[];
  readonly last_step?: number;
  readonly steps?: number;
  readonly last_outputs?: string | null;
  readonly passed_over?: RunError | null;
  readonly broken?: boolean;
  readonly lane_stop?: Lane['stop'];
  readonly end?: LaneEnd;
}

/** @returns JSON that shares nothing with the state */
export function takeSnapshot(state: RunState): { readonly state: JsonObject; readonly sizeBytes: number } {
  const snapshot: Snapshot = {
    workflow_hash: state.workflowHash,
    library: state.library,
    ...(state.begunAt === null ? {} : { begun_at: state.begunAt }),
    ...laneSnapshot(rootLane(state)),
    resources: [...state.resources.values()],
    step: state.step,
    errors: state.errors,
    errors_dropped: state.errorsDropped,
    stop: state.stop,
    ...(state.cutOff.length === 0 ? {} : { cut_off: state.cutOff }),
    ...(state.cutOffMore === 0 ? {} : { cut_off_more: state.cutOffMore }),
    ...(state.skipped.size === 0 ? {} : { skipped: [...state.skipped] }),
    run_doubt: state.doubt,
    doubts_answered: state.doubtsAnswered,
    ...(state.hasUnstorable ? { has_unstorable: true } : {}),
    active_ms: state.activeMs,
    active_until: state.activeUntil,
    lanes: [...state.lanes.values()].flatMap((lane) => {
      const { id, parent, origin } = lane;
      return parent === null || origin === null ? [] : [{ id, parent: parent.id, origin, ...laneSnapshot(lane) }];
    }),
  };
  const text = JSON.stringify(snapshot);
  return { state: JSON.parse(text) as JsonObject, sizeBytes: text.length };
}

function laneSnapshot(lane: Lane): LaneSnapshot {
  return {
    variables: [...lane.variables],
    outputs: [...lane.outputs],
    ...(lane.withoutOutputs.size === 0 ? {} : { without_outputs: [...lane.withoutOutputs] }),
    frames: lane.frames,
    intent: lane.intent,
    ...(lane.retried.length === 0 ? {} : { retried: lane.retried }),
    doubt: lane.doubt,
    answered: lane.answered,
    retrying: lane.retrying,
    executed: [...lane.executed],
    last_step: lane.lastStep,
    steps: lane.steps,
    last_outputs: lane.lastOutputs,
    passed_over: lane.passedOver,
    broken: lane.hasBroken,
    lane_stop: lane.stop,
    end: lane.end,
  };
}

export function restoreSnapshot(stored: JsonObject): RunState {
  const snapshot = structuredClone(stored) as unknown as Snapshot;
  const state = newRunState([]);
  state.workflowHash = snapshot.workflow_hash;
  state.library = snapshot.library;
  state.begunAt = snapshot.begun_at ?? null;
  state.step = snapshot.step;
  state.resources = new Map((snapshot.resources ?? []).map((record) => [record.id, record]));
  state.errors = [...snapshot.errors];
  state.errorsDropped = snapshot.errors_dropped;
  state.stop = snapshot.stop;
  state.cutOff = [...(snapshot.cut_off ?? [])];
  state.cutOffMore = snapshot.cut_off_more ?? 0;
  for (const nodeId of snapshot.skipped ?? []) state.skipped.add(nodeId);
  state.doubt = snapshot.run_doubt ?? null;
  state.doubtsAnswered = snapshot.doubts_answered ?? 0;
  state.hasUnstorable = snapshot.has_unstorable ?? false;
  state.activeMs = snapshot.active_ms;
  state.activeUntil = snapshot.active_until ?? 0;
  restoreLane(rootLane(state), snapshot);
  for (const { id, parent, origin, ...lane } of snapshot.lanes ?? []) {
    restoreLane(addLane(state, { id, parent: laneOf(state, { lane: parent }), origin }), lane);
  }
  return state;
}

/** A snapshot from before there were lanes was taken between two nodes, and its one lane had begun every step. */
function restoreLane(lane: Lane, snapshot: LaneSnapshot): void {
  lane.variables = new Map(snapshot.variables);
  lane.outputs = new Map(snapshot.outputs);
  lane.withoutOutputs = new Map(snapshot.without_outputs);
  lane.frames = [...snapshot.frames];
  lane.intent = snapshot.intent ?? null;
  lane.retried = snapshot.retried ?? [];
  lane.doubt = snapshot.doubt ?? null;
  lane.answered = snapshot.answered ?? null;
  lane.retrying = snapshot.retrying;
  lane.executed = new Set(snapshot.executed);
  lane.lastStep = snapshot.last_step ?? lane.run.step;
  lane.steps = snapshot.steps ?? lane.run.step;
  lane.lastOutputs = snapshot.last_outputs ?? null;
  lane.passedOver = snapshot.passed_over ?? null;
  lane.hasBroken = snapshot.broken ?? false;
  // Within a finally body, a lane of a stopped run is not stopped itself. Older snapshots do not say.
  const { lane_stop: laneStop = lane.run.stop === null ? null : { error: null } } = snapshot;
  lane.stop = laneStop;
  lane.end = snapshot.end ?? { kind: 'running' };
}
