/**
 * A circuit breaker around asynchronous calls: the shell that holds the state of `breaker-core.ts` and the counts of a
 * trip rule, runs the calls and tells listeners. It owns no timer; what is due by now is decided when somebody asks.
 *
 * A call through a closed circuit without a signal is the hot path: it makes no object but the promise that it returns.
 */
import { abortable } from '../abort-scope.ts';
import {
  ArgumentError,
  isSignal,
  requireFunction,
  requireMethods,
  requireObject,
  requireText,
} from '../argument-error.ts';
import { isVerdict, speaksAgainstService } from '../classification/verdict.ts';
import { CircuitBreakerOpenError } from '../errors.ts';
import { EventHub } from '../event-hub.ts';
import { logSafely } from '../listeners.ts';
import type { Clock, Logger } from '../ports.ts';
import { messageOf, readField } from '../safe-read.ts';
import { systemClock, systemRandom, warningLogger } from '../system-clock.ts';
import { breakerRules, type CircuitBreakerConfig, defaultOutcomeOf, tripConfig } from './breaker-config.ts';
import type { BreakerContext, BreakerState, CallOutcome } from './breaker-core.ts';
import * as core from './breaker-core.ts';
import { type CircuitBreakerRecord, restoredState, savedState } from './breaker-record.ts';
import { type CircuitBreakerStatus, type CircuitEvents, isForced, PUBLIC_STATE } from './circuit-events.ts';
import { createTripRule } from './create-trip-rule.ts';
import type { TripRule } from './trip-rule.ts';

export interface CircuitCallOptions {
  /**
   * Handed to the call; when it aborts, the call settles at once. Aborted by the caller, it is ignored; aborted by a
   * deadline (a `TimeoutError`, or an error of class A), it counts as a failure. Aborted before it began, it is not made.
   */
  readonly signal?: AbortSignal | undefined;
}

/** What is to be told of a call: how it ended. */
interface Permit {
  settle(outcome: CallOutcome, error: unknown): void;
  /** Its caller has given up, but it has not ended. */
  abandon(): void;
}

/** Of a closed or forced closed period: nothing of it belongs to a single call. */
interface FreePass {
  readonly permit: Permit;
  readonly observer: Observer;
}

interface Observer {
  readonly resolved: <T>(value: T) => T;
  readonly rejected: (error: unknown) => never;
}

/** Not the promise's own: somebody may have replaced that. */
const { then: plainThen } = Promise.prototype;

/**
 * Stops calling a service that keeps failing, and finds out gently whether it is back.
 *
 * @throws ArgumentError when a threshold, number or time of `config` is out of range
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
  readonly #context: BreakerContext;
  readonly #trip: TripRule;
  readonly #outcomeOf: (error: unknown) => CallOutcome;
  readonly #outcomeOfValue: ((value: unknown) => CallOutcome) | undefined;
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #logger: Logger;
  readonly #events: EventHub<CircuitEvents>;
  readonly #totals = { successes: 0, failures: 0, ignored: 0, rejected: 0, opened: 0 };
  #state: BreakerState;
  /** For the calls that the present state lets through freely; undefined where it does not. */
  #free: FreePass | undefined;

  constructor(name: string, config: Partial<CircuitBreakerConfig> = {}) {
    requireText('name', name);
    this.name = name;
    this.#context = { rules: breakerRules(config), random: config.random ?? systemRandom };
    this.#outcomeOf = config.outcomeOf ?? defaultOutcomeOf;
    this.#outcomeOfValue = config.outcomeOfValue;
    this.#clock = config.clock ?? systemClock;
    this.#logger = config.logger ?? warningLogger;
    this.#events = new EventHub(this.#logger);
    const trip = tripConfig(config);
    this.#trip = typeof trip === 'function' ? ownRule(trip(this.#clock)) : createTripRule(trip, this.#clock);
    if (config.onStateChange !== undefined) this.#events.on('stateChange', config.onStateChange);
    this.#state = core.closed(this.#clock.monotonic());
    this.#free = this.#freePass(this.#state);
  }

  /**
   * A breaker that goes on where `exportState` of another one stopped, with what was left of its times.
   *
   * @throws ConnectionError `INVALID_BREAKER_STATE` when `record` is damaged or of a newer version
   * @throws ArgumentError as the constructor
   */
  static fromState(name: string, record: unknown, config: Partial<CircuitBreakerConfig> = {}): CircuitBreaker {
    const breaker = new CircuitBreaker(name, config);
    const now = breaker.#clock.monotonic();
    breaker.#enter(restoredState(record, { name, now, rules: breaker.#context.rules, trip: breaker.#trip }), true);
    return breaker;
  }

  /**
   * Makes the call if the circuit lets it through, and settles exactly as the call does.
   *
   * @throws CircuitBreakerOpenError without calling when the circuit is open, or half open with all its probes under way
   * @throws the signal's reason when it aborts
   */
  call<T>(
    operation: (signal: AbortSignal | undefined) => PromiseLike<T> | T,
    options?: CircuitCallOptions,
  ): Promise<T> {
    if (typeof operation !== 'function')
      return Promise.reject(new ArgumentError('operation', 'a function: breaker.call(() => ask())', operation));
    const signal = options?.signal;
    const free = this.#free;
    if (signal === undefined && free !== undefined) return begin(operation, signal, free.observer);
    if (signal !== undefined && !isSignal(signal))
      return Promise.reject(new ArgumentError('signal', 'an AbortSignal', signal));
    if (signal?.aborted === true) return Promise.reject(signal.reason);
    const permit = free?.permit ?? this.#admit();
    if (permit instanceof CircuitBreakerOpenError) return Promise.reject(permit);
    return signal === undefined
      ? begin(operation, signal, this.#observe(permit))
      : this.#callWithSignal(operation, signal, permit);
  }

  /** Closes the circuit and forgets what was counted, forced or not. Calls under way no longer count. */
  reset(): void {
    this.#enter(core.reset(this.#state, this.#clock.monotonic()));
  }

  /** Opens the circuit until `reset()`. Calls under way no longer count. */
  forceOpen(): void {
    this.#enter(core.forced(this.#state, 'forced-open'));
  }

  /** Lets every call through, whatever it comes to, until `reset()`. Calls under way no longer count. */
  forceClosed(): void {
    this.#enter(core.forced(this.#state, 'forced-closed'));
  }

  /** Makes an open circuit half open before its time, for one who knows that the service answers again. */
  allowTrial(): void {
    this.#enter(core.trialAllowed(this.#state));
  }

  /**
   * Calls `listener` at every event of this name, in the order in which things happened. What it throws or rejects
   * with is logged and counted, and alters nothing.
   */
  on<Name extends keyof CircuitEvents>(name: Name, listener: (event: CircuitEvents[Name]) => unknown): this {
    requireText('name', name);
    requireFunction('listener', listener);
    this.#events.on(name, listener);
    return this;
  }

  off<Name extends keyof CircuitEvents>(name: Name, listener: (event: CircuitEvents[Name]) => unknown): this {
    this.#events.off(name, listener);
    return this;
  }

  getStatus(): CircuitBreakerStatus {
    const now = this.#catchUp();
    const state = this.#state;
    const answer = core.admit(state, now, this.#context.rules);
    const waits = answer.kind === 'refused' && Number.isFinite(answer.remainingMs);
    const { failures, calls } = this.#trip.counts;
    return {
      name: this.name,
      state: PUBLIC_STATE[state.kind],
      forced: isForced(state),
      consecutiveFailures: failures,
      countedCalls: calls,
      halfOpenSuccesses: state.kind === 'half-open' ? state.successes : 0,
      probesInFlight: state.kind === 'half-open' ? state.probes.length : 0,
      remainingMs: waits ? answer.remainingMs : null,
      openings: state.openings,
      totals: { ...this.#totals, listenerFaults: this.#events.faults },
    };
  }

  /** What `fromState` needs to go on from here, as JSON: forced states, what is left of an open time, what was counted. */
  exportState(): CircuitBreakerRecord {
    const now = this.#catchUp();
    return savedState(this.#state, now, this.#trip);
  }

  #callWithSignal<T>(
    operation: (signal: AbortSignal | undefined) => PromiseLike<T> | T,
    signal: AbortSignal,
    permit: Permit,
  ): Promise<T> {
    let over = false;
    let givenUp = false;
    const end = (outcome: CallOutcome, error?: unknown): void => {
      if (over) return;
      over = true;
      permit.settle(givenUp ? 'ignored' : outcome, error);
    };
    const work = begin(operation, signal, {
      resolved: (value) => {
        end(this.#judgeValue(value));
        return value;
      },
      rejected: (error) => {
        end(signal.aborted ? outcomeOfAbort(signal.reason) : this.#judge(error), error);
        throw error;
      },
    });
    return abortable(work, signal, (reason) => {
      if (outcomeOfAbort(reason) === 'failure') return end('failure', reason);
      givenUp = true;
      permit.abandon();
    });
  }

  #admit(): Permit | CircuitBreakerOpenError {
    const now = this.#catchUp();
    const answer = core.admit(this.#state, now, this.#context.rules);
    switch (answer.kind) {
      case 'free':
        return this.#freePass(answer.state).permit;
      case 'probe':
        this.#enter(answer.state);
        return this.#probePermit(answer.permit);
      case 'refused': {
        const { remainingMs } = answer;
        this.#totals.rejected += 1;
        if (this.#events.hears('rejected')) this.#events.emit('rejected', { name: this.name, remainingMs });
        return new CircuitBreakerOpenError(this.name, remainingMs, answer.state.kind === 'half-open');
      }
    }
  }

  #freePass(period: BreakerState): FreePass {
    const permit: Permit = {
      settle: (outcome, error) => {
        this.#note(outcome, error);
        if (this.#state.generation !== period.generation || period.kind !== 'closed' || outcome === 'ignored') return;
        if (!this.#hasHadEnough(outcome)) return;
        const now = this.#catchUp();
        this.#enter(core.opened(this.#state, now, this.#context));
      },
      abandon: () => undefined,
    };
    return { permit, observer: this.#observe(permit) };
  }

  /** Asks the trip rule; one of the user's own may fail, and must not replace what the call came to. */
  #hasHadEnough(outcome: 'success' | 'failure'): boolean {
    try {
      if (outcome === 'failure') return this.#trip.failure();
      this.#trip.success();
    } catch (fault) {
      logSafely(this.#logger, `circuit "${this.name}": the trip rule failed: ${messageOf(fault)}`);
    }
    return false;
  }

  #probePermit(permit: core.ProbePermit): Permit {
    return {
      settle: (outcome, error) => {
        this.#note(outcome, error);
        const now = this.#catchUp();
        this.#enter(core.settled(this.#state, permit, outcome, now, this.#context));
      },
      abandon: () => this.#enter(core.abandoned(this.#state, permit)),
    };
  }

  #observe(permit: Permit): Observer {
    return {
      resolved: (value) => {
        permit.settle(this.#judgeValue(value), undefined);
        return value;
      },
      rejected: (error) => {
        permit.settle(this.#judge(error), error);
        throw error;
      },
    };
  }

  #note(outcome: CallOutcome, error: unknown): void {
    switch (outcome) {
      case 'success':
        this.#totals.successes += 1;
        if (this.#events.hears('success')) this.#events.emit('success', { name: this.name });
        return;
      case 'failure':
        this.#totals.failures += 1;
        if (this.#events.hears('failure')) this.#events.emit('failure', { name: this.name, error });
        return;
      case 'ignored':
        this.#totals.ignored += 1;
        if (this.#events.hears('ignored')) this.#events.emit('ignored', { name: this.name, error });
    }
  }

  #judgeValue(value: unknown): CallOutcome {
    return this.#outcomeOfValue === undefined ? 'success' : this.#ask(this.#outcomeOfValue, value, 'outcomeOfValue');
  }

  #judge(error: unknown): CallOutcome {
    return this.#ask(this.#outcomeOf, error, 'outcomeOf');
  }

  /** A judge that throws, or says something else, must not replace what the call came to. */
  #ask(judge: (result: unknown) => CallOutcome, result: unknown, what: string): CallOutcome {
    try {
      const outcome = judge(result);
      if (outcome === 'success' || outcome === 'failure' || outcome === 'ignored') return outcome;
      logSafely(this.#logger, `circuit "${this.name}": ${what} must say success, failure or ignored`);
    } catch (fault) {
      logSafely(this.#logger, `circuit "${this.name}": ${what} failed: ${messageOf(fault)}`);
    }
    return 'failure';
  }

  /** Enters what is due by now, and returns now. */
  #catchUp(): number {
    const now = this.#clock.monotonic();
    for (;;) {
      const next = core.caughtUp(this.#state, now, this.#context);
      if (next === this.#state) return now;
      this.#enter(next);
    }
  }

  /** The one place that changes the state. */
  #enter(next: BreakerState, restored = false): void {
    const previous = this.#state;
    if (next === previous) return;
    this.#state = next;
    if (next.generation === previous.generation) return;
    const isFree = next.kind === 'closed' || next.kind === 'forced-closed';
    this.#free = isFree ? this.#freePass(next) : undefined;
    if (restored) return;
    this.#trip.clear();
    if (next.kind === 'open') this.#totals.opened += 1;
    if (next.kind === previous.kind) return;
    this.#events.emit('stateChange', {
      name: this.name,
      from: PUBLIC_STATE[previous.kind],
      to: PUBLIC_STATE[next.kind],
      forced: isForced(next),
    });
  }
}

/** @throws ArgumentError unless it has what the breaker asks a trip rule for */
function ownRule(rule: TripRule): TripRule {
  requireObject('trip()', rule);
  requireMethods('trip()', rule, ['success', 'failure', 'clear']);
  requireObject('trip().counts', rule.counts);
  return rule;
}

function begin<T>(
  operation: (signal: AbortSignal | undefined) => PromiseLike<T> | T,
  signal: AbortSignal | undefined,
  observer: Observer,
): Promise<T> {
  let work: Promise<T>;
  try {
    work = Promise.resolve(operation(signal));
  } catch (error) {
    work = Promise.reject(error);
  }
  return plainThen.call(work, observer.resolved, observer.rejected) as Promise<T>;
}

/** A deadline speaks against the service; the caller's own abort says nothing about it. */
function outcomeOfAbort(reason: unknown): CallOutcome {
  const isTimeout = isVerdict(reason) ? speaksAgainstService(reason) : readField(reason, 'name') === 'TimeoutError';
  return isTimeout ? 'failure' : 'ignored';
}
