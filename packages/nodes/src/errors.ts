/**
 * What a node of this package throws to fail. The engine knows it by its shape (`code`, `category`,
 * `ambiguous`), never by its class.
 */
import type { JsonObject } from './ports.ts';

export type ErrorCategory = 'transient' | 'permanent' | 'unknown';

export interface NodeErrorOptions {
  /** Stable, upper snake case: `FILE_NOT_FOUND`. */
  readonly code: string;
  /** Default `permanent`: trying again would not help. */
  readonly category?: ErrorCategory;
  /** True when the effect may have happened although the node failed. Default false. */
  readonly ambiguous?: boolean;
  /** What a CatchNode publishes as `error_type`; Python's name of such an error. Default `ValueError`. */
  readonly errorType?: string;
  readonly details?: JsonObject;
  readonly cause?: unknown;
}

export class NodeError extends Error {
  readonly code: string;
  readonly category: ErrorCategory;
  readonly ambiguous: boolean;
  readonly errorType: string;
  readonly details: JsonObject | undefined;

  constructor(message: string, options: NodeErrorOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'NodeError';
    this.code = options.code;
    this.category = options.category ?? 'permanent';
    this.ambiguous = options.ambiguous ?? false;
    this.errorType = options.errorType ?? 'ValueError';
    this.details = options.details;
  }
}
