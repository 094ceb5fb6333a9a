/**
 * Where control stands in a lane: a stack of frames. The innermost frame runs first; each has its own queue of
 * nodes:
 *
 *   root   the lane's own walk; the lane is over when it is alone and its queue is empty
 *   loop   one iteration of a loop body; an empty queue leads back to the loop's start node
 *   try    `try` -> (`catch`) -> `finally` -> closed; `leaving` is what goes on once the finally body is over
 */
import type { LoopSource } from '../control/control-op.ts';
import type { RunError } from '../errors.ts';

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
