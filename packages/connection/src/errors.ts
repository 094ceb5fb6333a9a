/** Errors of this package. They cross package borders by `code` and `category`, never by `instanceof`. */
import type { ErrorCategory, ErrorClass, ErrorVerdict } from './classification/verdict.ts';

export interface ConnectionErrorDetails {
  /** The HTTP status of the answer, when there was one. */
  readonly status?: number | undefined;
  /** What the server said beyond its message. */
  readonly details?: string | undefined;
  readonly hint?: string | undefined;
  readonly cause?: unknown;
}

/** A failed operation, with the verdict on how to treat it. Never contains the key. */
export class ConnectionError extends Error implements ErrorVerdict {
  readonly code: string;
  readonly category: ErrorCategory;
  readonly class: ErrorClass;
  readonly ambiguous: boolean;
  declare readonly retryAfterMs?: number;
  declare readonly retryOnce?: boolean;
  declare readonly remedy?: string;
  declare readonly status?: number;
  declare readonly details?: string;
  declare readonly hint?: string;

  constructor(message: string, verdict: ErrorVerdict, more: ConnectionErrorDetails = {}) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause });
    this.name = 'ConnectionError';
    this.code = verdict.code;
    this.category = verdict.category;
    this.class = verdict.class;
    this.ambiguous = verdict.ambiguous;
    const { retryAfterMs, retryOnce, remedy } = verdict;
    const { status, details, hint } = more;
    for (const [field, value] of Object.entries({ retryAfterMs, retryOnce, remedy, status, details, hint })) {
      if (value !== undefined) Object.defineProperty(this, field, { value, enumerable: true });
    }
  }
}

/** Refused without being tried: the circuit is open, or half open with all its probes under way. */
export class CircuitBreakerOpenError extends ConnectionError {
  /** The breaker's name. */
  readonly breaker: string;
  /** Ms until the breaker may let a call through; Infinity while it is forced open. */
  readonly remainingMs: number;

  constructor(breaker: string, remainingMs: number) {
    const when = Number.isFinite(remainingMs) ? `next try in ${Math.ceil(remainingMs)} ms` : 'forced open';
    super(`circuit "${breaker}" is open: ${when}`, {
      category: 'transient',
      class: 'S',
      code: 'CIRCUIT_OPEN',
      ambiguous: false,
      ...(Number.isFinite(remainingMs) ? { retryAfterMs: remainingMs } : {}),
    });
    this.name = 'CircuitBreakerOpenError';
    this.breaker = breaker;
    this.remainingMs = remainingMs;
  }
}
