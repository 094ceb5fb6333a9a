/**
 * One period between `connect` and `disconnect`: a supabase-js client, the sockets behind it, and the signal that
 * ends them. `attempt` runs an operation once and settles with its result, a ConnectionError, or the operation's
 * own error; never later than its deadline, even if the operation does not listen to its signal.
 */
import type { SupabaseClient } from '@supabase/supabase-js';
import { abortable, openScope } from '../abort-scope.ts';
import { type Authorizer, createAuthorizer } from '../auth/authorizer.ts';
import type { Credentials } from '../auth/credentials.ts';
import { classifyError } from '../classification/classify-error.ts';
import { verdict } from '../classification/verdict.ts';
import { ConnectionError } from '../errors.ts';
import type { Clock, Fetch, Random } from '../ports.ts';
import type { Redactor } from '../redactor.ts';
import type { ConnectionConfig } from './connection-config.ts';
import { createGuardedFetch } from './guarded-fetch.ts';
import { createRequestScopes, type RequestScope, type RequestScopes } from './request-scope.ts';
import { loadSupabase } from './supabase-client.ts';
import { abortError, answerError, flawError, swallowedError, wrapError } from './translate-error.ts';
import { createTransport, type Transport } from './transport.ts';

/** Work done with a supabase-js client. `signal` aborts at the deadline, on the caller's abort and on disconnect. */
export type Operation<R> = (client: SupabaseClient, signal: AbortSignal) => PromiseLike<R> | R;

export interface SessionOptions {
  readonly url: string;
  readonly key: string;
  readonly credentials: Credentials;
  readonly config: ConnectionConfig;
  readonly clock: Clock;
  readonly random: Random;
  readonly redactor: Redactor;
  readonly fetch: Fetch | undefined;
  readonly headers: Readonly<Record<string, string>>;
  /** A refresh of the token failed. */
  readonly onRefreshFailed: (error: ConnectionError) => void;
}

export interface AttemptOptions {
  readonly signal: AbortSignal;
  /** In ms. */
  readonly timeoutMs: number;
  readonly acceptEmpty: boolean;
  /** Whether `giveUpLost` ends it. */
  readonly isGivenUp?: boolean;
}

/** What an attempt is given up with because its connection was lost meanwhile. */
export const LOST_MEANWHILE = 'CONNECTION_LOST';

export class Session {
  readonly client: SupabaseClient;
  readonly authorizer: Authorizer;
  readonly #clock: Clock;
  readonly #redactor: Redactor;
  readonly #transport: Transport;
  readonly #scopes: RequestScopes = createRequestScopes();
  readonly #end = new AbortController();
  /** Of the attempts that began since the connection stands. */
  #standing = new AbortController();

  constructor(options: SessionOptions) {
    const { url, key, config, clock, redactor, fetch, headers } = options;
    this.#clock = clock;
    this.#redactor = redactor;
    this.#transport = createTransport(fetch);
    const send: Fetch = (input, init) => this.#transport.fetch(input, init);
    this.authorizer = createAuthorizer({
      ...options,
      fetch: send,
      refreshTimeoutMs: config.authTimeoutMs,
      refusedRetryMs: config.authRetryIntervalMs,
      wrap: (error) => wrapError(error, redactor),
    });
    const guarded = createGuardedFetch({
      fetch: send,
      key,
      renewToken: (refused, signal) => this.authorizer.renew(refused, signal),
      scopes: this.#scopes,
      clock,
      maxResponseBytes: config.maxResponseBytes,
    });
    this.client = loadSupabase().createClient(url, key, {
      // The client is untyped: any schema name is as good as `public`.
      db: { schema: config.schema as 'public', retry: false },
      auth: { autoRefreshToken: false, persistSession: false, detectSessionInUrl: false },
      global: { fetch: guarded, headers: { ...headers } },
    });
  }

  /** Aborts when the session ends. */
  get signal(): AbortSignal {
    return this.#end.signal;
  }

  async attempt<R>(operation: Operation<R>, options: AttemptOptions): Promise<unknown> {
    const limit = { clock: this.#clock, timeoutMs: options.timeoutMs, reason: () => attemptTimeout(options.timeoutMs) };
    const lost = options.isGivenUp === true ? this.#standing.signal : undefined;
    const { signal, close } = openScope({ parents: [options.signal, this.#end.signal, lost], limit });
    const scope: RequestScope = { signal, token: '', sent: false, last: undefined, flaw: undefined };
    try {
      signal.throwIfAborted();
      scope.token = await abortable(this.authorizer.token(signal), signal);
      const answer = await this.#scopes.run(scope, () => abortable(run(operation, this.client, signal), signal));
      return this.#unwrap(answer, scope, options.acceptEmpty);
    } catch (error) {
      if (signal.aborted) throw abortError(signal.reason, scope.sent);
      throw this.#translate(error, scope);
    } finally {
      close();
    }
  }

  /** Drops the sockets: they belong to a connection that is lost. */
  renew(): void {
    this.#transport.renew();
  }

  /** Ends what is unanswered, now that the connection stands again: it was sent before the loss, and its answer may never come. */
  giveUpLost(): void {
    this.#standing.abort(new ConnectionError('the connection was lost meanwhile', verdict('A', LOST_MEANWHILE)));
    this.#standing = new AbortController();
  }

  /** Ends every attempt with `reason` and closes every socket. */
  async close(reason: ConnectionError): Promise<void> {
    this.#end.abort(reason);
    // Asked only when an operation opened a channel: realtime-js leaves a timer behind even where nothing was open.
    if (this.client.getChannels().length > 0) await this.client.realtime.disconnect();
    await this.#transport.close();
  }

  #unwrap(answer: unknown, scope: RequestScope, acceptEmpty: boolean): unknown {
    const envelope = asEnvelope(answer);
    if (envelope !== undefined && envelope.error !== null && envelope.error !== undefined) {
      if (scope.last?.kind === 'failed') throw wrapError(scope.last.error, this.#redactor);
      throw answerError(envelope.error, envelope.status, scope, this.#redactor);
    }
    const swallowed = swallowedError(scope, this.#redactor);
    if (swallowed !== undefined) throw swallowed;
    if (scope.flaw !== undefined && !(acceptEmpty && scope.flaw !== 'empty')) {
      throw flawError(scope.flaw, scope.last?.kind === 'answered' ? scope.last.status : undefined);
    }
    return envelope === undefined ? answer : envelope.data;
  }

  /** What an operation threw: its own error unless it, or its last request, failed with something we know. */
  #translate(error: unknown, scope: RequestScope): unknown {
    if (error instanceof ConnectionError) return error;
    if (scope.last?.kind === 'failed') return wrapError(scope.last.error, this.#redactor);
    if (scope.last?.problem !== undefined) return answerError(error, scope.last.status, scope, this.#redactor);
    const { category, class: letter } = classifyError(error);
    const ours = category === 'transient' || letter === 'O' || letter === 'U';
    return ours ? wrapError(error, this.#redactor) : error;
  }
}

interface Envelope {
  readonly data: unknown;
  readonly error: unknown;
  readonly status: number | undefined;
}

/** What supabase-js resolves with; a plain value is not one. */
function asEnvelope(answer: unknown): Envelope | undefined {
  if (typeof answer !== 'object' || answer === null || !('data' in answer) || !('error' in answer)) return undefined;
  const status = 'status' in answer && typeof answer.status === 'number' ? answer.status : undefined;
  return { data: answer.data, error: answer.error, status };
}

async function run<R>(operation: Operation<R>, client: SupabaseClient, signal: AbortSignal): Promise<R> {
  return operation(client, signal);
}

function attemptTimeout(timeoutMs: number): ConnectionError {
  return new ConnectionError(`no complete answer within ${timeoutMs} ms`, verdict('A', 'TIMEOUT'));
}
