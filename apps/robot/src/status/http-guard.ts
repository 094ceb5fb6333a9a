/**
 * Who may ask the status port what: pure checks of a request's headers.
 *
 * On a loopback address, reading needs no token: only this machine reaches it, and a page of another origin cannot
 * read the answers (no CORS headers), nor pretend to be this origin under a name of its own that resolves to loopback
 * (DNS rebinding), because the Host header must name a loopback address. Beyond loopback everything needs the token,
 * which no foreign page has. Actions need the token everywhere, as a Bearer token, which no browser adds by itself.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

export interface Refusal {
  readonly status: 400 | 401 | 403 | 415 | 421 | 429;
  readonly code: string;
  readonly message: string;
}

export interface Guarded {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
}

export interface GuardOptions {
  readonly isLoopback: boolean;
  readonly token: string;
}

/** Null when the request may be answered. */
export function refusalOf(request: Guarded, options: GuardOptions): Refusal | null {
  return hostRefusal(request, options) ?? originRefusal(request) ?? tokenRefusal(request, options);
}

/** `127.0.0.1`, `::1` and `localhost`, with any port. */
export function isLoopbackHost(host: string): boolean {
  const name = host
    .toLowerCase()
    .replace(/:\d+$/, '')
    .replace(/^\[(.*)\]$/, '$1');
  return name === 'localhost' || name === '::1' || /^127(\.\d{1,3}){3}$/.test(name);
}

function hostRefusal({ headers }: Guarded, { isLoopback }: GuardOptions): Refusal | null {
  if (headers.host === undefined) return { status: 400, code: 'NO_HOST', message: 'the request has no Host header' };
  if (!isLoopback || isLoopbackHost(headers.host)) return null;
  const message = `this port answers to 127.0.0.1, [::1] and localhost only, not to ${headers.host.slice(0, 100)}; use one of these, through a tunnel from afar, or set observability.statusHost`;
  return { status: 421, code: 'WRONG_HOST', message };
}

/** Other pages may lead here, and that is all. */
function originRefusal({ method, path, headers }: Guarded): Refusal | null {
  const { origin, host } = headers;
  const site = headers['sec-fetch-site'];
  const isForeignSite = site === 'cross-site' || site === 'same-site';
  const isVisit = path === '/' && headers['sec-fetch-mode'] === 'navigate' && method === 'GET';
  const isForeignOrigin = origin !== undefined && URL.parse(origin)?.host !== host;
  if ((isForeignSite && !isVisit) || isForeignOrigin) {
    return {
      status: 403,
      code: 'FOREIGN_ORIGIN',
      message: 'pages of another origin may not ask this robot anything; open its own page',
    };
  }
  return null;
}

function tokenRefusal({ method, headers }: Guarded, { isLoopback, token }: GuardOptions): Refusal | null {
  const isAction = method === 'POST';
  if (!isAction && isLoopback) return null;
  const authorization = headers.authorization ?? '';
  const given = isAction ? bearerOf(authorization) : (bearerOf(authorization) ?? passwordOf(authorization));
  if (given === null || !isSame(given, token)) {
    return {
      status: 401,
      code: 'TOKEN_NEEDED',
      message: 'the right token is needed: it is in the file status-token of CASARE_HOME, on the robot’s machine',
    };
  }
  if (isAction && !/^application\/json\b/i.test(headers['content-type'] ?? '')) {
    return { status: 415, code: 'NOT_JSON', message: 'an action is a JSON object, with content-type application/json' };
  }
  return null;
}

function bearerOf(authorization: string): string | null {
  return /^Bearer (.+)$/i.exec(authorization)?.[1] ?? null;
}

/** Of Basic authentication, which browsers ask people for: any name, the token as the password. */
function passwordOf(authorization: string): string | null {
  const encoded = /^Basic (.+)$/i.exec(authorization)?.[1];
  if (encoded === undefined) return null;
  const pair = Buffer.from(encoded, 'base64').toString('utf8');
  return pair.includes(':') ? pair.slice(pair.indexOf(':') + 1) : null;
}

/** Takes the same time for every wrong token. */
function isSame(given: string, token: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(token));
}
