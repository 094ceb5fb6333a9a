/** Errors of this package. They cross package borders by `code` and `category`, never by `instanceof`. */
import { requireObject, requireText } from './argument-error.ts';
import { type ErrorCategory, type ErrorClass, type ErrorVerdict, verdict } from './classification/verdict.ts';

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

  constructor(message: string, judged: ErrorVerdict, more: ConnectionErrorDetails = {}) {
    requireObject('judged', judged);
    requireObject('more', more);
    super(message, more.cause === undefined ? undefined : { cause: more.cause });
    this.name = 'ConnectionError';
    this.code = judged.code;
    this.category = judged.category;
    this.class = judged.class;
    this.ambiguous = judged.ambiguous;
    const { retryAfterMs, retryOnce, remedy } = judged;
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
  /**
   * Ms until the breaker may let a call through; Infinity while it is forced open. While it is half open, it may do
   * so earlier: as soon as a probe ends.
   */
  readonly remainingMs: number;

  constructor(breaker: string, remainingMs: number, halfOpen = false) {
    requireText('breaker', breaker);
    const waits = Number.isFinite(remainingMs);
    const when = waits ? `next try in ${inWords(remainingMs)}` : 'until it is reset';
    super(
      halfOpen
        ? `circuit "${breaker}" is half open: all its probes are under way`
        : `circuit "${breaker}" is open: ${when}`,
      verdict('S', 'CIRCUIT_OPEN', waits && !halfOpen ? { retryAfterMs: remainingMs } : {}),
    );
    this.name = 'CircuitBreakerOpenError';
    this.breaker = breaker;
    this.remainingMs = remainingMs;
  }
}

/** Rounded up: what is said to be over then is. */
function inWords(ms: number): string {
  if (ms <= 1_000) return `${Math.ceil(ms)} ms`;
  const seconds = Math.ceil(ms / 1_000);
  return seconds < 120 ? `${seconds} s` : `${Math.ceil(seconds / 60)} min`;
}
