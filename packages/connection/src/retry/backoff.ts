/** How long to wait before the next attempt. */
import { ArgumentError, requireFunction, requireObject } from '../argument-error.ts';
import { grownMs } from '../growth.ts';
import type { Random } from '../ports.ts';
import { requireAtLeast } from '../require-at-least.ts';

/**
 * How chance spreads the waits of many clients, so that they do not come back together. Terms and figures:
 * "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
 *
 * - `full` (or true): any wait between zero and the computed one. Fewest requests for the same time to completion.
 * - `decorrelated`: any wait between `initialDelayMs` and three times the last one; it does not count failures.
 * - `none` (or false): exactly the computed one.
 */
export type Jitter = 'full' | 'decorrelated' | 'none';

export interface BackoffConfig {
  /** Wait before the second attempt, in ms. */
  readonly initialDelayMs: number;
  /** No wait is longer, in ms; not even one that the server asked for. */
  readonly maxDelayMs: number;
  /** Each wait is this many times the one before. Not used by `decorrelated`. */
  readonly backoffMultiplier: number;
  readonly jitter: boolean | Jitter;
}

const JITTERS: ReadonlySet<unknown> = new Set([true, false, 'full', 'decorrelated', 'none']);

/**
 * The wait after `failures` failures in a row (1 or more), in ms, never above `maxDelayMs`. What the server asked for
 * (`retryAfterMs`) is the least to wait, up to the same cap.
 *
 * @param previousMs the wait before this one, for `decorrelated`. Default `initialDelayMs`, as before the first wait.
 * @throws ArgumentError
 *
 * @example
 * const config = { initialDelayMs: 1000, maxDelayMs: 30_000, backoffMultiplier: 2, jitter: false };
 * backoffDelayMs(3, config, Math.random); // 4000
 */
export function backoffDelayMs(
  failures: number,
  config: BackoffConfig,
  random: Random,
  retryAfterMs = 0,
  previousMs: number = config.initialDelayMs,
): number {
  requireObject('config', config);
  checkBackoff(config);
  requireFunction('random', random);
  requireAtLeast(0, { failures, retryAfterMs, previousMs });
  const waitMs = drawnMs(failures, config, random, previousMs);
  const isSpread = config.jitter !== false && config.jitter !== 'none';
  const wantedMs = retryAfterMs > 0 && isSpread ? retryAfterMs + waitMs : Math.max(retryAfterMs, waitMs);
  return Math.min(config.maxDelayMs, wantedMs);
}

/** @throws ArgumentError naming the first setting that is out of range */
export function checkBackoff({ initialDelayMs, maxDelayMs, backoffMultiplier, jitter }: BackoffConfig): void {
  const areNumbers =
    typeof initialDelayMs === 'number' && typeof maxDelayMs === 'number' && typeof backoffMultiplier === 'number';
  const fits = areNumbers && initialDelayMs >= 0 && maxDelayMs >= 0 && backoffMultiplier >= 1 && JITTERS.has(jitter);
  if (fits) return;
  requireAtLeast(0, { initialDelayMs, maxDelayMs });
  requireAtLeast(1, { backoffMultiplier });
  throw new ArgumentError('jitter', 'true, false, full, decorrelated or none', jitter);
}

function drawnMs(failures: number, config: BackoffConfig, random: Random, previousMs: number): number {
  const { initialDelayMs, maxDelayMs, backoffMultiplier, jitter } = config;
  if (jitter === 'decorrelated') {
    const leastMs = Math.min(initialDelayMs, maxDelayMs);
    const mostMs = Math.max(leastMs, Math.min(maxDelayMs, previousMs * 3));
    return leastMs + random() * (mostMs - leastMs);
  }
  const ceilingMs = grownMs(initialDelayMs, backoffMultiplier, failures - 1, maxDelayMs);
  return jitter === true || jitter === 'full' ? random() * ceilingMs : ceilingMs;
}
