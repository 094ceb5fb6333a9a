/** How long to wait before the next attempt. */
import type { Random } from '../ports.ts';
import { requireAtLeast } from '../require-at-least.ts';

export interface BackoffConfig {
  /** Wait before the second attempt, in ms. */
  readonly initialDelayMs: number;
  /** No wait is longer, in ms; not even one that the server asked for. */
  readonly maxDelayMs: number;
  /** Each wait is this many times the one before. */
  readonly backoffMultiplier: number;
  /** Full jitter: any wait between zero and the computed one, so that many clients do not come back together. */
  readonly jitter: boolean;
}

/**
 * The wait after `failures` failures in a row (1 or more), in ms, never above `maxDelayMs`. What the server asked for
 * (`retryAfterMs`) is the least to wait, up to the same cap.
 *
 * @example
 * const config = { initialDelayMs: 1000, maxDelayMs: 30_000, backoffMultiplier: 2, jitter: false };
 * backoffDelayMs(3, config, Math.random); // 4000
 */
export function backoffDelayMs(failures: number, config: BackoffConfig, random: Random, retryAfterMs = 0): number {
  const exponential = config.initialDelayMs * config.backoffMultiplier ** (failures - 1);
  const ceilingMs = Math.min(config.maxDelayMs, exponential);
  const waitMs = config.jitter ? random() * ceilingMs : ceilingMs;
  const wantedMs = retryAfterMs > 0 && config.jitter ? retryAfterMs + waitMs : Math.max(retryAfterMs, waitMs);
  return Math.min(config.maxDelayMs, wantedMs);
}

/** @throws RangeError naming the first setting that is out of range */
export function checkBackoff({ initialDelayMs, maxDelayMs, backoffMultiplier }: BackoffConfig): void {
  requireAtLeast(0, { initialDelayMs, maxDelayMs });
  requireAtLeast(1, { backoffMultiplier });
}
