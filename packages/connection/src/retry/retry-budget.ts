import { requireMethods, requireOptions } from '../argument-error.ts';
import type { Clock } from '../ports.ts';
import { requireAtLeast } from '../require-at-least.ts';
import { systemClock } from '../system-clock.ts';

export interface RetryBudgetOptions {
  /** Retries that may be made at once; the budget begins full. Default 10. */
  readonly capacity?: number;
  /** Retries that come back per second, up to `capacity`. Default 1. */
  readonly refillPerSecond?: number;
  /** Default: the machine's. Only `monotonic()` is used. */
  readonly clock?: Pick<Clock, 'monotonic'>;
}

export interface RetryBudgetStatus {
  /** Retries that may be made now. */
  readonly available: number;
  /** Since the budget was made. */
  readonly granted: number;
  readonly refused: number;
}

/**
 * Bounds the retries of all callers that share it, so that they do not multiply the load on a service in trouble: a
 * token bucket. First attempts cost nothing. It owns no timer.
 *
 * @throws ArgumentError when a number is out of range
 *
 * @example
 * const budget = new RetryBudget({ capacity: 20, refillPerSecond: 2 });
 * await Promise.all(urls.map((url) => retry(() => fetch(url), { budget, idempotent: true })));
 */
export class RetryBudget {
  readonly #capacity: number;
  readonly #refillPerMs: number;
  readonly #clock: Pick<Clock, 'monotonic'>;
  #tokens: number;
  #filledAt: number;
  #granted = 0;
  #refused = 0;

  constructor(options: RetryBudgetOptions = {}) {
    requireOptions('options', options, new Set(['capacity', 'refillPerSecond', 'clock']));
    requireMethods('clock', options.clock, ['monotonic']);
    const { capacity = 10, refillPerSecond = 1 } = options;
    requireAtLeast(0, { capacity, refillPerSecond });
    this.#capacity = capacity;
    this.#refillPerMs = refillPerSecond / 1000;
    this.#clock = options.clock ?? systemClock;
    this.#tokens = capacity;
    this.#filledAt = this.#clock.monotonic();
  }

  /** Takes one retry out of the budget; false, and nothing is taken, when there is none. */
  tryTake(): boolean {
    this.#refill();
    if (this.#tokens < 1) {
      this.#refused += 1;
      return false;
    }
    this.#tokens -= 1;
    this.#granted += 1;
    return true;
  }

  getStatus(): RetryBudgetStatus {
    this.#refill();
    return { available: Math.floor(this.#tokens), granted: this.#granted, refused: this.#refused };
  }

  #refill(): void {
    const now = this.#clock.monotonic();
    const passedMs = Math.max(0, now - this.#filledAt);
    this.#filledAt = now;
    if (passedMs > 0) this.#tokens = Math.min(this.#capacity, this.#tokens + passedMs * this.#refillPerMs);
  }
}
