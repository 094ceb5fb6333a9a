/** Where tokens come from: a sign-in at Supabase Auth, or something that the caller brings. */
import { parseRetryAfter } from '../classification/retry-after.ts';
import { type ErrorVerdict, verdict } from '../classification/verdict.ts';
import { ConnectionError } from '../errors.ts';
import { readBytes } from '../http/read-answer.ts';
import type { Clock, Fetch } from '../ports.ts';
import type { Redactor } from '../redactor.ts';
import { readField } from '../safe-read.ts';
import { checkToken, invalidCredentials, type TokenProvider } from './credentials.ts';
import { statedLifeMs } from './token-life.ts';

export interface Grant {
  readonly token: string;
  /** From the moment it was asked for, in ms; null: for ever. */
  readonly lifeMs: number | null;
}

export interface TokenSource {
  /** @throws ConnectionError class U when the credentials are refused, S or T when it may work later */
  obtain(signal: AbortSignal): Promise<Grant>;
}

export function providedTokens(provider: TokenProvider, clock: Pick<Clock, 'now'>): TokenSource {
  return {
    async obtain(signal) {
      const given = typeof provider === 'string' ? provider : await provider(signal);
      const token = checkToken(typeof given === 'string' ? given : readField(given, 'token'));
      const expiresInMs = typeof given === 'string' ? undefined : given.expiresInMs;
      if (expiresInMs === undefined) return { token, lifeMs: statedLifeMs(token, clock.now()) };
      if (expiresInMs !== null && !(typeof expiresInMs === 'number' && expiresInMs >= 0)) {
        throw invalidCredentials('expiresInMs must be a number of ms from 0 on, or null');
      }
      return { token, lifeMs: expiresInMs };
    },
  };
}

export interface PasswordSourceOptions {
  /** Of the project. */
  readonly url: string;
  readonly key: string;
  readonly email: string;
  readonly password: string;
  readonly fetch: Fetch;
  readonly clock: Pick<Clock, 'now'>;
  /** Learns every secret that the server gives out, and keeps what it says free of them. */
  readonly redactor: Redactor;
}

/** Supabase Auth: the first time by password, then by refresh token; by password again where that one is refused. */
export function passwordTokens(options: PasswordSourceOptions): TokenSource {
  const { email, password, redactor } = options;
  let refreshToken: string | undefined;
  const accept = (answer: Answer): Grant => {
    const { access_token: token, expires_in: seconds, refresh_token: next } = answer.body;
    if (typeof token !== 'string' || token === '') throw withoutToken(answer);
    redactor.add(token);
    refreshToken = typeof next === 'string' && next !== '' ? next : undefined;
    if (refreshToken !== undefined) redactor.add(refreshToken);
    const toldMs = typeof seconds === 'number' && seconds > 0 ? seconds * 1000 : undefined;
    return { token: checkToken(token), lifeMs: toldMs ?? statedLifeMs(token, options.clock.now()) };
  };
  return {
    async obtain(signal) {
      if (refreshToken !== undefined) {
        const answer = await ask(options, 'refresh_token', { refresh_token: refreshToken }, signal);
        if (answer.ok) return accept(answer);
        if (judge(answer).class !== 'U') throw refusal(answer, redactor);
        refreshToken = undefined;
      }
      const answer = await ask(options, 'password', { email, password }, signal);
      if (!answer.ok) throw refusal(answer, redactor);
      return accept(answer);
    },
  };
}

interface Answer {
  readonly ok: boolean;
  readonly status: number;
  readonly body: { readonly [field: string]: unknown };
  readonly retryAfterMs: number | undefined;
}

/** Longest answer that is taken from the Auth server, in bytes. */
const LONGEST_ANSWER = 256 * 1024;

async function ask(
  { url, key, fetch, clock }: PasswordSourceOptions,
  grant: 'password' | 'refresh_token',
  body: object,
  signal: AbortSignal,
): Promise<Answer> {
  const response = await fetch(`${url.replace(/\/+$/, '')}/auth/v1/token?grant_type=${grant}`, {
    method: 'POST',
    headers: { apikey: key, 'content-type': 'application/json' },
    body: JSON.stringify(body),
    redirect: 'manual',
    signal,
  });
  const { status, ok, headers } = response;
  const text = new TextDecoder().decode(await bytesOf(response, signal));
  const retryAfterMs = parseRetryAfter(headers.get('retry-after'), clock.now(), headers.get('date'));
  return { ok, status, body: parsed(text), retryAfterMs };
}

async function bytesOf(response: Response, signal: AbortSignal): Promise<Uint8Array> {
  try {
    return await readBytes(response, { signal, maxBytes: LONGEST_ANSWER });
  } catch (error) {
    if (readField(error, 'code') !== 'RESPONSE_TOO_LARGE') throw error;
    const { status } = response;
    const judged = verdict('S', 'AUTH_UNAVAILABLE');
    throw new ConnectionError(`the sign-in answered with more than ${LONGEST_ANSWER} bytes`, judged, { status });
  }
}

function judge({ status, retryAfterMs, body }: Answer): ErrorVerdict {
  if (status === 429) return verdict('T', 'AUTH_THROTTLED', { retryAfterMs });
  const isRefusal = status >= 400 && status < 500 && status !== 408 && status !== 425;
  if (!isRefusal) return verdict('S', 'AUTH_UNAVAILABLE', { retryAfterMs });
  const reason = body.error_code ?? body.error;
  if (status === 404 && reason === undefined) {
    return verdict('U', 'SIGN_IN_REFUSED', { remedy: 'there is no Auth server at this address: check the URL' });
  }
  return verdict('U', 'SIGN_IN_REFUSED', {
    remedy: 'check the email address and password of the robot, and that its user is confirmed and not banned',
  });
}

/** Says what the server said, but not what it was sent. */
function refusal(answer: Answer, redactor: Redactor): ConnectionError {
  const { status, body } = answer;
  const said = body.msg ?? body.error_description ?? body.message ?? body.error;
  const what = typeof said === 'string' && said.length < 200 ? said : `the Auth server answered ${status}`;
  return new ConnectionError(redactor.text(`sign-in failed: ${what}`), judge(answer), { status });
}

/** A web page, say, in place of an answer. */
function withoutToken({ status }: Answer): ConnectionError {
  return new ConnectionError('the sign-in answered without a token', verdict('S', 'AUTH_UNAVAILABLE'), { status });
}

function parsed(text: string): { readonly [field: string]: unknown } {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
