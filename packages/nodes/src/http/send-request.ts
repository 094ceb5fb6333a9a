/**
 * Sends one request and reads the answer whole: redirects, time limit, size limit, proxy, certificates.
 *
 * Every request has a connection of its own, which is closed at the end: a connection kept from an earlier
 * request may be dead already, and then nobody can tell whether the server got the request. The client is loaded with
 * the first request: most job processes send none.
 */
import type { Dispatcher } from 'undici';
import { NodeError } from '../errors.ts';
import { requireHost } from '../net/guarded-lookup.ts';
import type { Clock, NodeContext } from '../ports.ts';
import { portOf } from './endpoint.ts';
import { httpError } from './http-errors.ts';
import { nextRequest } from './redirect.ts';
import { type RequestPlan, shownAddress } from './request-plan.ts';
import { responseTooLarge } from './response-text.ts';

type HttpClient = typeof import('./http-client.ts');

export interface SendOptions {
  readonly timeoutMs: number;
  readonly verifySsl: boolean;
  /** How many redirects to follow; 0 takes the first answer as it is. */
  readonly maxRedirects: number;
  /** Address of a proxy, or "". */
  readonly proxy: string;
  readonly maxBytes: number;
  readonly hasEffect: boolean;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly access: NodeContext['access'];
}

export interface Answer {
  /** Where the answer came from in the end. */
  readonly url: URL;
  readonly status: number;
  /** Names in lower case; repeated headers are joined with ", " (cookies with a line break). */
  readonly headers: Readonly<Record<string, string>>;
  readonly bytes: Buffer;
}

/** @throws NodeError `HTTP_*`; the signal's reason when it aborts */
export async function sendRequest(plan: RequestPlan, options: SendOptions): Promise<Answer> {
  const progress = { connected: options.proxy !== '' };
  const timeLimit = new AbortController();
  const signal = AbortSignal.any([options.signal, timeLimit.signal]);
  const client = await import('./http-client.ts');
  const dispatcher = client.dispatcherFor(options, signal);
  dispatcher.on('connect', () => {
    progress.connected = true;
  });
  const finished = new AbortController();
  const alarm = options.clock.sleep(options.timeoutMs, finished.signal).then(
    () => timeLimit.abort(timedOut(plan, options.timeoutMs)),
    () => undefined,
  );
  try {
    return await follow(plan, options, { request: client.request, dispatcher, signal });
  } catch (error) {
    options.signal.throwIfAborted();
    if (isRefusal(error)) throw error;
    const cause: unknown = timeLimit.signal.aborted ? timeLimit.signal.reason : error;
    const failure = { address: shownAddress(plan.url), hasEffect: options.hasEffect, connected: progress.connected };
    throw httpError(cause, failure);
  } finally {
    finished.abort();
    await alarm;
    await dispatcher.destroy();
  }
}

interface Connection {
  readonly request: HttpClient['request'];
  readonly dispatcher: Dispatcher;
  readonly signal: AbortSignal;
}

async function follow(
  first: RequestPlan,
  options: SendOptions,
  { request, dispatcher, signal }: Connection,
): Promise<Answer> {
  let plan = first;
  for (let redirects = 0; ; redirects += 1) {
    // A proxy connects by itself: what it is asked for is checked beforehand, as well as this side can.
    if (options.proxy !== '') {
      for (const url of [plan.url, new URL(options.proxy)]) {
        await requireHost(options.access, url.hostname, portOf(url));
      }
    }
    const { statusCode, headers, body } = await request(plan.url, {
      dispatcher,
      method: plan.method as Dispatcher.HttpMethod,
      headers: plan.headers,
      body: plan.body,
      signal,
    });
    const next = options.maxRedirects === 0 ? null : nextRequest(plan, statusCode, oneOf(headers.location));
    if (next === null) {
      const bytes = await readLimited(body, options.maxBytes);
      return { url: plan.url, status: statusCode, headers: joined(headers), bytes };
    }
    await body.dump();
    if (redirects === options.maxRedirects) throw tooManyRedirects(first, options.maxRedirects);
    plan = next;
  }
}

/** A refusal of the operator's permissions is nobody's to translate. */
function isRefusal(error: unknown): boolean {
  return (error as { readonly code?: unknown } | null)?.code === 'PERMISSION_DENIED';
}

async function readLimited(body: Dispatcher.ResponseData['body'], maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBytes) throw responseTooLarge(maxBytes);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function joined(headers: Dispatcher.ResponseData['headers']): Record<string, string> {
  const result: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined) continue;
    result[name] = Array.isArray(value) ? value.join(name === 'set-cookie' ? '\n' : ', ') : value;
  }
  return result;
}

function oneOf(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}

function timedOut(plan: RequestPlan, timeoutMs: number): NodeError {
  return new NodeError(
    `${shownAddress(plan.url)} did not answer within ${timeoutMs / 1000} s: raise timeout if it is slow`,
    {
      code: 'HTTP_TIMEOUT',
      category: 'transient',
      errorType: 'TimeoutError',
    },
  );
}

function tooManyRedirects(plan: RequestPlan, limit: number): NodeError {
  return new NodeError(
    `${shownAddress(plan.url)} redirects more than ${limit} times: check the address, or raise max_redirects`,
    {
      code: 'HTTP_TOO_MANY_REDIRECTS',
      errorType: 'ConnectionError',
    },
  );
}
