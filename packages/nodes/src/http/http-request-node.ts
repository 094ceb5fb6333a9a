/**
 * One HTTP request. Every answer of the server is a success of the node, whatever its status; the output
 * `success` tells 2xx from the rest. What never got an answer fails the node.
 *
 * Asking has an effect unless the method is GET, HEAD or OPTIONS. `retry_count` is shared with the engine: the
 * engine repeats a failed attempt, and says when an effect may be repeated (I4); the node asks a busy server
 * again with what is left of it. With an effect, busy means 429 only: other statuses may come after the deed.
 */
import { z } from 'zod';
import { defineNode } from '../define-node.ts';
import { anything, choice, dict, filledText, flag, integer, number, text } from '../params/index.ts';
import type { JsonObject, JsonValue, NodeType } from '../ports.ts';
import { httpError } from './http-errors.ts';
import { planRequest, shownAddress } from './request-plan.ts';
import { checkEncoding, decoded, unpacked } from './response-text.ts';
import { type Answer, type SendOptions, sendRequest } from './send-request.ts';

const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'] as const;
const METHODS_WITHOUT_EFFECT: readonly string[] = ['GET', 'HEAD', 'OPTIONS'];
const BUSY_STATUSES = [429, 502, 503, 504];
const LONGEST_RETRY_AFTER_MS = 60_000;

export const httpRequestNode: NodeType = defineNode({
  type: 'HttpRequestNode',
  category: 'http',
  description: 'Sends an HTTP request and gives the answer.',
  params: z.object({
    url: filledText(),
    method: choice(methods, 'GET'),
    headers: dict(),
    body: anything(),
    params: dict(),
    timeout: number({ fallback: 30, min: 0.001, max: 86_400 }),
    verify_ssl: flag(true),
    follow_redirects: flag(true),
    max_redirects: integer({ fallback: 10, min: 0, max: 100 }),
    content_type: text('application/json'),
    proxy: text(''),
    retry_count: integer({ fallback: 0, min: 0, max: 100 }),
    retry_delay: number({ fallback: 1, min: 0, max: 3600 }),
    response_encoding: text(''),
    max_response_size: integer({ fallback: 50 * 1024 * 1024, min: 1, max: 384 * 1024 * 1024 }),
  }),
  outputs: ['response_body', 'response_json', 'status_code', 'response_headers', 'success', 'error'],
  outputsFrom: 'world',
  timeoutMs: longestMs,
  effect: (params) => (METHODS_WITHOUT_EFFECT.includes(params.method) ? 'pure' : 'effect'),
  async run(ctx) {
    const { params, signal, clock } = ctx;
    signal.throwIfAborted();
    const plan = planRequest(params);
    checkEncoding(params.response_encoding);
    const options: SendOptions = {
      timeoutMs: params.timeout * 1000,
      verifySsl: params.verify_ssl,
      maxRedirects: params.follow_redirects ? params.max_redirects : 0,
      proxy: params.proxy,
      maxBytes: params.max_response_size,
      hasEffect: !METHODS_WITHOUT_EFFECT.includes(params.method),
      clock,
      signal,
      access: ctx.access,
    };
    const allowed = params.retry_count - (ctx.attempt - 1);
    for (let retries = 0; ; retries += 1) {
      const answer = await sendRequest(plan, options);
      if (retries >= allowed || !isBusy(answer, options.hasEffect)) {
        return { outputs: await outputsOf(answer, params, options.hasEffect) };
      }
      const delayMs = waitMs(answer, params.retry_delay);
      ctx.log.log('warning', `The server answered ${answer.status}; asking again in ${delayMs / 1000} s`);
      await clock.sleep(delayMs, signal);
    }
  },
});

/** All answers of a busy server and the waits between them. */
function longestMs(params: {
  readonly timeout: number;
  readonly retry_count: number;
  readonly retry_delay: number;
}): number {
  const longestWaitMs = Math.max(params.retry_delay * 1000, LONGEST_RETRY_AFTER_MS);
  return (params.retry_count + 1) * params.timeout * 1000 + params.retry_count * longestWaitMs;
}

/** Whether the server put the request off; with an effect, only 429 says that nothing was done. */
function isBusy({ status }: Answer, hasEffect: boolean): boolean {
  return (hasEffect ? [429] : BUSY_STATUSES).includes(status);
}

/** The node's own delay, or what the server wishes if that is longer. */
function waitMs({ headers }: Answer, delaySeconds: number): number {
  const wishedMs = Number(headers['retry-after'] ?? 0) * 1000;
  const usualMs = delaySeconds * 1000;
  return Number.isFinite(wishedMs) ? Math.max(usualMs, Math.min(wishedMs, LONGEST_RETRY_AFTER_MS)) : usualMs;
}

interface ReadingWishes {
  readonly response_encoding: string;
  readonly max_response_size: number;
}

async function outputsOf(answer: Answer, wishes: ReadingWishes, hasEffect: boolean): Promise<JsonObject> {
  const { status, headers } = answer;
  const body = await unpackedBody(answer, wishes.max_response_size, hasEffect);
  const response_body = decoded(body, headers['content-type'] ?? '', wishes.response_encoding);
  const success = status >= 200 && status < 300;
  return {
    response_body,
    response_json: jsonOrNull(response_body),
    status_code: status,
    response_headers: headers,
    success,
    error: success ? '' : `HTTP ${status}`,
  };
}

/** The server has acted by now, so a failure to read its answer leaves an effect behind. */
async function unpackedBody({ url, headers, bytes }: Answer, maxBytes: number, hasEffect: boolean): Promise<Buffer> {
  try {
    return await unpacked(bytes, headers['content-encoding'] ?? '', maxBytes);
  } catch (error) {
    throw httpError(error, { address: shownAddress(url), hasEffect, connected: true });
  }
}

function jsonOrNull(body: string): JsonValue {
  try {
    return JSON.parse(body) as JsonValue;
  } catch {
    return null;
  }
}
