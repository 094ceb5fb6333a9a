/**
 * A circuit breaker around asynchronous calls: the shell that holds the state of `breaker-core.ts`, runs the
 * calls and tells listeners. It owns no timer; what is due by now is decided when somebody asks.
 */
import { classifyError } from '../classification/classify-error.ts';
import { speaksAgainstService } from '../classification/verdict.ts';
import { CircuitBreakerOpenError } from '../errors.ts';
import { notify } from '../listeners.ts';
import type { Clock, Logger } from '../ports.ts';
import { requireAtLeast } from '../require-at-least.ts';
import { systemClock, warningLogger } from '../system-clock.ts';
import type { BreakerRules, BreakerState, CallOutcome, Permit } from './breaker-core.ts';
import * as core from './breaker-core.ts';

export type CircuitState = 'CLOSED' | 'OPEN' | 'HALF_OPEN';

export interface CircuitStateChange {
  readonly name: string;
  readonly from: CircuitState;
  readonly to: CircuitState;
  /** True when the new state was forced and stays until `reset()`. */
  readonly forced: boolean;
}

export interface CircuitBreakerConfig {
  /** Failures in a row that open the circuit. Default 5. */
  readonly failureThreshold: number;
  /** Successes that close a half-open circuit. Default 2. */
  readonly successThreshold: number;
  /** How long the circuit stays open before it lets a call through again, in ms. Default 60,000. */
  readonly timeoutMs: number;
  /** Calls let through at a time while half open; more fail fast. Default 1. */
  readonly halfOpenMaxProbes: number;
  /** A half-open call that takes longer no longer blocks the others and counts as a failure, in ms. Default 60,000. */
  readonly probeTimeoutMs: number;
  /**
   * What a failed call says about the service. Default: by `classifyError`; classes S and A are failures, all
   * others (throttled, refused, permanent, aborted) are ignored.
   */
  readonly outcomeOf: (error: unknown) => CallOutcome;
  /** Told of every change of state; cannot alter the call. */
  readonly onStateChange?: (change: CircuitStateChange) => void;
  /** Default: the machine's. Only `monotonic()` is used. */
  readonly clock: Pick<Clock, 'monotonic'>;
  /** Gets the errors of listeners. Default: process warnings. */
  readonly logger: Logger;
}

export interface CircuitBreakerStatus {
  readonly name: string;
  readonly state: CircuitState;
  /** True while forced open. */
  readonly forced: boolean;
  /** Failures in a row while closed. */
  readonly consecutiveFailures: number;
  /** Successes so far while half open. */
  readonly halfOpenSuccesses: number;
  readonly probesInFlight: number;
  /** Ms until a call may be let through; null when one may go now, or while forced open. */
  readonly remainingMs: number | null;
  /** Since the breaker was made. */
  readonly totals: CircuitBreakerTotals;
}

export interface CircuitBreakerTotals {
  readonly successes: number;
  readonly failures: number;
  readonly ignored: number;
  /** Calls refused without being tried. */
  readonly rejected: number;
  /** How often the circuit opened by itself. */
  readonly opened: number;
}

export interface CircuitCallOptions {
  /** Handed to the call. A call that fails after it was aborted is ignored; one aborted before it began is not made. */
  readonly signal?: AbortSignal;
}

const DEFAULTS: BreakerRules = {
  failureThreshold: 5,
  successThreshold: 2,
  timeoutMs: 60_000,
  halfOpenMaxProbes: 1,
  probeTimeoutMs: 60_000,
};

const PUBLIC_STATE: { readonly [kind in BreakerState['kind']]: CircuitState } = {
  closed: 'CLOSED',
  open: 'OPEN',
  'half-open': 'HALF_OPEN',
  'forced-open': 'OPEN',
};

/**
 * Stops calling a service that keeps failing, and finds out gently whether it is back.
 *
 * @throws RangeError when a threshold, number or time of `config` is out of range
 *
 * @example
 * const breaker = new CircuitBreaker('supabase', { failureThreshold: 3, timeoutMs: 10_000 });
 * try {
 *   await breaker.call(() => fetch('http://127.0.0.1:54321/health'));
 * } catch (error) {
 *   if (error instanceof CircuitBreakerOpenError) console.log(`retry in ${error.remainingMs} ms`);
 * }
 */
export class CircuitBreaker {
  readonly name: string;
  readonly #rules: BreakerRules;
  readonly #outcomeOf: (error: unknown) => CallOutcome;
  readonly #onStateChange: ((change: CircuitStateChange) => void) | undefined;
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #logger: Logger;
  readonly #totals = { successes: 0, failures: 0, ignored: 0, rejected: 0, opened: 0 };
  #state: BreakerState = core.initialState();

  constructor(name: string, config: Partial<CircuitBreakerConfig> = {}) {
    this.name = name;
    this.#rules = {
      failureThreshold: config.failureThreshold ?? DEFAULTS.failureThreshold,
      successThreshold: config.successThreshold ?? DEFAULTS.successThreshold,
      timeoutMs: config.timeoutMs ?? DEFAULTS.timeoutMs,
      halfOpenMaxProbes: config.halfOpenMaxProbes ?? DEFAULTS.halfOpenMaxProbes,
      probeTimeoutMs: config.probeTimeoutMs ?? DEFAULTS.probeTimeoutMs,
    };
    const { timeoutMs, probeTimeoutMs, ...counts } = this.#rules;
    requireAtLeast(1, counts, { whole: true });
    requireAtLeast(0, { timeoutMs, probeTimeoutMs });
    this.#outcomeOf = config.outcomeOf ?? defaultOutcomeOf;
    this.#onStateChange = config.onStateChange;
    this.#clock = config.clock ?? systemClock;
    this.#logger = config.logger ?? warningLogger;
  }

  /**
   * Makes the call if the circuit lets it through, and settles exactly as the call does.
   *
   * @throws CircuitBreakerOpenError without calling when the circuit is open, or half open with all its probes under way
   * @throws the signal's reason without calling when it is already aborted
   */
  async call<T>(
    operation: (signal: AbortSignal | undefined) => PromiseLike<T> | T,
    options: CircuitCallOptions = {},
  ): Promise<T> {
    const { signal } = options;
    signal?.throwIfAborted();
    const permit = this.#admit();
    let value: T;
    try {
      value = await operation(signal);
    } catch (error) {
      this.#settle(permit, signal?.aborted ? 'ignored' : this.#judge(error));
      throw error;
    }
    this.#settle(permit, 'success');
    return value;
  }

  /** Closes the circuit and forgets what was counted, forced open or not. Calls under way no longer count. */
  reset(): void {
    this.#enter(core.reset(this.#state));
  }

  /** Opens the circuit until `reset()`. Calls under way no longer count. */
  forceOpen(): void {
    this.#enter(core.forceOpen(this.#state));
  }

  /** Makes an open circuit half open before its time, for one who knows that the service answers again. */
  allowTrial(): void {
    this.#enter(core.allowTrial(this.#state));
  }

  getStatus(): CircuitBreakerStatus {
    const state = this.#state;
    const remainingMs = core.remainingMs(state, this.#clock.monotonic(), this.#rules);
    return {
      name: this.name,
      state: PUBLIC_STATE[state.kind],
      forced: state.kind === 'forced-open',
      consecutiveFailures: state.kind === 'closed' ? state.failures : 0,
      halfOpenSuccesses: state.kind === 'half-open' ? state.successes : 0,
      probesInFlight: state.kind === 'half-open' ? state.probes.length : 0,
      remainingMs: remainingMs === null || !Number.isFinite(remainingMs) ? null : remainingMs,
      totals: { ...this.#totals },
    };
  }

  #admit(): Permit {
    const admission = core.admit(this.#state, this.#clock.monotonic(), this.#rules);
    this.#enter(admission.state);
    if (admission.admitted) return admission.permit;
    this.#totals.rejected += 1;
    throw new CircuitBreakerOpenError(this.name, admission.remainingMs);
  }

  #settle(permit: Permit, outcome: CallOutcome): void {
    const total = outcome === 'success' ? 'successes' : outcome === 'failure' ? 'failures' : 'ignored';
    this.#totals[total] += 1;
    this.#enter(core.settle(this.#state, permit, outcome, this.#clock.monotonic(), this.#rules));
  }

  /** A judge that throws must not replace the call's own error. */
  #judge(error: unknown): CallOutcome {
    try {
      return this.#outcomeOf(error);
    } catch (fault) {
      this.#logger.log('error', `circuit "${this.name}": outcomeOf failed: ${String(fault)}`);
      return 'failure';
    }
  }

  /** The one place that changes the state. */
  #enter(next: BreakerState): void {
    const previous = this.#state;
    this.#state = next;
    if (next.kind === previous.kind) return;
    if (next.kind === 'open') this.#totals.opened += 1;
    const change: CircuitStateChange = {
      name: this.name,
      from: PUBLIC_STATE[previous.kind],
      to: PUBLIC_STATE[next.kind],
      forced: next.kind === 'forced-open',
    };
    notify(this.#onStateChange, change, 'onStateChange', this.#logger);
  }
}

function defaultOutcomeOf(error: unknown): CallOutcome {
  return speaksAgainstService(classifyError(error)) ? 'failure' : 'ignored';
}
