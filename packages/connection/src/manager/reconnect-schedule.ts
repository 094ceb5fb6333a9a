/**
 * When to try next while there is no connection, as pure functions of state and time (monotonic ms).
 *
 * Two clocks run side by side. An *attempt* follows the backoff and counts towards `maxReconnectAttempts`. A *look* is
 * the same cheap request at least every second, past backoff and breaker, and counts for nothing: it only notices that
 * the service is back. A small fleet looks more often. Looks pause after a refusal, which a look a second later would not change, and while throttled.
 * While the credentials are refused (class U), attempts come at an interval of their own.
 *
 * Looks make a whole fleet notice within the same second that a service is back. Were all to come in at once, they would
 * take it down again; so after a long outage each draws a moment of its own to come in at: the *entry*.
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
  /** When it began that there is no connection; Infinity where the service is there and only refuses. */
  readonly since: number;
  /** When to come in, now that the service is known to be back; Infinity until then, and while coming in. */
  readonly entryAt: number;
}

export type ReconnectStep =
  | { readonly kind: 'attempt' }
  | { readonly kind: 'look' }
  | { readonly kind: 'entry' }
  | { readonly kind: 'wait'; readonly untilAt: number };

/** Intervals are spread by this share to either side. */
const SPREAD = 0.1;

/** An outage this short is nothing that a fleet piles up behind; coming back at once is worth more. */
const SHORT_OUTAGE_MS = 10_000;

/** Entries are spread over this share of what the outage lasted beyond that. */
const ENTRY_SHARE = 0.4;

/**
 * A service takes fifty returning clients a second in its stride; a small fleet need not be spread any further, nor wait
 * longer between two looks than it takes to stay below that.
 */
const MS_PER_CLIENT = 20;

/** However small the fleet: a look that is on its way should be answered before the next one. */
const SHORTEST_LOOK_INTERVAL_MS = 350;

export class ReconnectRules {
  readonly #config: ConnectionConfig;
  readonly #random: Random;
  readonly #fleetSize: () => number;

  /** @param fleetSize how many clients come back at the same time, this one included; Infinity where nobody knows */
  constructor(config: ConnectionConfig, random: Random, fleetSize: () => number = () => Number.POSITIVE_INFINITY) {
    this.#config = config;
    this.#random = random;
    this.#fleetSize = fleetSize;
  }

  /** The first attempt at once: nothing was tried yet. */
  fresh(now: number): ReconnectSchedule {
    return { ...begun(now), nextAttemptAt: now, nextLookAt: this.#nextLook(now) };
  }

  /** A connection was just found lost: that was a try already. */
  afterLoss(now: number, error: ErrorVerdict): ReconnectSchedule {
    return {
      ...begun(now),
      nextAttemptAt: now + backoffDelayMs(1, this.#config, this.#random, error.retryAfterMs),
      nextLookAt: this.#nextLook(now),
    };
  }

  /** The service is there but refuses the credentials. */
  afterAuthRefusal(now: number): ReconnectSchedule {
    return {
      ...begun(Number.POSITIVE_INFINITY),
      nextAttemptAt: now + this.#spread(this.#config.authRetryIntervalMs),
      nextLookAt: Number.POSITIVE_INFINITY,
    };
  }

  nextStep(schedule: ReconnectSchedule, now: number): ReconnectStep {
    const { entryAt } = schedule;
    if (Number.isFinite(entryAt)) return now >= entryAt ? { kind: 'entry' } : { kind: 'wait', untilAt: entryAt };
    if (now >= schedule.nextAttemptAt) return { kind: 'attempt' };
    if (now >= schedule.nextLookAt) return { kind: 'look' };
    return { kind: 'wait', untilAt: Math.min(schedule.nextAttemptAt, schedule.nextLookAt) };
  }

  /** The same for an entry: it is an attempt at a moment of its own. */
  attemptStarted(schedule: ReconnectSchedule, now: number): ReconnectSchedule {
    const never = Number.POSITIVE_INFINITY;
    return { ...schedule, nextAttemptAt: never, nextLookAt: this.#nextLook(now), entryAt: never };
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
    const nextLookAt = this.#lookAfter(schedule, now, error);
    return { ...schedule, failedAttempts, nextAttemptAt: now + delayMs, nextLookAt };
  }

  lookFailed(schedule: ReconnectSchedule, now: number, error: ErrorVerdict): ReconnectSchedule {
    return { ...schedule, nextLookAt: this.#lookAfter(schedule, now, error) };
  }

  /** The service is back: `entryAt` says when to come in. */
  noticed(schedule: ReconnectSchedule, now: number): ReconnectSchedule {
    const outageMs = now - schedule.since;
    const wantedMs = Math.max(0, (outageMs - SHORT_OUTAGE_MS) * ENTRY_SHARE);
    const fleetMs = MS_PER_CLIENT * Math.max(0, this.#fleetSize() - 1);
    const spreadMs = Math.min(wantedMs, fleetMs, this.#config.maxReconnectSpreadMs);
    return { ...schedule, entryAt: now + spreadMs * this.#random() };
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
    const fleetMs = Math.max(SHORTEST_LOOK_INTERVAL_MS, MS_PER_CLIENT * this.#fleetSize());
    return now + this.#spread(Math.min(healthProbeIntervalMs, fleetMs));
  }

  #spread(intervalMs: number): number {
    return intervalMs * (1 - SPREAD + 2 * SPREAD * this.#random());
  }
}

function begun(since: number): Pick<ReconnectSchedule, 'failedAttempts' | 'since' | 'entryAt'> {
  return { failedAttempts: 0, since, entryAt: Number.POSITIVE_INFINITY };
}
