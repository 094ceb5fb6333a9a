/** What can be set about retrying, with the defaults. */
import { ArgumentError, requireFunction, requireMethods, requireOptions, requireSignal } from '../argument-error.ts';
import type { ClassifyError } from '../classification/classify-error.ts';
import type { ErrorVerdict } from '../classification/verdict.ts';
import type { Clock, Random } from '../ports.ts';
import { requireAtLeast } from '../require-at-least.ts';
import { type BackoffConfig, checkBackoff } from './backoff.ts';
import type { RetryBudget } from './retry-budget.ts';

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
  /** Aborts with the caller's signal and at the deadline. Made when it is first asked for. */
  readonly signal: AbortSignal;
}

export interface RetryOptions extends Partial<RetryConfig> {
  /** Ends everything at once; the call then rejects with its reason. */
  readonly signal?: AbortSignal | undefined;
  /** One deadline for all attempts, the waits between them, and what an attempt reads (`readAnswer`), in ms. Default: none. */
  readonly timeoutMs?: number;
  /** True when doing it twice is the same as doing it once; only then is an ambiguous failure repeated. Default false. */
  readonly idempotent?: boolean;
  /** Where a retry must be paid for; usually shared by many callers. Default: none, retries are free. */
  readonly budget?: Pick<RetryBudget, 'tryTake'>;
  /** Default `classifyError`. */
  readonly classify?: ClassifyError;
  /** A last word against repeating. Default: always true. */
  readonly shouldRetry?: (error: unknown, verdict: ErrorVerdict) => boolean;
  /** Told before each wait; what it throws ends the retrying. */
  readonly onRetry?: (event: RetryEvent) => void;
  /**
   * How the time before the next attempt is spent, where something else than time may show that it can be made sooner.
   * Resolves when it is over; must reject when the signal aborts. Default: the clock's sleep of `delayMs`.
   */
  readonly pause?: (event: RetryEvent, signal: AbortSignal) => Promise<void>;
  readonly clock?: Pick<Clock, 'monotonic' | 'sleep'>;
  readonly random?: Random;
}

export interface RetryEvent {
  readonly error: unknown;
  /** The attempt that failed: 1 for the first. */
  readonly attempt: number;
  readonly delayMs: number;
}

/** @throws ArgumentError naming the first setting that is out of range */
export function retryConfig(options: RetryOptions): RetryConfig {
  requireOptions('options', options, optionNames);
  requireParts(options);
  const config: RetryConfig = {
    maxAttempts: options.maxAttempts ?? DEFAULT_RETRY.maxAttempts,
    initialDelayMs: options.initialDelayMs ?? DEFAULT_RETRY.initialDelayMs,
    maxDelayMs: options.maxDelayMs ?? DEFAULT_RETRY.maxDelayMs,
    backoffMultiplier: options.backoffMultiplier ?? DEFAULT_RETRY.backoffMultiplier,
    jitter: options.jitter ?? DEFAULT_RETRY.jitter,
  };
  checkBackoff(config);
  const { maxAttempts } = config;
  const { timeoutMs } = options;
  const isCount = (Number.isInteger(maxAttempts) && maxAttempts >= 1) || maxAttempts === Number.POSITIVE_INFINITY;
  if (!isCount) throw new ArgumentError('maxAttempts', 'a whole number >= 1, or Infinity', maxAttempts);
  if (timeoutMs !== undefined && !(typeof timeoutMs === 'number' && timeoutMs >= 0)) requireAtLeast(0, { timeoutMs });
  return config;
}

const optionNames: ReadonlySet<string> = new Set([
  ...Object.keys(DEFAULT_RETRY),
  ...['signal', 'timeoutMs', 'idempotent', 'budget', 'classify', 'shouldRetry', 'onRetry', 'pause', 'clock', 'random'],
]);

/** Each call of `retry` comes by here: what is left out costs a comparison. */
function requireParts({ budget, classify, shouldRetry, onRetry, pause, clock, random, signal }: RetryOptions): void {
  if (classify !== undefined) requireFunction('classify', classify);
  if (shouldRetry !== undefined) requireFunction('shouldRetry', shouldRetry);
  if (onRetry !== undefined) requireFunction('onRetry', onRetry);
  if (pause !== undefined) requireFunction('pause', pause);
  if (random !== undefined) requireFunction('random', random);
  if (budget !== undefined) requireMethods('budget', budget, ['tryTake']);
  if (clock !== undefined) requireMethods('clock', clock, ['monotonic', 'sleep']);
  if (signal !== undefined) requireSignal(signal);
}
