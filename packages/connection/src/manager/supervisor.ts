/**
 * Looks after one connection: the state, the session behind it, and the one loop that brings it back.
 * `#enter` is the only place that changes the state.
 */
import type { CircuitBreaker } from '../breaker/circuit-breaker.ts';
import { speaksAgainstService, verdict } from '../classification/verdict.ts';
import { ConnectionError } from '../errors.ts';
import { notify } from '../listeners.ts';
import type { Clock, Logger } from '../ports.ts';
import type { ConnectionConfig } from './connection-config.ts';
import type { ConnectionState, StatusBook } from './connection-status.ts';
import { Gate } from './gate.ts';
import type { ReconnectRules, ReconnectSchedule } from './reconnect-schedule.ts';
import { type ReconnectOutcome, Reconnector } from './reconnector.ts';
import type { Redactor } from './redactor.ts';
import type { Operation, Session } from './session.ts';
import { abortError, wrapError } from './translate-error.ts';

export interface ConnectionListeners {
  readonly onConnected?: (() => void) | undefined;
  /** With the failure that ended the connection; null when `disconnect` did. */
  readonly onDisconnected?: ((error: ConnectionError | null) => void) | undefined;
  readonly onStateChange?: ((change: ConnectionStateChange) => void) | undefined;
}

export interface ConnectionStateChange {
  readonly from: ConnectionState;
  readonly to: ConnectionState;
}

export interface SupervisorOptions extends ConnectionListeners {
  readonly config: ConnectionConfig;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly breaker: CircuitBreaker;
  readonly book: StatusBook;
  readonly rules: ReconnectRules;
  readonly redactor: Redactor;
  readonly probe: Operation<unknown>;
  readonly newSession: () => Session;
}

type Link =
  | { readonly kind: 'disconnected' }
  | { readonly kind: 'connecting'; readonly session: Session; readonly loop: Reconnector }
  | { readonly kind: 'connected'; readonly session: Session }
  | { readonly kind: 'reconnecting'; readonly session: Session; readonly loop: Reconnector }
  | { readonly kind: 'failed'; readonly error: ConnectionError };

const PUBLIC_STATE: { readonly [kind in Link['kind']]: ConnectionState } = {
  disconnected: 'DISCONNECTED',
  connecting: 'CONNECTING',
  connected: 'CONNECTED',
  reconnecting: 'RECONNECTING',
  failed: 'FAILED',
};

export class Supervisor {
  readonly gate: Gate = new Gate();
  readonly #options: SupervisorOptions;
  readonly #tasks = new Set<Promise<void>>();
  #link: Link = { kind: 'disconnected' };
  #verifying = false;
  #nextVerificationAt = 0;
  /** The code that was last reported loudly; the same is not reported again until something succeeds. */
  #reported: string | undefined;

  constructor(options: SupervisorOptions) {
    this.#options = options;
  }

  get state(): ConnectionState {
    return PUBLIC_STATE[this.#link.kind];
  }

  get nextAttemptInMs(): number | null {
    return 'loop' in this.#link ? this.#link.loop.nextAttemptInMs : null;
  }

  /** Begins to connect, unless that is under way or done. */
  start(): void {
    if (this.#link.kind !== 'disconnected' && this.#link.kind !== 'failed') return;
    const { newSession, rules, clock } = this.#options;
    this.#pursue('connecting', newSession(), rules.fresh(clock.monotonic()));
  }

  /** Ends the session; everybody who waits is turned away with `reason`. Resolves when nothing is left of it. */
  async stop(reason: ConnectionError): Promise<void> {
    const link = this.#link;
    this.#enter({ kind: 'disconnected' }, null);
    if ('session' in link) {
      this.#background(link.session.close(reason));
      this.gate.fail(reason);
    }
    await Promise.all(this.#tasks);
  }

  /** @throws ConnectionError when nobody is trying to connect */
  session(): Session {
    const link = this.#link;
    if ('session' in link) return link.session;
    if (link.kind === 'disconnected') {
      throw new ConnectionError('not connected: call connect() first', verdict('P', 'NOT_CONNECTED'));
    }
    const judged = verdict('O', 'CONNECTION_FAILED', { remedy: 'see to the service, then call connect() again' });
    throw new ConnectionError(`gave up connecting: ${link.error.message}`, judged, { cause: link.error });
  }

  /** Resolves when the connection stands; rejects with a ConnectionError at once or when `signal` aborts. */
  async ready(signal: AbortSignal, whenDisconnected: 'wait' | 'fail'): Promise<void> {
    if (this.#link.kind === 'connected') return;
    this.session();
    if (whenDisconnected === 'fail') throw this.#notConnected('not connected at the moment');
    const { maxWaitingCalls } = this.#options.config;
    if (this.gate.size >= maxWaitingCalls) {
      throw this.#notConnected(`not connected, and ${maxWaitingCalls} calls are waiting already`);
    }
    try {
      await this.gate.wait(signal);
    } catch (error) {
      if (!signal.aborted) throw error;
      const { reason } = signal;
      const late = reason instanceof ConnectionError && reason.code === 'DEADLINE_EXCEEDED';
      throw late ? this.#notConnected(`still not connected: ${reason.message}`) : abortError(reason, false);
    }
  }

  noteSuccess(): void {
    this.#reported = undefined;
    this.#options.book.success(this.#options.clock.now());
  }

  /** Counts a failed call; one that speaks against the service makes the manager look whether the connection stands. */
  noteFailure(error: ConnectionError): void {
    this.#options.book.failure(error, this.#options.clock.now());
    if (error.class === 'U' || error.class === 'O') this.#reportLoudly(error);
    const link = this.#link;
    if (!speaksAgainstService(error) || link.kind !== 'connected' || this.#verifying) return;
    this.#verifying = true;
    this.#background(this.#verify(link.session), link.session);
  }

  #pursue(
    kind: 'connecting' | 'reconnecting',
    session: Session,
    schedule: ReconnectSchedule,
    why?: ConnectionError,
  ): void {
    const { clock, rules, breaker, config, book } = this.#options;
    const loop = new Reconnector(schedule, {
      clock,
      rules,
      breaker,
      endOnRefusal: kind === 'connecting',
      probe: (signal, what) =>
        this.#probe(session, signal, what === 'attempt' ? config.connectionTimeoutMs : config.healthProbeTimeoutMs),
      onFailure: (error, what) => {
        if (what !== 'look') book.failure(error, clock.now());
        if (error.category === 'permanent') this.#reportLoudly(error);
      },
    });
    this.#enter({ kind, session, loop }, why ?? null);
    this.#background(
      loop.run(session.signal).then((outcome) => this.#conclude(session, outcome)),
      session,
    );
  }

  #conclude(session: Session, outcome: ReconnectOutcome): void {
    if (session.signal.aborted) return;
    if (outcome.kind === 'connected') {
      this.#enter({ kind: 'connected', session }, null);
      this.gate.open();
      return;
    }
    const { error } = outcome;
    this.#enter(outcome.kind === 'refused' ? { kind: 'disconnected' } : { kind: 'failed', error }, error);
    this.#background(session.close(error));
    this.gate.fail(error);
  }

  async #verify(session: Session): Promise<void> {
    const { clock, config, rules } = this.#options;
    try {
      await clock.sleep(Math.max(0, this.#nextVerificationAt - clock.monotonic()), session.signal);
      this.#nextVerificationAt = clock.monotonic() + (config.healthProbeIntervalMs ?? config.initialDelayMs);
      await this.#probe(session, session.signal, config.healthProbeTimeoutMs);
    } catch (error) {
      session.signal.throwIfAborted();
      if (!(error instanceof ConnectionError)) throw error;
      this.#options.book.failure(error, clock.now());
      if (speaksAgainstService(error)) {
        session.renew();
        this.#pursue('reconnecting', session, rules.afterLoss(clock.monotonic(), error), error);
      } else if (error.category === 'permanent') {
        this.#reportLoudly(error);
      }
    } finally {
      this.#verifying = false;
    }
  }

  async #probe(session: Session, signal: AbortSignal, timeoutMs: number): Promise<void> {
    try {
      await session.attempt(this.#options.probe, { signal, timeoutMs, acceptEmpty: false });
    } catch (error) {
      throw wrapError(error, this.#options.redactor);
    }
    this.noteSuccess();
  }

  #enter(next: Link, why: ConnectionError | null): void {
    const { logger, onConnected, onDisconnected, onStateChange } = this.#options;
    const from = this.state;
    this.#link = next;
    const to = this.state;
    if (from === to) return;
    const fields = { from, to, ...(why === null ? {} : { code: why.code, error: why.message }) };
    logger.log(why === null ? 'info' : 'warning', `connection: ${from} -> ${to}`, fields);
    notify(onStateChange, { from, to }, 'onStateChange', logger);
    if (to === 'CONNECTED') notify(onConnected, undefined, 'onConnected', logger);
    if (from === 'CONNECTED') notify(onDisconnected, why, 'onDisconnected', logger);
  }

  #reportLoudly(error: ConnectionError): void {
    if (this.#reported === error.code) return;
    this.#reported = error.code;
    const { code, class: letter, remedy } = error;
    this.#options.logger.log('error', `the service refuses: ${error.message}`, {
      code,
      class: letter,
      remedy: remedy ?? null,
    });
  }

  #notConnected(message: string): ConnectionError {
    const { lastError } = this.#options.book;
    const why = lastError === null ? '' : ` (${lastError.message})`;
    return new ConnectionError(`${message}${why}`, verdict('S', 'NOT_CONNECTED'));
  }

  /** Work that nobody awaits but `stop`. A fault in it is a bug: said loudly, never swallowed. */
  #background(work: Promise<void>, session?: Session): void {
    const task = work
      .catch((error: unknown) => {
        if (session?.signal.aborted) return;
        this.#options.logger.log('critical', `connection: ${wrapError(error, this.#options.redactor).message}`);
      })
      .finally(() => this.#tasks.delete(task));
    this.#tasks.add(task);
  }
}
