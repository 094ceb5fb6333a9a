/**
 * The way out of an open breaker while the connection stands: a bad moment has opened it, and the service answers again. It
 * would otherwise keep everybody waiting for the whole of its time. Where calls go on to fail and only looks succeed, each
 * further way out is taken after twice the wait, so that in the end the breaker's own time counts.
 */
import type { CircuitBreaker } from '../breaker/circuit-breaker.ts';
import type { ConnectionError } from '../errors.ts';
import type { Clock } from '../ports.ts';
import type { ConnectionConfig } from './connection-config.ts';
import { throughTheDoor } from './through-the-door.ts';

export interface WayOutOptions {
  readonly breaker: CircuitBreaker;
  readonly clock: Clock;
  readonly config: Pick<ConnectionConfig, 'healthProbeIntervalMs' | 'initialDelayMs'>;
}

/** After so long without an open breaker, in ms, the next one is a bad moment again. */
const calmMs = 60_000;

export class WayOut {
  readonly #options: WayOutOptions;
  #isTaken = false;
  #takenAt = Number.NEGATIVE_INFINITY;
  #waitMs = 0;

  constructor(options: WayOutOptions) {
    this.#options = options;
  }

  /**
   * Waits, where it was taken lately, and then tries to close the breaker; nothing while it is not open.
   *
   * @returns what a trial failed with
   */
  async take(trial: () => Promise<void>, signal: AbortSignal): Promise<ConnectionError | undefined> {
    const { breaker, clock, config } = this.#options;
    if (this.#isTaken || breaker.getStatus().state !== 'OPEN') return undefined;
    this.#isTaken = true;
    try {
      const isCalm = clock.monotonic() - this.#takenAt > calmMs;
      const shortestMs = config.healthProbeIntervalMs ?? config.initialDelayMs;
      this.#waitMs = isCalm ? 0 : Math.max(shortestMs, 2 * this.#waitMs);
      await clock.sleep(this.#waitMs, signal);
      this.#takenAt = clock.monotonic();
      return await throughTheDoor(breaker, trial, signal);
    } finally {
      this.#isTaken = false;
    }
  }
}
