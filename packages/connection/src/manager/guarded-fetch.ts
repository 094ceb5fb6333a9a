/**
 * The `fetch` that supabase-js is given.
 *
 * Promises kept here:
 * G1 the attempt's signal bounds headers and body; the body is read whole before the answer is handed on;
 * G2 a network failure is remembered as it was thrown, with its cause;
 * G3 an answer that supabase-js would mistake for a success (404 with an empty body, or with `[]`) is made recognizable,
 *    and one that confirms nothing is marked;
 * G4 a request that is refused for its token (401) was not executed: it goes out once more with another token, if
 *    there is one;
 * G5 redirects are not followed: a POST would become a GET, and the key would go elsewhere.
 */
import { abortable, openScope } from '../abort-scope.ts';
import { parseRetryAfter } from '../classification/retry-after.ts';
import { verdict } from '../classification/verdict.ts';
import { ConnectionError } from '../errors.ts';
import { readBytes } from '../http/read-answer.ts';
import type { Clock, Fetch } from '../ports.ts';
import type { Exchange, Flaw, RequestScope, RequestScopes } from './request-scope.ts';

export interface GuardedFetchOptions {
  readonly fetch: Fetch;
  readonly scopes: RequestScopes;
  readonly clock: Pick<Clock, 'now'>;
  readonly maxResponseBytes: number;
  /** The project's key, which supabase-js sends as a token by default. */
  readonly key: string;
  readonly renewToken: (refused: string, signal: AbortSignal) => Promise<string | null>;
}

interface PlainRequest {
  readonly url: string;
  readonly method: string;
  readonly headers: Record<string, string>;
  readonly body: string | Uint8Array<ArrayBuffer> | null;
}

const WRITES: ReadonlySet<string> = new Set(['POST', 'PATCH', 'PUT', 'DELETE']);

/** Statuses whose answer must have no body. */
const BODILESS: ReadonlySet<number> = new Set([101, 103, 204, 205, 304]);

export function createGuardedFetch(options: GuardedFetchOptions): typeof globalThis.fetch {
  return async (input, init) => {
    const scope = options.scopes.getStore();
    if (scope === undefined) {
      throw new ConnectionError('the client works only inside execute()', verdict('P', 'OUTSIDE_EXECUTE'));
    }
    const { signal, close } = openScope({ parents: [scope.signal, init?.signal ?? undefined] });
    try {
      const request = await plainRequest(input, init);
      signal.throwIfAborted();
      scope.sent = true;
      const { response, body } = await exchange(options, scope, request, signal);
      scope.last = exchangeOf(response, body, options.clock.now());
      scope.flaw ??= flawOf(request, response, body);
      return handOn(request, response, body);
    } catch (error) {
      scope.last = { kind: 'failed', error };
      throw error;
    } finally {
      close();
    }
  };
}

interface RawAnswer {
  readonly response: Response;
  readonly body: Uint8Array<ArrayBuffer>;
}

async function exchange(
  options: GuardedFetchOptions,
  scope: RequestScope,
  request: PlainRequest,
  signal: AbortSignal,
): Promise<RawAnswer> {
  const isOurs = request.headers.authorization === `Bearer ${options.key}` && !request.url.includes('/auth/v1/');
  if (!isOurs) return send(options, request, signal);
  const { token } = scope;
  const answer = await send(options, withToken(request, token), signal);
  if (answer.response.status !== 401) return answer;
  const another = await abortable(options.renewToken(token, signal), signal);
  if (another === null) return answer;
  scope.token = another;
  return send(options, withToken(request, another), signal);
}

async function send(options: GuardedFetchOptions, request: PlainRequest, signal: AbortSignal): Promise<RawAnswer> {
  const { url, ...rest } = request;
  const response = await abortable(options.fetch(url, { ...rest, redirect: 'manual', signal }), signal);
  const { status } = response;
  if (status < 200 || status > 599) {
    const judged = verdict('A', `HTTP_${status}`);
    throw new ConnectionError(`the server answered ${status}, which no answer can have`, judged, { status });
  }
  return { response, body: await readBytes(response, { signal, maxBytes: options.maxResponseBytes }) };
}

function withToken(request: PlainRequest, token: string): PlainRequest {
  return { ...request, headers: { ...request.headers, authorization: `Bearer ${token}` } };
}

async function plainRequest(
  input: Parameters<typeof globalThis.fetch>[0],
  init: RequestInit | undefined,
): Promise<PlainRequest> {
  const body = init?.body ?? null;
  if (!(input instanceof Request) && (body === null || typeof body === 'string')) {
    const headers = Object.fromEntries(new Headers(init?.headers));
    return { url: String(input), method: init?.method?.toUpperCase() ?? 'GET', headers, body };
  }
  const request = new Request(input, init);
  const bytes = request.body === null ? null : new Uint8Array(await request.arrayBuffer());
  return { url: request.url, method: request.method, headers: Object.fromEntries(request.headers), body: bytes };
}

function exchangeOf(response: Response, body: Uint8Array, nowMs: number): Exchange {
  const { headers, status, ok } = response;
  return {
    kind: 'answered',
    status,
    retryAfterMs: parseRetryAfter(headers.get('retry-after'), nowMs, headers.get('date')),
    problem: ok ? undefined : new TextDecoder().decode(body.subarray(0, 64 * 1024)),
  };
}

function flawOf(request: PlainRequest, response: Response, body: Uint8Array): Flaw | undefined {
  if (!response.ok || !isRest(request.url)) return undefined;
  if (WRITES.has(request.method)) {
    if (body.byteLength === 0) return 'unconfirmed';
    return isEmptyList(body) && !request.url.includes('/rest/v1/rpc/') ? 'no-row' : undefined;
  }
  return request.method === 'GET' && body.byteLength === 0 ? 'empty' : undefined;
}

/** The answer as supabase-js gets it. */
function handOn(request: PlainRequest, response: Response, body: Uint8Array<ArrayBuffer>): Response {
  const { status, statusText } = response;
  const headers = new Headers([...response.headers]);
  // They describe what came over the wire; what is handed on is decoded already.
  headers.delete('content-encoding');
  headers.delete('content-length');
  if (status === 404 && isRest(request.url) && (body.byteLength === 0 || firstCharacter(body) === '[')) {
    const problem = { code: '', message: 'not found', details: null, hint: null };
    return new Response(JSON.stringify(problem), { status, statusText, headers });
  }
  return new Response(BODILESS.has(status) ? null : body, { status, statusText, headers });
}

function isRest(url: string): boolean {
  return url.includes('/rest/v1/');
}

function isEmptyList(body: Uint8Array): boolean {
  return body.byteLength < 16 && new TextDecoder().decode(body).replaceAll(/\s/g, '') === '[]';
}

function firstCharacter(body: Uint8Array): string {
  return new TextDecoder().decode(body.subarray(0, 64)).trimStart().slice(0, 1);
}
