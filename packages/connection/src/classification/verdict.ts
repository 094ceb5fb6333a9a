/**
 * How a failure is to be treated. One letter says it all; the category is the same thing in the three
 * words that other packages understand.
 *
 * S transient, surely not executed. A transient, ambiguous: it may have been executed. T throttled.
 * U credentials refused or expired. P permanent. C cancelled by our own caller. O an operator must act.
 */
import { requireObject, requireText } from '../argument-error.ts';
import { readField } from '../safe-read.ts';

export type ErrorCategory = 'transient' | 'permanent' | 'unknown';

/** The categories by name: `classifyError(error).category === ErrorCategory.TRANSIENT`. */
export const ErrorCategory: {
  readonly TRANSIENT: 'transient';
  readonly PERMANENT: 'permanent';
  readonly UNKNOWN: 'unknown';
} = { TRANSIENT: 'transient', PERMANENT: 'permanent', UNKNOWN: 'unknown' };

export type ErrorClass = 'S' | 'A' | 'T' | 'U' | 'P' | 'C' | 'O';

export interface ErrorVerdict {
  readonly category: ErrorCategory;
  readonly class: ErrorClass;
  /** Stable: an SQLSTATE, a PostgREST, Node or undici code, `HTTP_<status>`, or one of this package's own. */
  readonly code: string;
  /** True when the effect may have happened all the same. */
  readonly ambiguous: boolean;
  /** How long the server asked us to wait, in ms. */
  readonly retryAfterMs?: number;
  /** True when one repetition is worth it and a second is not. */
  readonly retryOnce?: boolean;
  /** What a person can do about it. */
  readonly remedy?: string;
}

export interface VerdictExtras {
  readonly category?: ErrorCategory;
  readonly ambiguous?: boolean;
  readonly retryAfterMs?: number | undefined;
  readonly retryOnce?: boolean;
  readonly remedy?: string;
}

const CATEGORY: { readonly [letter in ErrorClass]: ErrorCategory } = {
  S: 'transient',
  A: 'transient',
  T: 'transient',
  U: 'permanent',
  P: 'permanent',
  C: 'permanent',
  O: 'permanent',
};

/** A verdict with what follows from its class filled in: the category, and ambiguity for A and C. */
export function verdict(letter: ErrorClass, code: string, extras: VerdictExtras = {}): ErrorVerdict {
  requireText('letter', letter);
  requireObject('extras', extras);
  const { retryAfterMs, retryOnce, remedy } = extras;
  return {
    category: extras.category ?? CATEGORY[letter],
    class: letter,
    code,
    ambiguous: extras.ambiguous ?? (letter === 'A' || letter === 'C'),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...(retryOnce === undefined ? {} : { retryOnce }),
    ...(remedy === undefined ? {} : { remedy }),
  };
}

/** True for an object that already carries a verdict, such as a ConnectionError. */
export function isVerdict(value: unknown): value is ErrorVerdict {
  const [letter, category] = [readField(value, 'class'), readField(value, 'category')];
  return (
    typeof letter === 'string' &&
    Object.hasOwn(CATEGORY, letter) &&
    (category === 'transient' || category === 'permanent' || category === 'unknown') &&
    typeof readField(value, 'code') === 'string' &&
    typeof readField(value, 'ambiguous') === 'boolean'
  );
}

/** The verdict that an object carries, and nothing else of it. */
export function plainVerdict(carrier: ErrorVerdict): ErrorVerdict {
  const [retryAfterMs, retryOnce, remedy] = ['retryAfterMs', 'retryOnce', 'remedy'].map((f) => readField(carrier, f));
  return verdict(carrier.class, carrier.code, {
    category: carrier.category,
    ambiguous: carrier.ambiguous,
    ...(typeof retryAfterMs === 'number' ? { retryAfterMs } : {}),
    ...(typeof retryOnce === 'boolean' ? { retryOnce } : {}),
    ...(typeof remedy === 'string' ? { remedy } : {}),
  });
}

/** True when the failure says something about the service's health: it counts for a circuit breaker. */
export function speaksAgainstService(failure: Pick<ErrorVerdict, 'class'>): boolean {
  return failure.class === 'S' || failure.class === 'A';
}
