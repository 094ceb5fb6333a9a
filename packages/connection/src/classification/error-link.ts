import { readField } from '../safe-read.ts';
import { systemClock } from '../system-clock.ts';
import { parseRetryAfter } from './retry-after.ts';
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
  /** HTTP status, when the error or the `response` it carries has a plausible one. */
  readonly status: number | undefined;
  readonly details: string;
  /** Its own, or from the `Retry-After` of its `headers` or of those of its `response`. */
  readonly retryAfterMs: number | undefined;
}

/** Decides about a link it knows; undefined passes it on to the next rule. */
export type ClassifyRule = (link: ErrorLink) => ErrorVerdict | undefined;

/** Longer texts are cut: what tells one failure from another stands at the front. */
const LONGEST_TEXT = 10_000;

export function errorLink(error: unknown): ErrorLink {
  const response = readField(error, 'response');
  const statuses = [readField(error, 'status'), readField(error, 'statusCode'), readField(response, 'status')];
  return {
    error,
    name: text(readField(error, 'name')),
    message: typeof error === 'string' ? text(error) : text(readField(error, 'message')),
    code: text(readField(error, 'code')),
    status: statuses.find(isHttpStatus),
    details: text(readField(error, 'details')),
    retryAfterMs: retryAfterOf(error) ?? retryAfterOf(response),
  };
}

function text(value: unknown): string {
  return typeof value === 'string' ? value.slice(0, LONGEST_TEXT) : '';
}

function isHttpStatus(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 100 && value <= 599;
}

function retryAfterOf(value: unknown): number | undefined {
  const stated = readField(value, 'retryAfterMs');
  if (typeof stated === 'number' && stated >= 0) return stated;
  const headers = readField(value, 'headers');
  const header = headerOf(headers, 'retry-after');
  if (header === undefined) return undefined;
  return parseRetryAfter(header, systemClock.now(), headerOf(headers, 'date'));
}

/** A field of `Headers`, or of a plain record with names in lower case. */
function headerOf(headers: unknown, name: string): string | undefined {
  try {
    const value = headers instanceof Headers ? headers.get(name) : readField(headers, name);
    return typeof value === 'string' ? value : undefined;
  } catch {
    return undefined;
  }
}
