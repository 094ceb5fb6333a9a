/** How often to poll: seldom while push is alive, as usual otherwise. Polling never stops. */
import { requireMethods, requireOptions } from '../argument-error.ts';
import type { Clock } from '../ports.ts';
import { requireAtLeast } from '../require-at-least.ts';
import { systemClock } from '../system-clock.ts';

export interface PollPacerOptions {
  /** Between two polls while there is no push, in ms. */
  readonly pollIntervalMs: number;
  /** Between two polls while push is alive, in ms; not less than `pollIntervalMs` counts. */
  readonly relaxedIntervalMs: number;
  /** Push must have been alive for so long before polls become rarer, in ms: flapping is no push. Default 10,000. */
  readonly settleMs?: number;
  /** Default: the machine's. */
  readonly clock?: Pick<Clock, 'monotonic'>;
}

/**
 * @throws ArgumentError for an interval that is no positive number
 *
 * @example
 * const pacer = new PollPacer({ pollIntervalMs: 1_000, relaxedIntervalMs: 10_000 });
 * pacer.pushIsAlive();
 * pacer.intervalMs; // 1000 now, 10000 in ten seconds, 1000 again from `pushIsLost()` on
 */
export class PollPacer {
  readonly #options: PollPacerOptions;
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #settleMs: number;
  #aliveSince: number | undefined;

  constructor(options: PollPacerOptions) {
    requireOptions('options', options, new Set(['pollIntervalMs', 'relaxedIntervalMs', 'settleMs', 'clock']));
    requireMethods('clock', options.clock, ['monotonic']);
    const { pollIntervalMs, relaxedIntervalMs, settleMs = 10_000 } = options;
    requireAtLeast(1, { pollIntervalMs, relaxedIntervalMs });
    requireAtLeast(0, { settleMs });
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#settleMs = settleMs;
  }

  /** The wait before the next poll, in ms. */
  get intervalMs(): number {
    const { pollIntervalMs, relaxedIntervalMs } = this.#options;
    const isSettled = this.#aliveSince !== undefined && this.#clock.monotonic() - this.#aliveSince >= this.#settleMs;
    return isSettled ? Math.max(pollIntervalMs, relaxedIntervalMs) : pollIntervalMs;
  }

  pushIsAlive(): void {
    this.#aliveSince ??= this.#clock.monotonic();
  }

  /** Whoever waits for a relaxed interval at the moment should poll now. */
  pushIsLost(): void {
    this.#aliveSince = undefined;
  }
}
