/** What a session asks before it sends a request: in whose name. */
import type { ConnectionError } from '../errors.ts';
import type { Clock, Fetch, Random } from '../ports.ts';
import type { Redactor } from '../redactor.ts';
import type { Credentials } from './credentials.ts';
import { TokenKeeper } from './token-keeper.ts';
import { passwordTokens, providedTokens } from './token-source.ts';

export interface Authorizer {
  readonly status: AuthStatus;
  /** A token that is good now; waits for one if there is none. */
  token(signal: AbortSignal): Promise<string>;
  /** Another token in place of the one that the server refused; null when there is none. */
  renew(refused: string, signal: AbortSignal): Promise<string | null>;
  /** Forgets that the last sign-in failed, so that the next call tries anew. */
  tryAgain(): void;
  /** Refreshes in time until the signal aborts. */
  run(signal: AbortSignal): Promise<void>;
}

/** In whose name requests go out. Never contains a token. */
export interface AuthStatus {
  readonly kind: Credentials['kind'];
  /** True while there is a token (or key) to send. Whether the server accepts it, the connection's state tells. */
  readonly isSignedIn: boolean;
  /** Ms until the present token is no longer used; null: there is none, or it does not end. */
  readonly expiresInMs: number | null;
  /** Tokens obtained so far. */
  readonly refreshes: number;
  /** Wall-clock ms; null: never. */
  readonly refreshedAt: number | null;
  /** Why the last attempt to obtain a token failed; null when it did not. */
  readonly problem: string | null;
}

export interface AuthorizerOptions {
  readonly credentials: Credentials;
  readonly url: string;
  readonly key: string;
  readonly fetch: Fetch;
  readonly clock: Clock;
  readonly random: Random;
  readonly refreshTimeoutMs: number;
  readonly refusedRetryMs: number;
  readonly wrap: (error: unknown) => ConnectionError;
  readonly redactor: Redactor;
  readonly onRefreshFailed: (error: ConnectionError) => void;
}

export function createAuthorizer(options: AuthorizerOptions): Authorizer {
  const { credentials, key, clock } = options;
  switch (credentials.kind) {
    case 'key':
      return new KeyAuthorizer(key);
    case 'password':
      return new TokenKeeper({ ...options, kind: 'password', source: passwordTokens({ ...options, ...credentials }) });
    case 'jwt':
      return new TokenKeeper({ ...options, kind: 'jwt', source: providedTokens(credentials.token, clock) });
  }
}

/** The key speaks for itself and does not end. */
class KeyAuthorizer implements Authorizer {
  readonly status: AuthStatus = {
    kind: 'key',
    isSignedIn: true,
    expiresInMs: null,
    refreshes: 0,
    refreshedAt: null,
    problem: null,
  };
  readonly #key: string;

  constructor(key: string) {
    this.#key = key;
  }

  async token(): Promise<string> {
    return this.#key;
  }

  async renew(): Promise<null> {
    return null;
  }

  tryAgain(): void {}

  async run(): Promise<void> {}
}
