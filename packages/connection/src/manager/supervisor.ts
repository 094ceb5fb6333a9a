/**
 * Looks after one connection: the state, the session behind it, and the one loop that brings it back.
 * `#enter` is the only place that changes the state.
 */

import type { AuthStatus } from '../auth/authorizer.ts';
import type { CircuitBreaker } from '../breaker/circuit-breaker.ts';
import { speaksAgainstService, verdict } from '../classification/verdict.ts';
import { ConnectionError } from '../errors.ts';
import { notify } from '../listeners.ts';
import type { Clock, Logger } from '../ports.ts';
import type { Redactor } from '../redactor.ts';
import type { RetryEvent } from '../retry/retry-config.ts';
import type { ConnectionConfig } from './connection-config.ts';
import type { ConnectionState, StatusBook } from './connection-status.ts';
import { Gate } from './gate.ts';
import { Liveness } from './liveness.ts';
import { Pauses } from './pauses.ts';
import type { ReconnectRules, ReconnectSchedule } from './reconnect-schedule.ts';
import { type ReconnectOutcome, Reconnector, type ReconnectPurpose } from './reconnector.ts';
import type { Operation, Session } from './session.ts';
import { abortError, wrapError } from './translate-error.ts';
import { WayOut } from './way-out.ts';

export interface ConnectionListeners {
  readonly onConnected?: (() => void) | undefined;
  /** With the failure that ended the connection; null when `disconnect` did. */
  readonly onDisconnected?: ((error: ConnectionError | null) => void) | undefined;
  /** The service answers, but refuses the credentials; told once until they are accepted again. */
  readonly onAuthFailed?: ((error: ConnectionError) => void) | undefined;
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
  /** `watch` ends what looks after an idle connection. */
  | { readonly kind: 'connected'; readonly session: Session; readonly watch: AbortController }
  | { readonly kind: 'reconnecting'; readonly session: Session; readonly loop: Reconnector }
  | {
      readonly kind: 'auth-failed';
      readonly session: Session;
      readonly loop: Reconnector;
      readonly error: ConnectionError;
    }
  | { readonly kind: 'failed'; readonly error: ConnectionError };

const PUBLIC_STATE: { readonly [kind in Link['kind']]: ConnectionState } = {
  disconnected: 'DISCONNECTED',
  connecting: 'CONNECTING',
  connected: 'CONNECTED',
  reconnecting: 'RECONNECTING',
  'auth-failed': 'AUTH_FAILED',
  failed: 'FAILED',
};

export class Supervisor {
  readonly gate: Gate = new Gate();
  readonly #options: SupervisorOptions;
  readonly #tasks = new Set<Promise<void>>();
  readonly #liveness: Liveness;
  readonly #wayOut: WayOut;
  readonly #pauses: Pauses;
  #link: Link = { kind: 'disconnected' };
  /** The code that was last reported loudly; the same is not reported again until something succeeds. */
  #reported: string | undefined;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#liveness = new Liveness(options);
    this.#wayOut = new WayOut(options);
    this.#pauses = new Pauses(options.clock);
  }

  get state(): ConnectionState {
    return PUBLIC_STATE[this.#link.kind];
  }

  get auth(): AuthStatus | null {
    return 'session' in this.#link ? this.#link.session.authorizer.status : null;
  }

  get nextAttemptInMs(): number | null {
    return 'loop' in this.#link ? this.#link.loop.nextAttemptInMs : null;
  }

  /**
   * Begins to connect, unless that is under way, and resolves when the connection stands. The wait begins first: a
   * listener that is told of the beginning may end it at once.
   */
  connect(signal: AbortSignal | undefined): Promise<void> {
    const standing = this.gate.wait(signal);
    try {
      this.#start();
    } catch (error) {
      this.gate.fail(error);
    }
    return standing;
  }

  #start(): void {
    if (this.#link.kind !== 'disconnected' && this.#link.kind !== 'failed') return;
    const { newSession, rules, clock } = this.#options;
    const session = newSession();
    this.#background(session.authorizer.run(session.signal), session);
    this.#pursue('connecting', session, rules.fresh(clock.monotonic()));
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
      throw new ConnectionError(
        'not connected: connect() has not been called yet, or the connection was closed',
        verdict('P', 'NOT_CONNECTED'),
      );
    }
    const judged = verdict('O', 'CONNECTION_FAILED', { remedy: 'see to the service, then call connect() again' });
    throw new ConnectionError(`gave up connecting: ${link.error.message}`, judged, { cause: link.error });
  }

  /** Resolves when the connection stands; rejects with a ConnectionError at once or when `signal` aborts. */
  async ready(signal: AbortSignal, whenDisconnected: 'wait' | 'fail'): Promise<void> {
    const link = this.#link;
    if (link.kind === 'connected') return;
    this.session();
    if (link.kind === 'auth-failed') throw credentialsRefused(link.error);
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

  /** The wait before a call's next attempt, which waits for the connection by itself where there is none. */
  async pause(event: RetryEvent, signal: AbortSignal): Promise<void> {
    if (this.#link.kind === 'connected') await this.#pauses.pause(event, signal);
  }

  noteSuccess(): void {
    this.#reported = undefined;
    this.#liveness.sign();
    this.#options.book.success(this.#options.clock.now());
  }

  /**
   * Counts a failed call; one that speaks against the service, or says that it refuses the credentials, makes the manager
   * look whether the connection stands.
   */
  noteFailure(error: ConnectionError): void {
    this.#options.book.failure(error, this.#options.clock.now());
    if (error.class === 'U' || error.class === 'O') this.reportLoudly(error);
    if (speaksAgainstService(error) || error.class === 'U') this.lookAgain();
  }

  /** Looks whether the connection stands, unless that is under way. */
  lookAgain(): void {
    const link = this.#link;
    if (link.kind !== 'connected' || this.#liveness.isLooking) return;
    this.#background(this.#verify(link.session), link.session);
  }

  #pursue(
    kind: 'connecting' | 'reconnecting',
    session: Session,
    schedule: ReconnectSchedule,
    why?: ConnectionError,
  ): void {
    this.#enter({ kind, session, loop: this.#loop(kind, session, schedule) }, why ?? null);
  }

  /** Its sockets go with it: they may be dead without knowing. */
  #lost(session: Session, error: ConnectionError): void {
    const { clock, rules } = this.#options;
    session.renew();
    this.#pursue('reconnecting', session, rules.afterLoss(clock.monotonic(), error), error);
  }

  /** Everybody who waits is told at once; the trying goes on, slowly. */
  #refused(session: Session, error: ConnectionError): void {
    const { clock, rules } = this.#options;
    this.reportLoudly(error);
    const loop = this.#loop('auth-failed', session, rules.afterAuthRefusal(clock.monotonic()));
    this.#enter({ kind: 'auth-failed', session, loop, error }, error);
    this.gate.fail(error);
  }

  /** Starts the one loop that brings the connection back. */
  #loop(purpose: ReconnectPurpose, session: Session, schedule: ReconnectSchedule): Reconnector {
    const { clock, rules, breaker, config, book } = this.#options;
    const loop = new Reconnector(schedule, {
      clock,
      rules,
      breaker,
      purpose,
      probe: (signal, what) => {
        if (what === 'attempt') session.authorizer.tryAgain();
        const timeoutMs = what === 'attempt' ? config.connectionTimeoutMs : config.healthProbeTimeoutMs;
        return this.#probe(session, signal, timeoutMs);
      },
      onFailure: (error, what) => {
        if (what !== 'look' || error.class === 'U') book.failure(error, clock.now());
        if (error.category === 'permanent') this.reportLoudly(error);
        // Those who came since the last attempt wait for nothing else.
        if (purpose === 'auth-failed') this.gate.fail(error);
      },
    });
    this.#background(
      loop.run(session.signal).then((outcome) => this.#conclude(session, outcome)),
      session,
    );
    return loop;
  }

  #conclude(session: Session, outcome: ReconnectOutcome): void {
    if (session.signal.aborted) return;
    switch (outcome.kind) {
      case 'connected': {
        const watch = new AbortController();
        // First, so that whoever is told of the connection finds nothing that hangs.
        session.giveUpLost();
        this.#enter({ kind: 'connected', session, watch }, null);
        const onFailure = (error: ConnectionError): void => this.noteFailure(error);
        this.#background(
          this.#liveness.watch(() => this.#look(session), onFailure, watch.signal),
          session,
        );
        this.gate.open();
        break;
      }
      case 'auth-refused':
        this.#refused(session, outcome.error);
        break;
      case 'lost':
        this.#lost(session, outcome.error);
        break;
      case 'refused':
      case 'exhausted': {
        const { kind, error } = outcome;
        this.#enter(kind === 'refused' ? { kind: 'disconnected' } : { kind: 'failed', error }, error);
        this.#background(session.close(error));
        this.gate.fail(error);
      }
    }
  }

  async #verify(session: Session): Promise<void> {
    const { clock, book } = this.#options;
    const look = await this.#liveness.lookAgain(() => this.#look(session), session.signal);
    const error = look ?? (await this.#wayOut.take(() => this.#look(session), session.signal));
    if (this.#link.kind !== 'connected' || this.#link.session !== session) return;
    if (error === undefined) return this.#pauses.answered();
    book.failure(error, clock.now());
    if (speaksAgainstService(error)) this.#lost(session, error);
    else if (error.class === 'U') this.#refused(session, error);
    else if (error.category === 'permanent') this.reportLoudly(error);
  }

  #look(session: Session): Promise<void> {
    return this.#probe(session, session.signal, this.#options.config.healthProbeTimeoutMs);
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
    const { logger, onConnected, onDisconnected, onAuthFailed, onStateChange } = this.#options;
    const from = this.state;
    if (this.#link.kind === 'connected') this.#link.watch.abort();
    this.#link = next;
    const to = this.state;
    if (from === to) return;
    if (from === 'CONNECTED') this.#pauses.lost();
    const fields = why === null ? {} : { code: why.code, error: why.message };
    logger.log(why === null ? 'info' : 'warning', `connection: ${from} -> ${to}`, fields);
    notify(onStateChange, { from, to }, 'onStateChange', logger);
    if (to === 'CONNECTED') notify(onConnected, undefined, 'onConnected', logger);
    if (from === 'CONNECTED') notify(onDisconnected, why, 'onDisconnected', logger);
    if (next.kind === 'auth-failed') notify(onAuthFailed, next.error, 'onAuthFailed', logger);
  }

  /** What a person must see to: once, until something succeeds. */
  reportLoudly(error: ConnectionError): void {
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

function credentialsRefused(error: ConnectionError): ConnectionError {
  const judged = verdict('U', 'AUTH_FAILED', { remedy: error.remedy ?? 'check key and sign-in of this robot' });
  return new ConnectionError(`the service refuses the credentials: ${error.message}`, judged, { cause: error });
}
