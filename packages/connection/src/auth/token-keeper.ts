/**
 * Keeps one token fresh for everybody: signs in, refreshes at 80 % of the token's life, and once more when the server
 * refuses it.
 *
 * Promises kept here:
 * T1 one refresh at a time, shared by all callers; it ends by `refreshTimeoutMs`, even if its source never settles;
 * T2 a call with a token that is still good never waits for a refresh;
 * T3 a failed refresh is not tried again by every call, but after a while;
 * T4 time is monotonic, from the moment the token was asked for: a wall clock that is wrong or steps changes nothing.
 */
import { abortable, openScope } from '../abort-scope.ts';
import { classifyError } from '../classification/classify-error.ts';
import { verdict } from '../classification/verdict.ts';
import { ConnectionError } from '../errors.ts';
import type { Clock, Random } from '../ports.ts';
import type { Redactor } from '../redactor.ts';
import type { Authorizer, AuthStatus } from './authorizer.ts';
import { tokenLife } from './token-life.ts';
import type { TokenSource } from './token-source.ts';

export interface TokenKeeperOptions {
  readonly kind: 'password' | 'jwt';
  readonly source: TokenSource;
  readonly clock: Clock;
  readonly random: Random;
  /** Deadline of one refresh, in ms. */
  readonly refreshTimeoutMs: number;
  /** Wait after a refusal, in ms. */
  readonly refusedRetryMs: number;
  /** Makes an error out of whatever a source threw, with nothing secret in it. */
  readonly wrap: (error: unknown) => ConnectionError;
  readonly redactor: Redactor;
  /** A refresh failed although the present token, if any, is still good for a while. */
  readonly onRefreshFailed: (error: ConnectionError) => void;
}

interface Held {
  readonly token: string;
  readonly refreshAt: number;
  readonly unusableAt: number;
}

/** Wait after a failure that may be over soon, in ms. */
const SOON_MS = 1_000;

/** When the source still gives the same token: how often it is asked again, in ms. */
const SAME_TOKEN_MS = 5_000;

/** A token that was just brought is not thrown away again for a further refusal, for this long in ms. */
const RENEWAL_PAUSE_MS = 5_000;

export class TokenKeeper implements Authorizer {
  readonly #options: TokenKeeperOptions;
  #held: Held | undefined;
  #flight: Promise<Held> | undefined;
  /** The last refresh failed; until `retryAt` the same is expected of the next. */
  #failed: { readonly error: ConnectionError; readonly retryAt: number } | undefined;
  #renewedAt = Number.NEGATIVE_INFINITY;
  #refreshedAt: number | null = null;
  #refreshes = 0;
  #wake: () => void = () => undefined;
  readonly #end = new AbortController();

  constructor(options: TokenKeeperOptions) {
    this.#options = options;
  }

  get status(): AuthStatus {
    const held = this.#usable();
    return {
      kind: this.#options.kind,
      isSignedIn: held !== undefined,
      expiresInMs: held !== undefined && Number.isFinite(held.unusableAt) ? held.unusableAt - this.#now() : null,
      refreshes: this.#refreshes,
      refreshedAt: this.#refreshedAt,
      problem: this.#failed?.error.message ?? null,
    };
  }

  async token(signal: AbortSignal): Promise<string> {
    const held = this.#usable();
    if (held !== undefined) return held.token;
    if (this.#failed !== undefined && this.#now() < this.#failed.retryAt) throw this.#failed.error;
    return (await abortable(this.#refresh(), signal)).token;
  }

  async renew(refused: string, signal: AbortSignal): Promise<string | null> {
    const now = this.#now();
    if (this.#held?.token === refused) {
      if (now - this.#renewedAt < RENEWAL_PAUSE_MS) return null;
      this.#renewedAt = now;
      this.#held = undefined;
      this.#failed = undefined;
    }
    const token = await this.token(signal);
    return token === refused ? null : token;
  }

  tryAgain(): void {
    this.#failed = undefined;
  }

  async run(signal: AbortSignal): Promise<void> {
    const end = (): void => this.#end.abort(signal.reason);
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
    try {
      while (!signal.aborted) {
        await this.#sleepUntilDue(signal);
        if (this.#now() >= this.#nextRefreshAt()) await this.#refresh().catch(() => undefined);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      signal.removeEventListener('abort', end);
      end();
    }
  }

  /** Until the next refresh is due, or its time has changed. */
  async #sleepUntilDue(signal: AbortSignal): Promise<void> {
    const nap = openScope({ parents: [signal] });
    this.#wake = () => nap.abort(undefined);
    try {
      await this.#options.clock.sleep(Math.max(0, this.#nextRefreshAt() - this.#now()), nap.signal);
    } catch (error) {
      if (!nap.signal.aborted) throw error;
    } finally {
      nap.close();
    }
  }

  /** Nothing is asked for in advance before somebody needed a token. */
  #nextRefreshAt(): number {
    if (this.#held === undefined) return Number.POSITIVE_INFINITY;
    return Math.max(this.#held.refreshAt, this.#failed?.retryAt ?? 0);
  }

  #usable(): Held | undefined {
    return this.#held !== undefined && this.#now() < this.#held.unusableAt ? this.#held : undefined;
  }

  #refresh(): Promise<Held> {
    this.#flight ??= this.#obtain().finally(() => {
      this.#flight = undefined;
    });
    return this.#flight;
  }

  async #obtain(): Promise<Held> {
    const { source, clock, random, refreshTimeoutMs, redactor, onRefreshFailed } = this.#options;
    const limit = { clock, timeoutMs: refreshTimeoutMs, reason: () => tooLate(refreshTimeoutMs) };
    const scope = openScope({ parents: [this.#end.signal], limit });
    const askedAt = this.#now();
    try {
      scope.signal.throwIfAborted();
      const { token, lifeMs } = await abortable(source.obtain(scope.signal), scope.signal);
      redactor.add(token);
      this.#failed = undefined;
      this.#refreshes += 1;
      this.#refreshedAt = clock.now();
      const { refreshAfterMs, unusableAfterMs } = tokenLife(lifeMs, random());
      // The very same token again: its life began when it was first seen.
      if (this.#held?.token !== token) {
        this.#held = { token, refreshAt: askedAt + refreshAfterMs, unusableAt: askedAt + unusableAfterMs };
      } else {
        this.#held = { ...this.#held, refreshAt: Math.max(this.#held.refreshAt, this.#now() + SAME_TOKEN_MS) };
      }
      this.#wake();
      return this.#held;
    } catch (error) {
      const failure = this.#judge(scope.signal.aborted ? scope.signal.reason : error);
      this.#failed = { error: failure, retryAt: this.#now() + this.#pauseAfter(failure) };
      if (failure.class !== 'C') onRefreshFailed(failure);
      throw failure;
    } finally {
      scope.close();
    }
  }

  /** No token, no request: whatever went wrong, nothing was executed. */
  #judge(error: unknown): ConnectionError {
    const known = this.#options.wrap(error);
    if (known.class === 'U' || known.class === 'T' || known.class === 'C' || known.class === 'O') return known;
    const isKnown = error instanceof ConnectionError || classifyError(error).category !== 'unknown';
    const judged =
      known.class === 'P'
        ? verdict('U', known.code, { remedy: known.remedy ?? 'see to what provides the token' })
        : verdict('S', isKnown ? known.code : 'TOKEN_PROVIDER_FAILED');
    return new ConnectionError(`no token: ${known.message}`, judged, { cause: known });
  }

  #pauseAfter({ class: letter, retryAfterMs }: ConnectionError): number {
    const { refusedRetryMs, random } = this.#options;
    if (letter === 'S') return SOON_MS * (1 - 0.2 * random());
    return Math.max(refusedRetryMs, Math.min(retryAfterMs ?? 0, 300_000)) * (1 - 0.2 * random());
  }

  #now(): number {
    return this.#options.clock.monotonic();
  }
}

function tooLate(timeoutMs: number): ConnectionError {
  return new ConnectionError(`not answered within ${timeoutMs} ms`, verdict('S', 'AUTH_TIMEOUT'));
}
