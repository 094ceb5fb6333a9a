/**
 * What a control-flow node decided, as plain data: it is journalled with the node's result, and the fold
 * (engine/fold.ts) turns it into a change of the regions. The exit to follow is in the result itself.
 */
import type { JsonObject, JsonValue } from '../json.ts';

/** What a loop goes over. A range is kept as its rule, never as a list. */
export type LoopSource =
  | { readonly kind: 'list'; readonly items: readonly JsonValue[] }
  | { readonly kind: 'dict'; readonly keys: readonly string[]; readonly items: readonly JsonValue[] }
  | { readonly kind: 'range'; readonly start: number; readonly step: number; readonly count: number }
  | { readonly kind: 'while' };

export type ControlOp =
  /** A loop starts its first iteration. */
  | { readonly op: 'open_loop'; readonly source: LoopSource; readonly item_var: string | null }
  /** The open loop of this node starts its next iteration. */
  | { readonly op: 'next' }
  /** The loop of this node is over, or has nothing to go over. */
  | { readonly op: 'close_loop' }
  /** The path ends here; the iteration is over once its region is empty. */
  | { readonly op: 'end_path' }
  | { readonly op: 'break'; readonly loop: string }
  | { readonly op: 'continue'; readonly loop: string }
  | { readonly op: 'open_try' }
  | { readonly op: 'caught' }
  /** The catch node's filter does not match: the next catch is asked, or the error goes on. */
  | { readonly op: 'not_caught' }
  | { readonly op: 'finally' }
  /** What the callee is given by name, and how long it may take; null: without limit. */
  | { readonly op: 'open_call'; readonly given: JsonObject; readonly limit_ms: number | null }
  | { readonly op: 'close_call' }
  | { readonly op: 'open_retry'; readonly max_attempts: number; readonly retry_ambiguous: boolean }
  | { readonly op: 'next_attempt' }
  /** The attempt around this node is over: it worked when there is no message. */
  | { readonly op: 'end_attempt'; readonly message: string | null }
  /** What is to become of the error that a catch has taken. */
  | { readonly op: 'recover'; readonly strategy: 'stop' | 'retry'; readonly max_retries: number }
  /** A fork opens a lane for each branch. */
  | { readonly op: 'open_fork'; readonly branches: number; readonly fail_fast: boolean }
  /** A disabled fork: its join is next. */
  | { readonly op: 'skip_fork' }
  /** The join takes over what these branches (from 0) have written, and closes the fork. */
  | { readonly op: 'join'; readonly branches: readonly number[] }
  /** A parallel loop opens a lane for each item, so many at a time. */
  | {
      readonly op: 'open_items';
      readonly source: LoopSource;
      readonly item_var: string | null;
      readonly batch_size: number;
      readonly fail_fast: boolean;
      readonly timeout_ms: number;
    };
