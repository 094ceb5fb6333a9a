/**
 * Errors of this package. They cross package borders by `code` and `category`, never by `instanceof`.
 */
import { requireAnyText, requireObject, requireText } from './argument-error.ts';
import type { JsonObject } from './json.ts';

export type ErrorCategory = 'transient' | 'permanent' | 'unknown';

/** A failure as it is stored, reported and shown: plain data, safe to serialize. */
export interface RunError {
  readonly code: string;
  readonly category: ErrorCategory;
  readonly message: string;
  /** The node that failed; null when no single node did. */
  readonly node_id: string | null;
  readonly node_type?: string;
  /** What a CatchNode publishes as `error_type`. */
  readonly error_type?: string;
  readonly details?: JsonObject;
  /** An effect that may have happened all the same, and that nothing in its own config allows to repeat (I4). */
  readonly ambiguous?: true;
  /** Of a run: effects of which nobody knows whether they happened, by step. Absent: none. */
  readonly may_have_happened?: readonly {
    readonly node_id: string;
    readonly step: number;
    readonly attempt: number;
  }[];
  /** How many such effects there are besides. Absent: none. */
  readonly may_have_happened_more?: number;
}

export interface NodeErrorOptions {
  /** Stable, upper snake case: `FILE_NOT_FOUND`. */
  readonly code: string;
  /** Default `permanent`. */
  readonly category?: ErrorCategory;
  /** True when the effect may have happened although the node failed. Default false. */
  readonly ambiguous?: boolean;
  /** Shown to the workflow as `error_type`; default: the error's `name`. */
  readonly errorType?: string;
  readonly details?: JsonObject;
  readonly cause?: unknown;
}

/** What a node throws to fail with a code and a category. Any object of this shape is understood. */
export class NodeError extends Error {
  readonly code: string;
  readonly category: ErrorCategory;
  readonly ambiguous: boolean;
  readonly errorType: string | undefined;
  readonly details: JsonObject | undefined;

  /** @throws ArgumentError without a message or a code */
  constructor(message: string, options: NodeErrorOptions) {
    requireAnyText('message', message);
    requireObject('options', options);
    requireText('options.code', options.code);
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'NodeError';
    this.code = options.code;
    this.category = options.category ?? 'permanent';
    this.ambiguous = options.ambiguous ?? false;
    this.errorType = options.errorType;
    this.details = options.details;
  }
}
