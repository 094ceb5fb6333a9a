/**
 * Tries until the connection stands: one such loop at a time serves every caller. Attempts and looks
 * (`reconnect-schedule.ts`) run side by side, so that one which hangs does not hide that the service is back.
 *
 * The first try that succeeds ends the loop (after a long outage: makes it wait for its moment to come in), after the
 * breaker was led out of its open state by its own door: half open, then as many successful probes as it asks for.
 */
import { openScope } from '../abort-scope.ts';
import type { CircuitBreaker } from '../breaker/circuit-breaker.ts';
import { speaksAgainstService, verdict } from '../classification/verdict.ts';
import { ConnectionError } from '../errors.ts';
import type { Clock } from '../ports.ts';
import type { ReconnectRules, ReconnectSchedule } from './reconnect-schedule.ts';
import { throughTheDoor } from './through-the-door.ts';

export type ReconnectOutcome =
  | { readonly kind: 'connected' }
  /** The service answered, and repeating will not change the answer. */
  | { readonly kind: 'refused'; readonly error: ConnectionError }
  /** The service answered, and does not accept the credentials. */
  | { readonly kind: 'auth-refused'; readonly error: ConnectionError }
  /** The credentials were refused so far; now the service itself is gone. */
  | { readonly kind: 'lost'; readonly error: ConnectionError }
  /** `maxReconnectAttempts` are used up. */
  | { readonly kind: 'exhausted'; readonly error: ConnectionError };

export interface ReconnectorOptions {
  readonly clock: Clock;
  readonly rules: ReconnectRules;
  readonly breaker: CircuitBreaker;
  /** One cheap request that proves the service; rejects with a ConnectionError. */
  readonly probe: (signal: AbortSignal, kind: TryKind) => Promise<void>;
  /** Told of each attempt, look or trial that failed. */
  readonly onFailure: (error: ConnectionError, kind: TryKind) => void;
  /** What the loop is for. While `connecting`, any refusal ends it: the connection never stood yet. */
  readonly purpose: ReconnectPurpose;
}

export type ReconnectPurpose = 'connecting' | 'reconnecting' | 'auth-failed';

/** `trial`: through the breaker's half-open door. */
export type TryKind = 'attempt' | 'look' | 'trial';

interface TryResult {
  readonly kind: 'attempt' | 'look' | 'entry';
  readonly error: ConnectionError | undefined;
}

/** More looks are not sent while this many are unanswered: enough that looks which hang until their deadline keep none back. */
const MAX_LOOKS_UNDER_WAY = 16;

export class Reconnector {
  readonly #options: ReconnectorOptions;
  #schedule: ReconnectSchedule;
  #results: TryResult[] = [];
  #wake: () => void = () => undefined;
  #looksUnderWay = 0;
  #onceUsed = false;

  constructor(schedule: ReconnectSchedule, options: ReconnectorOptions) {
    this.#schedule = schedule;
    this.#options = options;
  }

  /** Ms until the next attempt by backoff, or until the entry; null while one is under way. */
  get nextAttemptInMs(): number | null {
    const { nextAttemptAt, entryAt } = this.#schedule;
    const at = Number.isFinite(entryAt) ? entryAt : nextAttemptAt;
    return Number.isFinite(at) ? Math.max(0, at - this.#options.clock.monotonic()) : null;
  }

  /** Rejects with the signal's reason when it aborts; otherwise never rejects. */
  async run(signal: AbortSignal): Promise<ReconnectOutcome> {
    const scope = openScope({ parents: [signal] });
    try {
      for (;;) {
        await this.#advance(scope.signal);
        for (let result = this.#results.shift(); result !== undefined; result = this.#results.shift()) {
          const outcome = await this.#digest(result, scope.signal);
          if (outcome !== undefined) return outcome;
        }
      }
    } finally {
      scope.abort(new ConnectionError('another try was first', verdict('C', 'SUPERSEDED')));
      scope.close();
    }
  }

  /** Starts the try that is due, or waits until one is or a result has come. */
  async #advance(signal: AbortSignal): Promise<void> {
    const { clock, rules } = this.#options;
    signal.throwIfAborted();
    const now = clock.monotonic();
    const step = rules.nextStep(this.#schedule, now);
    if (step.kind === 'wait') return this.#waitUntil(step.untilAt, signal);
    if (step.kind !== 'look') {
      this.#schedule = rules.attemptStarted(this.#schedule, now);
      this.#start(step.kind, signal);
      return;
    }
    this.#schedule = rules.lookStarted(this.#schedule, now);
    if (this.#looksUnderWay < MAX_LOOKS_UNDER_WAY) this.#start('look', signal);
  }

  #start(kind: TryResult['kind'], signal: AbortSignal): void {
    if (kind === 'look') this.#looksUnderWay += 1;
    const done = (error: ConnectionError | undefined): void => {
      if (kind === 'look') this.#looksUnderWay -= 1;
      this.#results.push({ kind, error });
      this.#wake();
    };
    this.#options.probe(signal, tryKind(kind)).then(() => done(undefined), done);
  }

  async #waitUntil(at: number, signal: AbortSignal): Promise<void> {
    if (this.#results.length > 0) return;
    const nap = openScope({ parents: [signal] });
    const { clock } = this.#options;
    this.#wake = () => nap.abort(undefined);
    try {
      // Nothing is due while an attempt is under way and looks are off: then only a result can wake us.
      await clock.sleep(Math.min(at - clock.monotonic(), 60_000), nap.signal);
    } catch (error) {
      signal.throwIfAborted();
      if (!nap.signal.aborted) throw error;
    } finally {
      nap.close();
    }
  }

  async #digest(result: TryResult, signal: AbortSignal): Promise<ReconnectOutcome | undefined> {
    signal.throwIfAborted();
    const kind = tryKind(result.kind);
    if (result.kind !== 'entry' && this.#waitsToEnter(result)) return undefined;
    const { breaker, probe, onFailure } = this.#options;
    const trialError = async () => throughTheDoor(breaker, () => probe(signal, 'trial'), signal);
    const error = result.error ?? (await trialError());
    if (error === undefined) return { kind: 'connected' };
    onFailure(error, result.error === undefined ? 'trial' : kind);
    return this.#failed(kind, error);
  }

  /** True when the service is known to be back, and it is not yet time to come in: what other tries came to is over. */
  #waitsToEnter({ error }: TryResult): boolean {
    const { clock, rules } = this.#options;
    const now = clock.monotonic();
    if (error === undefined && !Number.isFinite(this.#schedule.entryAt)) {
      const noticed = rules.noticed(this.#schedule, now);
      if (noticed.entryAt > now) this.#schedule = noticed;
    }
    return Number.isFinite(this.#schedule.entryAt);
  }

  #failed(kind: 'attempt' | 'look', error: ConnectionError): ReconnectOutcome | undefined {
    const { clock, rules, purpose } = this.#options;
    const now = clock.monotonic();
    if (error.class === 'U' && purpose !== 'auth-failed') return { kind: 'auth-refused', error };
    if (purpose === 'auth-failed' && speaksAgainstService(error)) return { kind: 'lost', error };
    if (kind === 'look') {
      this.#schedule = rules.lookFailed(this.#schedule, now, error);
      return undefined;
    }
    this.#schedule = rules.attemptFailed(this.#schedule, now, error);
    const worthOneMore = error.retryOnce === true && !this.#onceUsed;
    if (worthOneMore) this.#onceUsed = true;
    if (purpose === 'connecting' && error.category === 'permanent' && !worthOneMore) return { kind: 'refused', error };
    return rules.exhausted(this.#schedule) ? { kind: 'exhausted', error } : undefined;
  }
}

function tryKind(kind: TryResult['kind']): 'attempt' | 'look' {
  return kind === 'look' ? 'look' : 'attempt';
}
