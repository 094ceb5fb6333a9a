/**
 * One call of `retry`: attempt, judge, wait, attempt again. It settles once; whatever comes later is dropped.
 *
 * An attempt that ends in the turn of the event loop in which it began costs neither timer nor listener nor signal.
 */
import { classifyError } from '../classification/classify-error.ts';
import { type ErrorVerdict, verdict } from '../classification/verdict.ts';
import { ConnectionError } from '../errors.ts';
import type { Clock } from '../ports.ts';
import { systemClock, systemRandom } from '../system-clock.ts';
import { Watch } from '../watch.ts';
import { backoffDelayMs } from './backoff.ts';
import {
  type RetryAttempt,
  type RetryConfig,
  type RetryEvent,
  type RetryOptions,
  retryConfig,
} from './retry-config.ts';

export class RetryRun<T> {
  readonly #operation: (attempt: RetryAttempt) => PromiseLike<T> | T;
  readonly #options: RetryOptions;
  readonly #config: RetryConfig;
  readonly #clock: Pick<Clock, 'monotonic' | 'sleep'>;
  readonly #timeoutMs: number;
  /** Monotonic ms. */
  readonly #deadline: number;
  readonly #resolve: (value: T | PromiseLike<T>) => void;
  readonly #reject: (reason: unknown) => void;
  readonly #watch: Watch | undefined;
  #attempts = 0;
  #waitedMs: number | undefined;
  #onceUsed = false;
  #isSettled = false;
  /** Why an abort or the deadline ended it, if one did. */
  #struckBy: { readonly reason: unknown } | undefined;
  /** Behind the attempts' signal, once somebody has asked for it. */
  #attemptControl: AbortController | undefined;
  #waitControl: AbortController | undefined;

  /** @throws ArgumentError when a setting is out of range */
  constructor(
    operation: (attempt: RetryAttempt) => PromiseLike<T> | T,
    options: RetryOptions,
    resolve: (value: T | PromiseLike<T>) => void,
    reject: (reason: unknown) => void,
  ) {
    this.#operation = operation;
    this.#options = options;
    this.#config = retryConfig(options);
    this.#clock = options.clock ?? systemClock;
    this.#timeoutMs = options.timeoutMs ?? Number.POSITIVE_INFINITY;
    this.#resolve = resolve;
    this.#reject = reject;
    const isLimited = this.#timeoutMs < Number.POSITIVE_INFINITY;
    this.#deadline = isLimited ? this.#clock.monotonic() + this.#timeoutMs : Number.POSITIVE_INFINITY;
    const { signal } = options;
    if (!isLimited && signal === undefined) return;
    const limit = isLimited
      ? { clock: this.#clock, at: this.#deadline, reason: () => deadlineExceeded(this.#timeoutMs) }
      : undefined;
    this.#watch = new Watch({ signal, limit, strike: (reason) => this.#strike(reason) });
  }

  start(): void {
    this.#attempts += 1;
    let work: Promise<T>;
    try {
      work = Promise.resolve(this.#operation(new Attempt(this.#attempts, this)));
    } catch (error) {
      work = Promise.reject(error);
    }
    work.then(this.#onValue, this.#onError);
  }

  /** The attempts' signal. The caller's own will do where there is no deadline. */
  get signal(): AbortSignal {
    const { signal } = this.#options;
    if (signal !== undefined && this.#deadline === Number.POSITIVE_INFINITY) return signal;
    this.#attemptControl ??= new AbortController();
    if (this.#struckBy !== undefined) this.#attemptControl.abort(this.#struckBy.reason);
    else if (signal?.aborted === true) this.#attemptControl.abort(signal.reason);
    return this.#attemptControl.signal;
  }

  readonly #onValue = (value: T): void => this.#settle(this.#resolve, value);

  readonly #onError = (error: unknown): void => {
    if (this.#isSettled) return;
    const { signal } = this.#options;
    if (signal?.aborted === true) {
      this.#settle(this.#reject, signal.reason);
      return;
    }
    try {
      const next = this.#nextAfter(error);
      if (next === undefined) this.#settle(this.#reject, error);
      else this.#wait(next);
    } catch (fault) {
      this.#settle(this.#reject, fault);
    }
  };

  /** How long to wait before the next attempt; undefined when there is to be none. */
  #nextAfter(error: unknown): RetryEvent | undefined {
    const { classify = classifyError, idempotent = false, shouldRetry, budget, onRetry, random } = this.#options;
    const judged = classify(error, { callerSignal: this.#options.signal ?? NEVER_ABORTED });
    if (this.#attempts >= this.#config.maxAttempts) return undefined;
    if (!mayRepeat(judged, idempotent, this.#onceUsed) || shouldRetry?.(error, judged) === false) return undefined;
    const { retryAfterMs } = judged;
    const delayMs = backoffDelayMs(
      this.#attempts,
      this.#config,
      random ?? systemRandom,
      retryAfterMs,
      this.#waitedMs ?? this.#config.initialDelayMs,
    );
    if (this.#clock.monotonic() + delayMs >= this.#deadline || budget?.tryTake() === false) return undefined;
    this.#onceUsed ||= judged.retryOnce ?? false;
    this.#waitedMs = delayMs;
    const event = { error, attempt: this.#attempts, delayMs };
    onRetry?.(event);
    return event;
  }

  #wait(event: RetryEvent): void {
    const { signal, pause = ({ delayMs }, ended) => this.#clock.sleep(delayMs, ended) } = this.#options;
    // Whoever was asked or told just now may have aborted.
    if (signal?.aborted === true) {
      this.#settle(this.#reject, signal.reason);
      return;
    }
    const control = new AbortController();
    this.#waitControl = control;
    pause(event, control.signal).then(
      () => {
        this.#waitControl = undefined;
        if (!this.#isSettled) this.start();
      },
      (error: unknown) => this.#settle(this.#reject, error),
    );
  }

  /** The caller aborted, or the deadline has come: settled first, so that nobody can come between. */
  #strike(reason: unknown): void {
    this.#struckBy = { reason };
    this.#settle(this.#reject, reason);
    this.#attemptControl?.abort(reason);
  }

  #settle<V>(how: (value: V) => void, value: V): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.#watch?.end();
    this.#waitControl?.abort();
    how(value);
  }
}

class Attempt<T> implements RetryAttempt {
  readonly number: number;
  readonly #run: RetryRun<T>;

  constructor(number: number, run: RetryRun<T>) {
    this.number = number;
    this.#run = run;
  }

  get signal(): AbortSignal {
    return this.#run.signal;
  }
}

/** Tells the classifier that an abort, if there was one, was not the caller's. Nobody listens to it. */
const NEVER_ABORTED: AbortSignal = new AbortController().signal;

/** Whether repeating can help (S, T, worth one more try) and cannot do harm (A only if idempotent). */
export function mayRepeat(judged: ErrorVerdict, idempotent: boolean, onceUsed: boolean): boolean {
  if (judged.retryOnce === true && onceUsed) return false;
  if (judged.ambiguous && !idempotent) return false;
  return judged.class === 'S' || judged.class === 'T' || judged.class === 'A' || judged.retryOnce === true;
}

export function deadlineExceeded(timeoutMs: number): ConnectionError {
  return new ConnectionError(`not finished within ${timeoutMs} ms`, verdict('A', 'DEADLINE_EXCEEDED'));
}
