/**
 * Reads an HTTP answer to its end, or to the end of the time there is. `fetch` resolves at the headers: a body that
 * stalls after them is waited for as long as nobody bounds it.
 */
import { abortable } from '../abort-scope.ts';
import { ArgumentError, requireMethods, requireOptions, requireSignal } from '../argument-error.ts';
import { httpVerdict } from '../classification/http-rule.ts';
import { parseRetryAfter } from '../classification/retry-after.ts';
import { verdict } from '../classification/verdict.ts';
import { ConnectionError } from '../errors.ts';
import type { Clock } from '../ports.ts';
import { requireAtLeast } from '../require-at-least.ts';
import { systemClock } from '../system-clock.ts';

export interface ReadOptions {
  /** Ends the reading at once, even if the body does not listen. */
  readonly signal?: AbortSignal | undefined;
  /** Longest body that is read, in bytes. Default 64 MiB. */
  readonly maxBytes?: number;
}

export interface ReadAnswerOptions extends ReadOptions {
  /** Measures a `Retry-After` date where the answer has no `Date`. Default: the machine's. */
  readonly clock?: Pick<Clock, 'now'>;
}

/** A successful answer, read whole. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** As UTF-8. */
  text(): string;
  /** @throws ConnectionError `NOT_JSON` (class A) */
  json<T = unknown>(): T;
}

const DEFAULT_MAX_BYTES = 64 * 1024 * 1024;

/**
 * The answer with its whole body, if its status says success.
 *
 * @throws ConnectionError with status, class and `Retry-After` for any other status; `RESPONSE_TOO_LARGE` (class P)
 * @throws the signal's reason as soon as it aborts; what the network says when the body breaks off
 *
 * @example
 * const order = await retry(
 *   async ({ signal }) => (await readAnswer(await fetch('http://127.0.0.1:54321/order', { signal }), { signal })).json(),
 *   { idempotent: true, timeoutMs: 10_000 },
 * );
 */
export async function readAnswer(response: Response, options: ReadAnswerOptions = {}): Promise<HttpAnswer> {
  requireOptions('options', options, new Set(['signal', 'maxBytes', 'clock']));
  requireMethods('clock', options.clock, ['now']);
  const bytes = await readBytes(response, options);
  const { status, headers } = response;
  const text = (): string => new TextDecoder().decode(bytes);
  if (!response.ok) {
    const nowMs = (options.clock ?? systemClock).now();
    const retryAfterMs = parseRetryAfter(headers.get('retry-after'), nowMs, headers.get('date'));
    throw new ConnectionError(`the server answered ${status}`, httpVerdict(status, retryAfterMs), {
      status,
      details: text().slice(0, 1_000),
    });
  }
  return {
    status,
    headers,
    bytes,
    text,
    json: <T>() => {
      try {
        return JSON.parse(text()) as T;
      } catch (cause) {
        const message = `the server answered ${status} with something that is not JSON`;
        throw new ConnectionError(message, verdict('A', 'NOT_JSON'), { status, cause });
      }
    },
  };
}

/**
 * The whole body; an unread rest is cancelled.
 *
 * @throws ConnectionError `RESPONSE_TOO_LARGE` (class P); the signal's reason as soon as it aborts
 */
export async function readBytes(response: Response, options: ReadOptions = {}): Promise<Uint8Array<ArrayBuffer>> {
  requireOptions('options', options, new Set(['signal', 'maxBytes', 'clock']));
  const { signal, maxBytes = DEFAULT_MAX_BYTES } = options;
  requireSignal(signal);
  requireAtLeast(0, { maxBytes });
  requireResponse(response);
  if (response.body === null) return new Uint8Array(0);
  const reader = response.body.getReader();
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for (;;) {
      const { done, value } = await (signal === undefined ? reader.read() : abortable(reader.read(), signal));
      if (done) break;
      size += value.byteLength;
      if (size > maxBytes) {
        const judged = verdict('P', 'RESPONSE_TOO_LARGE', { ambiguous: true });
        throw new ConnectionError(`the answer is longer than ${maxBytes} bytes`, judged);
      }
      chunks.push(value);
    }
  } catch (error) {
    // Not awaited: whoever does not listen to the signal may not listen to this either.
    reader.cancel(error).catch(() => undefined);
    throw error;
  }
  const whole = new Uint8Array(size);
  let offset = 0;
  for (const chunk of chunks) {
    whole.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return whole;
}

function requireResponse(response: Response): void {
  const isAnswer = typeof response === 'object' && response !== null && 'status' in response && 'body' in response;
  if (!isAnswer) throw new ArgumentError('response', 'what fetch resolves with', response);
  if (response.body?.locked === true) throw new ArgumentError('response', 'an answer that nobody has read', response);
}
