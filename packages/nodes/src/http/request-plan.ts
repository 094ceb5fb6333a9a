/** What a node's parameters ask for, as one HTTP request: address, headers and body. Pure. */
import { NodeError } from '../errors.ts';
import type { JsonObject, JsonValue } from '../ports.ts';
import { textOf } from '../values/text-of.ts';

export interface RequestPlan {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
}

export interface RequestWishes {
  readonly url: string;
  readonly method: string;
  readonly headers: JsonObject;
  readonly params: JsonObject;
  readonly body: JsonValue;
  readonly content_type: string;
}

const METHODS_WITH_BODY = ['POST', 'PUT', 'PATCH', 'DELETE'];

/** @throws NodeError `HTTP_URL_INVALID` or `HTTP_HEADER_INVALID` */
export function planRequest(wishes: RequestWishes): RequestPlan {
  const url = addressOf(wishes.url, wishes.params);
  const headers = headersOf(wishes.headers);
  if (url.username !== '' && !has(headers, 'authorization')) headers.authorization = basicLogin(url);
  url.username = '';
  url.password = '';
  url.hash = '';
  if (!has(headers, 'accept')) headers.accept = '*/*';
  if (!has(headers, 'accept-encoding')) headers['accept-encoding'] = 'gzip, deflate, br';
  if (!has(headers, 'user-agent')) headers['user-agent'] = 'casare-robot';
  if (!METHODS_WITH_BODY.includes(wishes.method) || isEmpty(wishes.body)) {
    return { method: wishes.method, url, headers, body: null };
  }
  const type = Object.entries(headers).find(([name]) => name.toLowerCase() === 'content-type')?.[1];
  const contentType = type ?? wishes.content_type;
  if (type === undefined && contentType !== '') headers['content-type'] = contentType;
  return { method: wishes.method, url, headers, body: bodyText(wishes.body, contentType) };
}

/** The address without what may be secret in it: login, query. */
export function shownAddress(url: URL): string {
  return `${url.protocol}//${url.host}${url.pathname}`;
}

function addressOf(address: string, params: JsonObject): URL {
  const url = URL.parse(address.trim());
  if (url === null || !['http:', 'https:'].includes(url.protocol)) {
    throw new NodeError('url must be a full address that begins with http:// or https://', {
      code: 'HTTP_URL_INVALID',
    });
  }
  for (const [name, value] of pairs(params)) url.searchParams.append(name, value);
  return url;
}

/** One pair for each value of a list; null is left out. */
function pairs(values: JsonObject): [string, string][] {
  return Object.entries(values).flatMap(([name, value]): [string, string][] =>
    (Array.isArray(value) ? (value as readonly JsonValue[]) : [value])
      .filter((item) => item !== null)
      .map((item) => [name, textOf(item)]),
  );
}

function headersOf(given: JsonObject): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(given)) {
    if (value === null) continue;
    const text = textOf(value).trim();
    if (!/^[\w!#$%&'*+.^`|~-]+$/.test(name) || /[^\t\x20-\x7e\x80-\xff]/.test(text)) {
      throw new NodeError(`The header "${name}" is not valid: its name or value holds characters that headers cannot`, {
        code: 'HTTP_HEADER_INVALID',
      });
    }
    headers[name] = text;
  }
  return headers;
}

function has(headers: Readonly<Record<string, string>>, name: string): boolean {
  return Object.keys(headers).some((key) => key.toLowerCase() === name);
}

function basicLogin(url: URL): string {
  const login = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  return `Basic ${Buffer.from(login, 'utf8').toString('base64')}`;
}

function isEmpty(body: JsonValue): boolean {
  return body === null || body === '';
}

function bodyText(body: JsonValue, contentType: string): string {
  const isForm = /^application\/x-www-form-urlencoded\b/i.test(contentType);
  if (isForm && typeof body === 'object' && body !== null && !Array.isArray(body)) {
    return new URLSearchParams(pairs(body as JsonObject)).toString();
  }
  return textOf(body);
}
