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

  /** @throws NodeError `INVALID_ARGUMENT` without a message or a code */
  constructor(message: string, options: NodeErrorOptions) {
    requireParts(message, options);
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'NodeError';
    this.code = options.code;
    this.category = options.category ?? 'permanent';
    this.ambiguous = options.ambiguous ?? false;
    this.errorType = options.errorType ?? 'ValueError';
    this.details = options.details;
  }
}

function requireParts(message: unknown, options: unknown): void {
  if (typeof message !== 'string') throw invalidArgument('message must be a text');
  const isWhole = typeof options === 'object' && options !== null && 'code' in options;
  if (!isWhole || typeof options.code !== 'string')
    throw invalidArgument('options must be an object with a text `code`');
}

/** @param message names the argument and what it must be */
export function invalidArgument(message: string): NodeError {
  return new NodeError(message, { code: 'INVALID_ARGUMENT' });
}
