/**
 * Where control stands in a lane: a stack of frames. The innermost frame runs first; each has its own queue of
 * nodes:
 *
 *   root   the lane's own walk; the lane is over when it is alone and its queue is empty
 *   loop   one iteration of a loop body; an empty queue leads back to the loop's start node
 *   try    `try` -> (`catch`) -> `finally` -> closed; `leaving` is what goes on once the finally body is over.
 *          The region of an OnErrorNode is one, too: its handlers are exits instead of nodes
 *   retry  `body` -> (`again` -> `body`) -> closed; in `again` the RetryNode waits for the next attempt
 *   call   the walk of a sub-workflow; an empty queue leads back to the calling node, which closes it
 *   split  lanes side by side: `open` while one of them runs; a fork is then `joining` until its join node has run
 *
 * A split is always innermost: its lane stands still while the others run.
 */
import type { LoopSource } from '../control/control-op.ts';
import type { RunError } from '../errors.ts';
import type { JsonObject } from '../json.ts';

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
  /** The attempt of the retry region around it is over; without an error it worked. */
  | { readonly kind: 'end_attempt'; readonly error: RunError | null }
  /** The call around it has failed as a whole. */
  | { readonly kind: 'fail_call'; readonly call: string; readonly error: RunError }
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
  /** How often an ErrorRecoveryNode had the body repeated; absent: never. */
  repeats?: number;
  queue: string[];
}

export interface RetryFrame {
  readonly kind: 'retry';
  /** The RetryNode. */
  readonly node: string;
  readonly maxAttempts: number;
  /** Whether its config asks to repeat effects that may have happened. */
  readonly retriesAmbiguous: boolean;
  phase: 'body' | 'again';
  /** From 1. */
  attempt: number;
  /** Why the last attempt failed. */
  error: RunError | null;
  queue: string[];
}

export interface CallFrame {
  readonly kind: 'call';
  /** The calling node. */
  readonly node: string;
  /** null: none, or none any more. */
  limitMs: number | null;
  /** Time spent in the callee's nodes. */
  spentMs: number;
  queue: string[];
}

export interface SplitFrame {
  readonly kind: 'split';
  /** The ForkNode or ParallelForEachNode. */
  readonly node: string;
  /** Which step of its lane has opened it: part of the ids of the lanes. */
  readonly ordinal: number;
  readonly failFast: boolean;
  readonly work: Branches | Items;
  phase: 'open' | 'joining';
  /** The first branch or item whose lane is open, and the first that has not begun. */
  from: number;
  to: number;
  /** Those of them that have ended, in the order of time. */
  ended: number[];
  /** In the order of time. */
  failures: { readonly index: number; readonly error: RunError }[];
  /** Always empty: what is next waits in the lanes. */
  queue: string[];
}

export interface Branches {
  readonly kind: 'branches';
  readonly count: number;
}

export interface Items {
  readonly kind: 'items';
  readonly source: LoopSource;
  readonly itemVar: string | null;
  readonly batchSize: number;
  readonly timeoutMs: number;
  /** Of the items that have ended, in their order. */
  results: JsonObject[];
  /** No further item is begun. */
  isBroken: boolean;
}

export type Frame = RootFrame | LoopFrame | TryFrame | RetryFrame | CallFrame | SplitFrame;
