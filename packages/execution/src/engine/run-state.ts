/**
 * The state of a run: what the fold of its journal yields and what decides the next nodes. It holds the
 * newest outputs only, so that its size does not grow with the number of steps.
 *
 * A run is walked in lanes. The root lane is the walk itself; a fork opens one for each branch, a parallel loop one
 * for each item. What a lane writes lies over what its parent had written when the lane was opened, and the parent
 * stands still until the lane is over.
 */
import type { RunError } from '../errors.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import type { CutOff } from './cut-off.ts';
import type { DoubtQuestion } from './doubt.ts';
import type { Frame } from './frames.ts';
import type { AnsweredEntry, IntentEntry, RunOutcome, StopEntry } from './journal.ts';
import type { LiveResource } from './resource-record.ts';

export interface Retrying {
  readonly step: number;
  readonly node_id: string;
  /** The number of the last attempt. */
  readonly attempt: number;
  readonly retries: number;
}

export type LaneEnd =
  | { readonly kind: 'running' }
  | { readonly kind: 'ended' }
  /** It was told to stop, and did. */
  | { readonly kind: 'stopped' }
  /** An error that nothing in the lane took. */
  | { readonly kind: 'failed'; readonly error: RunError };

/** Which branch of a fork, or item of a parallel loop, a lane is. */
export interface LaneOrigin {
  /** The ForkNode or ParallelForEachNode. */
  readonly node: string;
  readonly kind: 'branch' | 'item';
  /** From 0. */
  readonly index: number;
  /** Paths of the lane end where they come to this node: the join of the fork, or the loop itself. */
  readonly border: string | null;
}

export interface Lane {
  /** Unique in the run, and the same after a resume. */
  readonly id: string;
  readonly run: RunState;
  /** Null for the root lane. */
  readonly parent: Lane | null;
  /** Null for the root lane. */
  readonly origin: LaneOrigin | null;
  frames: Frame[];
  /** A node that has begun and not ended. */
  intent: IntentEntry | null;
  /** Earlier attempts at the step under way that an operator had run again: whether they took effect is not known. */
  retried: readonly CutOff[];
  /** A step whose last attempt failed and that is to be tried again. */
  retrying: Retrying | null;
  /** What the journal asks about the intent; null when nothing is asked. */
  doubt: DoubtQuestion | null;
  /** The answer by which the intent is to be settled. */
  answered: AnsweredEntry | null;
  /** The lane's own; see `lane-values.ts` for what a node sees. */
  variables: Map<string, JsonValue>;
  /** By node: those of its newest run in this lane. */
  outputs: Map<string, JsonObject>;
  /** Nodes whose newest run in this lane was skipped, with the variables that each would have set. */
  withoutOutputs: Map<string, readonly string[]>;
  /** Nodes that ended in this lane. */
  executed: Set<string>;
  /** The run's number of the newest step that this lane has begun, and how many it has begun. */
  lastStep: number;
  steps: number;
  /** The node that gave outputs last. */
  lastOutputs: string | null;
  /** The first error in it that no catch took and that the walk went on in spite of. */
  passedOver: RunError | null;
  /** Items: a break has been met, so that no further item begins. */
  hasBroken: boolean;
  /** Set when the lane is told to stop: only finally bodies run from then on, and it ends with the error, if any. */
  stop: { readonly error: RunError | null } | null;
  end: LaneEnd;
}

export interface RunState {
  workflowHash: string | null;
  library: string | null;
  /** When it began, wall-clock ms; null where an older snapshot does not say. */
  begunAt: number | null;
  /** The root lane and all others that are open, by id. */
  readonly lanes: Map<string, Lane>;
  /** Live objects that can be restored, by id, oldest first. */
  resources: Map<string, LiveResource>;
  /** Steps that have been begun so far, in all lanes. */
  step: number;
  /** Errors that no catch took, the newest ones; see MAX_ERRORS. */
  errors: RunError[];
  errorsDropped: number;
  stop: StopEntry['stop'] | null;
  /** Effects of which nobody knows whether they happened, see `cut-off.ts`. */
  cutOff: CutOff[];
  /** How many there are besides. */
  cutOffMore: number;
  /** Nodes that an operator's answer or a policy has passed over each time they were reached. */
  readonly skipped: Set<string>;
  /** What the journal asks about the run as a whole; null when nothing is asked. */
  doubt: DoubtQuestion | null;
  /** How many questions about the run as a whole were answered. */
  doubtsAnswered: number;
  /** How often lanes were told to stop: what runs in them must look whether it is meant. */
  stops: number;
  outcome: RunOutcome | null;
  /** Whether any value so far could not be stored. */
  hasUnstorable: boolean;
  /** Time in which nodes ran, in ms; side by side counts once. */
  activeMs: number;
  /** Wall-clock time up to which that has been counted. */
  activeUntil: number;
}

/** A run without `stop_on_error` keeps this many errors (I7). */
export const MAX_ERRORS = 100;

const ROOT = '';

export function newRunState(entryNodes: readonly string[]): RunState {
  const run: RunState = {
    workflowHash: null,
    library: null,
    begunAt: null,
    lanes: new Map(),
    resources: new Map(),
    step: 0,
    errors: [],
    errorsDropped: 0,
    stop: null,
    cutOff: [],
    cutOffMore: 0,
    skipped: new Set(),
    doubt: null,
    doubtsAnswered: 0,
    stops: 0,
    outcome: null,
    hasUnstorable: false,
    activeMs: 0,
    activeUntil: 0,
  };
  addLane(run, { id: ROOT, parent: null, origin: null }).frames = [{ kind: 'root', queue: [...entryNodes] }];
  return run;
}

export function addLane(run: RunState, identity: Pick<Lane, 'id' | 'parent' | 'origin'>): Lane {
  const lane: Lane = {
    ...identity,
    run,
    frames: [{ kind: 'root', queue: [] }],
    intent: null,
    retried: [],
    retrying: null,
    doubt: null,
    answered: null,
    variables: new Map(),
    outputs: new Map(),
    withoutOutputs: new Map(),
    executed: new Set(),
    lastStep: 0,
    steps: 0,
    lastOutputs: null,
    passedOver: null,
    hasBroken: false,
    stop: null,
    end: { kind: 'running' },
  };
  run.lanes.set(lane.id, lane);
  return lane;
}

export function rootLane(run: RunState): Lane {
  return laneOf(run, {});
}

/** The lane that a journal entry is about. */
export function laneOf(run: RunState, { lane: id = ROOT }: { readonly lane?: string }): Lane {
  const lane = run.lanes.get(id);
  if (lane === undefined) throw new Error(`no lane "${id}" is open in this run`);
  return lane;
}

/** What an entry of a lane says about it: nothing for the root lane, so that plain journals stay plain. */
export function laneMark({ id }: Lane): { readonly lane?: string } {
  return id === ROOT ? {} : { lane: id };
}
