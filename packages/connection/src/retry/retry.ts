/**
 * Repeats what failed, when repeating can help and cannot do harm.
 *
 * Promises kept here:
 * R1 what may have been executed (class A) is repeated only when the caller says that it is idempotent;
 * R2 one deadline bounds all attempts and waits; no wait is begun that could not end before it;
 * R3 an abort settles the call at once, in an attempt or in a wait, and leaves no timer and no listener.
 */
import { abortable, openScope } from '../abort-scope.ts';
import { type ClassifyError, classifyError } from '../classification/classify-error.ts';
import { type ErrorVerdict, verdict } from '../classification/verdict.ts';
import { ConnectionError } from '../errors.ts';
import type { Clock, Random } from '../ports.ts';
import { requireAtLeast } from '../require-at-least.ts';
import { systemClock, systemRandom } from '../system-clock.ts';
import { type BackoffConfig, backoffDelayMs, checkBackoff } from './backoff.ts';

export interface RetryConfig extends BackoffConfig {
  /** Attempts in all, the first one included. Default 3. */
  readonly maxAttempts: number;
}

/** 3 attempts, 1 s, at most 30 s, doubled each time, full jitter. */
export const DEFAULT_RETRY: RetryConfig = {
  maxAttempts: 3,
  initialDelayMs: 1_000,
  maxDelayMs: 30_000,
  backoffMultiplier: 2,
  jitter: true,
};

export interface RetryAttempt {
  /** 1 for the first attempt. */
  readonly number: number;
  /** Aborts with the caller's signal and at the deadline. */
  readonly signal: AbortSignal;
}

export interface RetryOptions extends Partial<RetryConfig> {
  /** Ends everything at once; the call then rejects with its reason. */
  readonly signal?: AbortSignal | undefined;
  /** One deadline for all attempts and waits, in ms. Default: none. */
  readonly timeoutMs?: number;
  /** True when doing it twice is the same as doing it once; only then is an ambiguous failure repeated. Default false. */
  readonly idempotent?: boolean;
  /** Default `classifyError`. */
  readonly classify?: ClassifyError;
  /** A last word against repeating. Default: always true. */
  readonly shouldRetry?: (error: unknown, verdict: ErrorVerdict) => boolean;
  /** Told before each wait; what it throws ends the retrying. */
  readonly onRetry?: (event: { readonly error: unknown; readonly attempt: number; readonly delayMs: number }) => void;
  readonly clock?: Pick<Clock, 'monotonic' | 'sleep'>;
  readonly random?: Random;
}

/**
 * Runs `operation` until it succeeds, its failure is not worth repeating, or attempts or time are used up.
 * Rejects with the last failure as it was thrown.
 *
 * @throws RangeError when a setting is out of range
 * @throws ConnectionError `DEADLINE_EXCEEDED` (class A) when the deadline strikes during an attempt
 * @throws the signal's reason when it aborts
 *
 * @example
 * const answer = await retry(({ signal }) => fetch('http://127.0.0.1:54321/health', { signal }), {
 *   idempotent: true,
 *   timeoutMs: 10_000,
 * });
 */
export async function retry<T>(
  operation: (attempt: RetryAttempt) => PromiseLike<T> | T,
  options: RetryOptions = {},
): Promise<T> {
  const config = retryConfig(options);
  const clock = options.clock ?? systemClock;
  const timeoutMs = options.timeoutMs ?? Number.POSITIVE_INFINITY;
  const deadline = clock.monotonic() + timeoutMs;
  options.signal?.throwIfAborted();
  const scope = openScope({
    parents: [options.signal],
    limit: { clock, timeoutMs, reason: () => deadlineExceeded(timeoutMs) },
  });
  let onceUsed = false;
  try {
    for (let number = 1; ; number += 1) {
      try {
        return await abortable(attempt(operation, { number, signal: scope.signal }), scope.signal);
      } catch (error) {
        if (scope.signal.aborted) throw scope.signal.reason;
        const judged = (options.classify ?? classifyError)(error, { callerSignal: scope.signal });
        const worthIt =
          number < config.maxAttempts &&
          mayRepeat(judged, options.idempotent ?? false, onceUsed) &&
          (options.shouldRetry?.(error, judged) ?? true);
        const delayMs = backoffDelayMs(number, config, options.random ?? systemRandom, judged.retryAfterMs);
        if (!worthIt || clock.monotonic() + delayMs >= deadline) throw error;
        onceUsed ||= judged.retryOnce ?? false;
        options.onRetry?.({ error, attempt: number, delayMs });
        await clock.sleep(delayMs, scope.signal);
      }
    }
  } finally {
    scope.close();
  }
}

/** Whether repeating can help (S, T, worth one more try) and cannot do harm (A only if idempotent). */
export function mayRepeat(judged: ErrorVerdict, idempotent: boolean, onceUsed: boolean): boolean {
  if (judged.retryOnce === true && onceUsed) return false;
  if (judged.ambiguous && !idempotent) return false;
  return judged.class === 'S' || judged.class === 'T' || judged.class === 'A' || judged.retryOnce === true;
}

export function deadlineExceeded(timeoutMs: number, ambiguous = true): ConnectionError {
  const judged = verdict(ambiguous ? 'A' : 'S', 'DEADLINE_EXCEEDED', { ambiguous });
  return new ConnectionError(`not finished within ${timeoutMs} ms`, judged);
}

async function attempt<T>(operation: (attempt: RetryAttempt) => PromiseLike<T> | T, which: RetryAttempt): Promise<T> {
  return operation(which);
}

function retryConfig(options: Partial<RetryConfig>): RetryConfig {
  const config: RetryConfig = {
    maxAttempts: options.maxAttempts ?? DEFAULT_RETRY.maxAttempts,
    initialDelayMs: options.initialDelayMs ?? DEFAULT_RETRY.initialDelayMs,
    maxDelayMs: options.maxDelayMs ?? DEFAULT_RETRY.maxDelayMs,
    backoffMultiplier: options.backoffMultiplier ?? DEFAULT_RETRY.backoffMultiplier,
    jitter: options.jitter ?? DEFAULT_RETRY.jitter,
  };
  checkBackoff(config);
  requireAtLeast(1, { maxAttempts: config.maxAttempts });
  return config;
}
