/** How a robot says who it is. */
import { verdict } from '../classification/verdict.ts';
import { ConnectionError } from '../errors.ts';

/**
 * - `key`: the project's key speaks for itself (a service key).
 * - `password`: a user of Supabase Auth; the project's key only names the project (a publishable or anon key).
 * - `jwt`: a token that something else issues; see `TokenProvider`.
 */
export type Credentials =
  | { readonly kind: 'key' }
  | { readonly kind: 'password'; readonly email: string; readonly password: string }
  | { readonly kind: 'jwt'; readonly token: TokenProvider };

/**
 * A fixed token, or a function that brings one: called at the start, at 80 % of a token's life and after a refusal. It
 * is given up, with its signal aborted, after `refreshTimeoutMs`.
 */
export type TokenProvider = string | ((signal: AbortSignal) => Promise<string | AccessToken>);

export interface AccessToken {
  readonly token: string;
  /** How long it is good for from now, in ms; null: for ever. Left out: read from the token's own `iat` and `exp`. */
  readonly expiresInMs?: number | null;
}

/** @throws ConnectionError `INVALID_CREDENTIALS` (class P); the message shows none of them */
export function checkCredentials(given: Credentials = { kind: 'key' }): Credentials {
  if (typeof given !== 'object' || given === null) throw invalidCredentials('auth must be an object with a kind');
  switch (given.kind) {
    case 'key':
      return given;
    case 'password':
      if (!isText(given.email) || !isText(given.password)) {
        throw invalidCredentials('a sign-in needs an email address and a password');
      }
      return given;
    case 'jwt':
      if (typeof given.token !== 'function') checkToken(given.token);
      return given;
    default:
      throw invalidCredentials('auth.kind must be key, password or jwt');
  }
}

/** @throws ConnectionError `INVALID_CREDENTIALS` (class P) when `token` cannot go into an HTTP header */
export function checkToken(token: unknown): string {
  if (typeof token !== 'string' || !/^[\x21-\x7e]+$/.test(token)) {
    throw invalidCredentials('the token is empty or contains characters that no token has');
  }
  return token;
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value.trim() !== '';
}

export function invalidCredentials(message: string): ConnectionError {
  return new ConnectionError(message, verdict('P', 'INVALID_CREDENTIALS', { remedy: 'check connection.auth' }));
}
