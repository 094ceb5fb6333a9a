/**
 * When to try next while there is no connection, as pure functions of state and time (monotonic ms).
 *
 * Two clocks run side by side. An *attempt* follows the backoff and counts towards `maxReconnectAttempts`. A *look* is
 * the same cheap request about every second, past backoff and breaker, and counts for nothing: it only notices that
 * the service is back. Looks pause after a refusal, which a look a second later would not change, and while throttled.
 * While the credentials are refused (class U), attempts come at an interval of their own.
 */
import type { ErrorVerdict } from '../classification/verdict.ts';
import type { Random } from '../ports.ts';
import { backoffDelayMs } from '../retry/backoff.ts';
import type { ConnectionConfig } from './connection-config.ts';

export interface ReconnectSchedule {
  readonly failedAttempts: number;
  /** Infinity while an attempt is under way. */
  readonly nextAttemptAt: number;
  /** Infinity while looks pause. */
  readonly nextLookAt: number;
}

export type ReconnectStep =
  | { readonly kind: 'attempt' }
  | { readonly kind: 'look' }
  | { readonly kind: 'wait'; readonly untilAt: number };

/** Intervals are spread by this share to either side. */
const SPREAD = 0.1;

export class ReconnectRules {
  readonly #config: ConnectionConfig;
  readonly #random: Random;

  constructor(config: ConnectionConfig, random: Random) {
    this.#config = config;
    this.#random = random;
  }

  /** The first attempt at once: nothing was tried yet. */
  fresh(now: number): ReconnectSchedule {
    return { failedAttempts: 0, nextAttemptAt: now, nextLookAt: this.#nextLook(now) };
  }

  /** A connection was just found lost: that was a try already. */
  afterLoss(now: number, error: ErrorVerdict): ReconnectSchedule {
    return {
      failedAttempts: 0,
      nextAttemptAt: now + backoffDelayMs(1, this.#config, this.#random, error.retryAfterMs),
      nextLookAt: this.#nextLook(now),
    };
  }

  /** The service is there but refuses the credentials. */
  afterAuthRefusal(now: number): ReconnectSchedule {
    return {
      failedAttempts: 0,
      nextAttemptAt: now + this.#spread(this.#config.authRetryIntervalMs),
      nextLookAt: Number.POSITIVE_INFINITY,
    };
  }

  nextStep(schedule: ReconnectSchedule, now: number): ReconnectStep {
    if (now >= schedule.nextAttemptAt) return { kind: 'attempt' };
    if (now >= schedule.nextLookAt) return { kind: 'look' };
    return { kind: 'wait', untilAt: Math.min(schedule.nextAttemptAt, schedule.nextLookAt) };
  }

  attemptStarted(schedule: ReconnectSchedule, now: number): ReconnectSchedule {
    return { ...schedule, nextAttemptAt: Number.POSITIVE_INFINITY, nextLookAt: this.#nextLook(now) };
  }

  lookStarted(schedule: ReconnectSchedule, now: number): ReconnectSchedule {
    return { ...schedule, nextLookAt: this.#nextLook(now) };
  }

  attemptFailed(schedule: ReconnectSchedule, now: number, error: ErrorVerdict): ReconnectSchedule {
    const failedAttempts = schedule.failedAttempts + 1;
    const delayMs =
      error.class === 'U'
        ? this.#spread(this.#config.authRetryIntervalMs)
        : backoffDelayMs(failedAttempts, this.#config, this.#random, error.retryAfterMs);
    return { failedAttempts, nextAttemptAt: now + delayMs, nextLookAt: this.#lookAfter(schedule, now, error) };
  }

  lookFailed(schedule: ReconnectSchedule, now: number, error: ErrorVerdict): ReconnectSchedule {
    return { ...schedule, nextLookAt: this.#lookAfter(schedule, now, error) };
  }

  exhausted(schedule: ReconnectSchedule): boolean {
    const { maxReconnectAttempts } = this.#config;
    return maxReconnectAttempts !== null && schedule.failedAttempts >= maxReconnectAttempts;
  }

  #lookAfter(schedule: ReconnectSchedule, now: number, error: ErrorVerdict): number {
    if (error.category === 'permanent') return Number.POSITIVE_INFINITY;
    // A database that is down also says when to come back, but only guesses; a throttle means it.
    const askedMs = error.class === 'T' ? (error.retryAfterMs ?? 0) : 0;
    const asked = now + Math.min(askedMs, this.#config.maxDelayMs);
    const planned = Number.isFinite(schedule.nextLookAt) ? schedule.nextLookAt : this.#nextLook(now);
    return Math.max(planned, asked);
  }

  #nextLook(now: number): number {
    const { healthProbeIntervalMs } = this.#config;
    if (healthProbeIntervalMs === null) return Number.POSITIVE_INFINITY;
    return now + this.#spread(healthProbeIntervalMs);
  }

  #spread(intervalMs: number): number {
    return intervalMs * (1 - SPREAD + 2 * SPREAD * this.#random());
  }
}
