import type { ErrorVerdict } from './verdict.ts';

/**
 * One link of a failure's chain, seen as plain facts: what a rule looks at. Errors are unwrapped along
 * `cause` and `AggregateError.errors`.
 */
export interface ErrorLink {
  readonly error: unknown;
  readonly name: string;
  readonly message: string;
  readonly code: string;
  /** HTTP status, when the error carries a plausible one. */
  readonly status: number | undefined;
  readonly details: string;
  readonly retryAfterMs: number | undefined;
}

/** Decides about a link it knows; undefined passes it on to the next rule. */
export type ClassifyRule = (link: ErrorLink) => ErrorVerdict | undefined;

export function errorLink(error: unknown): ErrorLink {
  const facts = (typeof error === 'object' && error !== null ? error : {}) as Record<string, unknown>;
  return {
    error,
    name: text(facts.name),
    message: typeof error === 'string' ? error : text(facts.message),
    code: text(facts.code),
    status: httpStatus(facts.status),
    details: text(facts.details),
    retryAfterMs: typeof facts.retryAfterMs === 'number' ? facts.retryAfterMs : undefined,
  };
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function httpStatus(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isInteger(value) && value >= 100 && value <= 599 ? value : undefined;
}
