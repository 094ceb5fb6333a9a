/**
 * The state of a run: what the fold of its journal yields and what decides the next node. It holds the
 * newest outputs only, so that its size does not grow with the number of steps.
 *
 * Control is a stack of frames. The innermost frame runs first; each has its own queue of nodes:
 *
 *   root   the walk itself; the run is over when it is alone and its queue is empty
 *   loop   one iteration of a loop body; an empty queue leads back to the loop's start node
 *   try    `try` -> (`catch`) -> `finally` -> closed; `leaving` is what goes on once the finally body is over
 */
import type { LoopSource } from '../control/control-op.ts';
import type { RunError } from '../errors.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import type { IntentEntry, RunOutcome, StopEntry } from './journal.ts';

export interface RootFrame {
  readonly kind: 'root';
  queue: string[];
}

export interface LoopFrame {
  readonly kind: 'loop';
  /** The loop's start node. */
  readonly node: string;
  readonly source: LoopSource;
  readonly itemVar: string | null;
  index: number;
  queue: string[];
}

/** Why a region is left otherwise than by its end. */
export type Leaving =
  | { readonly kind: 'error'; readonly error: RunError }
  | { readonly kind: 'break'; readonly loop: string }
  | { readonly kind: 'continue'; readonly loop: string }
  | { readonly kind: 'stop' };

export interface TryFrame {
  readonly kind: 'try';
  /** The TryNode. */
  readonly node: string;
  phase: 'try' | 'catch' | 'finally';
  /** Phase `catch`: the catch nodes that have not been asked yet; empty once one has taken the error. */
  catches: string[];
  /** The error that the catch phase is about. */
  error: RunError | null;
  hadError: boolean;
  /** Phase `finally`: true once the finally node itself has run. */
  entered: boolean;
  leaving: Leaving | null;
  queue: string[];
}

export type Frame = RootFrame | LoopFrame | TryFrame;

export interface Retrying {
  readonly step: number;
  readonly node_id: string;
  /** The number of the last attempt. */
  readonly attempt: number;
  readonly retries: number;
}

export interface RunState {
  workflowHash: string | null;
  library: string | null;
  variables: Map<string, JsonValue>;
  /** By node: those of its newest run. */
  outputs: Map<string, JsonObject>;
  frames: Frame[];
  /** Steps that have been begun so far. */
  step: number;
  /** A node that has begun and not ended. */
  intent: IntentEntry | null;
  /** A step whose last attempt failed and that is to be tried again. */
  retrying: Retrying | null;
  /** True once the journal says that the intent waits for an answer. */
  isInDoubt: boolean;
  executed: Set<string>;
  /** Errors that no catch took, the newest ones; see MAX_ERRORS. */
  errors: RunError[];
  errorsDropped: number;
  /** The error that ended the walk. */
  failure: RunError | null;
  stop: StopEntry['stop'] | null;
  outcome: RunOutcome | null;
  /** Time spent in nodes, in ms. */
  activeMs: number;
}

/** A run without `stop_on_error` keeps this many errors (I7). */
export const MAX_ERRORS = 100;

export function newRunState(entryNodes: readonly string[]): RunState {
  return {
    workflowHash: null,
    library: null,
    variables: new Map(),
    outputs: new Map(),
    frames: [{ kind: 'root', queue: [...entryNodes] }],
    step: 0,
    intent: null,
    retrying: null,
    isInDoubt: false,
    executed: new Set(),
    errors: [],
    errorsDropped: 0,
    failure: null,
    stop: null,
    outcome: null,
    activeMs: 0,
  };
}
