/**
 * A connection to Supabase under supervision: connects, notices a loss, comes back by itself, and runs operations
 * through a circuit breaker, retries and deadlines of its own.
 *
 *   DISCONNECTED ──connect──▶ CONNECTING ──▶ CONNECTED ◀──▶ RECONNECTING ──(only with a limit)──▶ FAILED
 *                                    └──────────┴──▶ AUTH_FAILED ◀──┘   (back to CONNECTED by itself)
 *
 * A failure that speaks against the service (class S or A) does not change the state by itself: it makes the manager
 * look once more, and only if that fails, too, the connection counts as lost. A 4xx never does.
 *
 * Promises kept here:
 * M1 one loop at a time looks after the connection, whoever calls;
 * M2 `execute` resolves only with what the server confirmed, and settles by its deadline;
 * M3 after `disconnect` there is no timer, socket or pending promise left;
 * M4 key, password and tokens are in no error, status or log (I8);
 * M5 listeners and loggers cannot alter anything.
 */
import type { SupabaseClient } from '@supabase/supabase-js';
import { abortable, openScope } from '../abort-scope.ts';
import { ArgumentError, isSignal, requireObject, requireSignal, requireText } from '../argument-error.ts';
import { type Credentials, checkCredentials } from '../auth/credentials.ts';
import type { CircuitBreakerConfig } from '../breaker/breaker-config.ts';
import { CircuitBreaker } from '../breaker/circuit-breaker.ts';
import { checkKey, checkUrl } from '../check-project.ts';
import { speaksAgainstService, verdict } from '../classification/verdict.ts';
import { CircuitBreakerOpenError, ConnectionError } from '../errors.ts';
import { harmless } from '../listeners.ts';
import type { Clock, Fetch, Logger, Random } from '../ports.ts';
import { Redactor } from '../redactor.ts';
import { retry } from '../retry/retry.ts';
import type { RetryConfig } from '../retry/retry-config.ts';
import { systemClock, systemRandom, warningLogger } from '../system-clock.ts';
import { type ConnectionConfig, connectionConfig } from './connection-config.ts';
import { type ConnectionStatus, StatusBook } from './connection-status.ts';
import { requireCall, requireManagerOptions } from './manager-arguments.ts';
import { ReconnectRules } from './reconnect-schedule.ts';
import { schemaVersionProbe } from './schema-version-probe.ts';
import { LOST_MEANWHILE, type Operation, Session } from './session.ts';
import { type ConnectionListeners, Supervisor } from './supervisor.ts';
import { abortError } from './translate-error.ts';

export interface ConnectionManagerOptions extends ConnectionListeners {
  /** Address of the project, `http:` or `https:`. */
  readonly url: string;
  /** A key that the project accepts. */
  readonly key: string;
  /** In whose name calls are made. Default: `{ kind: 'key' }`, the key's own. */
  readonly auth?: Credentials;
  readonly config?: Partial<ConnectionConfig>;
  /**
   * How many clients of this service would come back with this one after an outage, as far as is known. A small fleet
   * looks more often whether the service is back, and comes back at once, a large one spread by 20 ms a client. Default:
   * unknown, as for a large one.
   */
  readonly fleetSize?: () => number;
  /** How failed calls are repeated. Default: 3 attempts, 1 s doubled up to 30 s, full jitter. */
  readonly retry?: Partial<RetryConfig>;
  readonly breaker?: Partial<CircuitBreakerConfig>;
  /** The cheap request that proves that the service works. Default: the function `schema_version` answers a whole number. */
  readonly probe?: Operation<unknown>;
  readonly clock?: Clock;
  readonly random?: Random;
  /** Default: errors become process warnings, everything else is silent. */
  readonly logger?: Logger;
  /** Sent with every request, beside what supabase-js sends. Default none. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Replaces the manager's own sockets; must honour `signal`. */
  readonly fetch?: Fetch;
}

export interface ExecuteOptions {
  /** Ends the call at once (class C). */
  readonly signal?: AbortSignal | undefined;
  /** Deadline of the whole call, attempts and waits together, in ms. Default `operationTimeoutMs` (60,000). */
  readonly timeoutMs?: number;
  /** True when doing it twice is the same as doing it once; only then is an ambiguous failure repeated. Default false. */
  readonly idempotent?: boolean;
  /** Attempts in all. Default: as configured (3). */
  readonly maxAttempts?: number;
  /** True when a write may confirm nothing, or write no row, and still be a success. Default false. */
  readonly acceptEmpty?: boolean;
  /** Whether to wait for a connection that is being (re)made. Default `wait`, until the deadline. */
  readonly whenDisconnected?: 'wait' | 'fail';
  /**
   * What becomes of an attempt that was unanswered when the connection was lost, once it stands again: the answer may never
   * come. `give-up` ends it with `CONNECTION_LOST` (class A where it was sent), `wait` leaves it its time. Default: `give-up`
   * for an idempotent call, which is then repeated at once; else `wait`.
   */
  readonly whenLost?: 'wait' | 'give-up';
}

/** What supabase-js resolves with. */
export interface SupabaseAnswer {
  readonly data: unknown;
  readonly error: unknown;
  readonly status: number;
}

/** The type of `data` in the successful variant of an answer. */
export type AnswerData<R> = R extends { data: infer D; error: infer E } ? ([E] extends [object] ? never : D) : R;

/**
 * A supervised connection to one Supabase project.
 *
 * @throws ConnectionError `INVALID_URL`, `INVALID_KEY`; ArgumentError for another argument that cannot be
 *
 * @example
 * const manager = new ConnectionManager({ url: 'http://127.0.0.1:54321', key: serviceKey });
 * await manager.connect();
 * const jobs = await manager.execute((client) => client.from('jobs').select('id, status'), { idempotent: true });
 * const version = await manager.rpc<number>('schema_version', {}, { idempotent: true });
 * await manager.disconnect();
 */
export class ConnectionManager {
  readonly #config: ConnectionConfig;
  readonly #retry: Partial<RetryConfig>;
  readonly #clock: Clock;
  readonly #random: Random;
  /** The breaker that every call goes through: `forceOpen()` and `reset()` are for operators. */
  readonly breaker: CircuitBreaker;
  readonly #book = new StatusBook();
  readonly #supervisor: Supervisor;
  #connecting = 0;

  constructor(options: ConnectionManagerOptions) {
    requireManagerOptions(options);
    const url = checkUrl(options.url);
    const key = checkKey(options.key);
    const config = connectionConfig(options.config);
    const clock = options.clock ?? systemClock;
    const logger = harmless(options.logger ?? warningLogger);
    const credentials = checkCredentials(options.auth);
    const redactor = new Redactor([key, ...secretsOf(credentials)]);
    const random = options.random ?? systemRandom;
    this.#config = config;
    this.#retry = options.retry ?? {};
    this.#clock = clock;
    this.#random = random;
    this.breaker = new CircuitBreaker('supabase', { outcomeOf, clock, logger, ...options.breaker });
    this.#supervisor = new Supervisor({
      config,
      clock,
      logger,
      redactor,
      breaker: this.breaker,
      book: this.#book,
      rules: new ReconnectRules(config, this.#random, options.fleetSize),
      probe: options.probe ?? schemaVersionProbe,
      newSession: () =>
        new Session({
          url,
          key,
          credentials,
          config,
          clock,
          random,
          redactor,
          fetch: options.fetch,
          headers: options.headers ?? {},
          onRefreshFailed: (error) => {
            if (error.class === 'U') this.#supervisor.reportLoudly(error);
          },
        }),
      onConnected: options.onConnected,
      onDisconnected: options.onDisconnected,
      onAuthFailed: options.onAuthFailed,
      onStateChange: options.onStateChange,
    });
  }

  get isConnected(): boolean {
    return this.#supervisor.state === 'CONNECTED';
  }

  /**
   * Resolves once the service has answered; goes on trying as long as that is worth it. All callers share one try.
   * Refused credentials (class U) are told at once, while the manager goes on trying slowly (`AUTH_FAILED`) until they
   * are accepted or `disconnect` is called.
   *
   * @param signal ends the wait; the last one to leave ends the trying, too
   * @throws ConnectionError when the service refuses (class U, O or P), the attempts are used up, or on abort (class C)
   */
  async connect(signal?: AbortSignal): Promise<void> {
    requireSignal(signal);
    if (signal?.aborted) throw abortError(signal.reason, false);
    if (this.isConnected) return;
    this.#connecting += 1;
    try {
      await this.#supervisor.connect(signal);
    } catch (error) {
      if (!signal?.aborted) throw error;
      if (this.#connecting === 1 && this.#supervisor.state === 'CONNECTING') await this.disconnect();
      throw abortError(signal.reason, false);
    } finally {
      this.#connecting -= 1;
    }
  }

  /**
   * Runs `operation` with a supabase-js client and resolves with what the server confirmed: the `data` of an answer, or
   * what the operation returned. Surely unexecuted failures are repeated; ambiguous ones only with `idempotent`.
   *
   * @throws ConnectionError with class, code, category and `ambiguous`; CircuitBreakerOpenError while the breaker is open;
   *   what the operation itself threw, unchanged, when the connection had no part in it
   */
  execute<R extends SupabaseAnswer>(operation: Operation<R>, options?: ExecuteOptions): Promise<AnswerData<R>>;
  execute<T>(
    operation: (
      client: SupabaseClient,
      signal: AbortSignal,
    ) => PromiseLike<{ data: T | null; error: unknown; status: number }>,
    options?: ExecuteOptions,
  ): Promise<T>;
  execute<T>(operation: Operation<T>, options?: ExecuteOptions): Promise<T>;
  async execute(operation: Operation<unknown>, options: ExecuteOptions = {}): Promise<unknown> {
    requireCall(operation, options);
    if (options.signal?.aborted) throw abortError(options.signal.reason, false);
    const session = this.#supervisor.session();
    const { signal, close } = openScope({ parents: [options.signal, session.signal] });
    const call: Call = { attempt: undefined, inDoubt: false };
    try {
      return await retry(
        (attempt) => {
          call.attempt = this.#attempt(session, operation, attempt.signal, options, call);
          return call.attempt;
        },
        {
          ...this.#retry,
          ...(options.maxAttempts === undefined ? {} : { maxAttempts: options.maxAttempts }),
          signal,
          timeoutMs: options.timeoutMs ?? this.#config.operationTimeoutMs,
          idempotent: options.idempotent ?? false,
          clock: this.#clock,
          random: this.#random,
          shouldRetry: worthAnotherAttempt,
          pause: async (event, ended) => {
            if (!isLostMeanwhile(event.error)) await this.#supervisor.pause(event, ended);
          },
          onRetry: () => {
            call.attempt = undefined;
          },
        },
      );
    } catch (error) {
      // An abort settles the retrying at once; the attempt it struck knows better what it came to.
      const late = call.attempt ?? Promise.reject(signal.aborted ? abortError(signal.reason, call.inDoubt) : error);
      return await late.catch((failure: unknown) => {
        throw call.inDoubt ? withDoubt(failure) : failure;
      });
    } finally {
      close();
    }
  }

  /**
   * Calls a database function and resolves with its answer. A function that returns nothing needs `acceptEmpty`.
   *
   * @throws as `execute`
   */
  async rpc<T = unknown>(
    name: string,
    args: { readonly [parameter: string]: unknown } = {},
    options: ExecuteOptions = {},
  ): Promise<T> {
    requireText('name', name);
    requireObject('args', args);
    return this.execute<T>(async (client, signal) => client.rpc(name, args).abortSignal(signal), options);
  }

  /**
   * The token that calls carry at the moment, for another door of the same project, such as Realtime. Not to be kept, shown
   * or logged: ask again each time.
   *
   * @param signal ends the wait for a token
   * @throws ConnectionError class U when the sign-in is refused, S when it does not work now, P before `connect`
   */
  async accessToken(signal: AbortSignal): Promise<string> {
    if (!isSignal(signal)) throw new ArgumentError('signal', 'an AbortSignal', signal);
    return await abortable(this.#supervisor.session().authorizer.token(signal), signal);
  }

  /** Ends everything: calls under way and waiting fail (class C), timers and sockets are gone when it resolves. */
  async disconnect(): Promise<void> {
    await this.#supervisor.stop(new ConnectionError('disconnected', verdict('C', 'DISCONNECTED')));
  }

  getStatus(): ConnectionStatus {
    const { consecutiveFailures, totalFailures, lastSuccessAt, lastError } = this.#book;
    return {
      state: this.#supervisor.state,
      isConnected: this.isConnected,
      consecutiveFailures,
      totalFailures,
      lastSuccessAt,
      lastError,
      nextAttemptInMs: this.#supervisor.nextAttemptInMs,
      breaker: this.breaker.getStatus(),
      auth: this.#supervisor.auth,
    };
  }

  async #attempt(
    session: Session,
    operation: Operation<unknown>,
    signal: AbortSignal,
    options: ExecuteOptions,
    call: Call,
  ): Promise<unknown> {
    const { connectionTimeoutMs: timeoutMs } = this.#config;
    const { acceptEmpty = false, idempotent = false, whenLost = idempotent ? 'give-up' : 'wait' } = options;
    const attempt = { signal, timeoutMs, acceptEmpty, isGivenUp: whenLost === 'give-up' };
    try {
      await this.#supervisor.ready(signal, options.whenDisconnected ?? 'wait');
      const value = await this.breaker.call(() => this.#watched(session.attempt(operation, attempt)));
      this.#supervisor.noteSuccess();
      return value;
    } catch (error) {
      if (error instanceof ConnectionError && !isRefusedHere(error)) {
        call.inDoubt ||= error.ambiguous;
        if (!isLostMeanwhile(error)) this.#supervisor.noteFailure(error);
      }
      throw error;
    }
  }

  /** An attempt that is unanswered for longer than a look may take makes the manager look: perhaps nothing is answered any more. */
  async #watched<T>(attempt: Promise<T>): Promise<T> {
    const answered = new AbortController();
    this.#clock.sleep(this.#config.healthProbeTimeoutMs, answered.signal).then(
      () => this.#supervisor.lookAgain(),
      () => undefined,
    );
    try {
      return await attempt;
    } finally {
      answered.abort();
    }
  }
}

interface Call {
  /** The last attempt; undefined before the first, and while waiting for the next. */
  attempt: Promise<unknown> | undefined;
  /** True once an attempt ended in a way that leaves open whether it was executed. */
  inDoubt: boolean;
}

function outcomeOf(error: unknown): 'failure' | 'ignored' {
  if (isLostMeanwhile(error)) return 'ignored';
  return error instanceof ConnectionError && speaksAgainstService(error) ? 'failure' : 'ignored';
}

/** Says nothing of the service as it is now. */
function isLostMeanwhile(error: unknown): boolean {
  return error instanceof ConnectionError && error.code === LOST_MEANWHILE;
}

/** Failures that no request was made for. */
function isRefusedHere(error: ConnectionError): boolean {
  return (
    error instanceof CircuitBreakerOpenError ||
    error.code === 'NOT_CONNECTED' ||
    error.code === 'CONNECTION_FAILED' ||
    error.code === 'AUTH_FAILED'
  );
}

function worthAnotherAttempt(error: unknown): boolean {
  return error instanceof ConnectionError && !isRefusedHere(error);
}

/** The last attempt was surely not executed, but an earlier one may have been. */
function withDoubt(error: unknown): unknown {
  if (!(error instanceof ConnectionError) || error.ambiguous) return error;
  return new ConnectionError(error.message, { ...error, ambiguous: true }, { ...error, cause: error });
}

function secretsOf(credentials: Credentials): string[] {
  if (credentials.kind === 'password') return [credentials.password];
  return credentials.kind === 'jwt' && typeof credentials.token === 'string' ? [credentials.token] : [];
}
