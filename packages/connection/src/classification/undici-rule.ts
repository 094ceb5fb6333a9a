/** undici, which is what `fetch` is made of in Node; also what is left of its errors after supabase-js. */
import { type ClassifyRule, errorLink } from './error-link.ts';
import { nodeRule } from './node-rule.ts';
import { type ErrorClass, verdict } from './verdict.ts';

const CLASS_OF: { readonly [code: string]: ErrorClass } = {
  UND_ERR_CONNECT_TIMEOUT: 'S',
  UND_ERR_PRX_CONN: 'S',
  // Refused before it was sent: the client is closed.
  UND_ERR_CLOSED: 'S',
  UND_ERR_HEADERS_TIMEOUT: 'A',
  UND_ERR_BODY_TIMEOUT: 'A',
  UND_ERR_SOCKET: 'A',
  UND_ERR_REQ_CONTENT_LENGTH_MISMATCH: 'A',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'A',
  // May hit a request that was under way.
  UND_ERR_DESTROYED: 'A',
  UND_ERR_INFO: 'A',
  UND_ERR_HTTP_PARSER: 'A',
  UND_ERR_REQ_RETRY: 'A',
  UND_ERR_ABORT: 'C',
  UND_ERR_ABORTED: 'C',
  UND_ERR_INVALID_ARG: 'P',
  UND_ERR_HEADERS_OVERFLOW: 'P',
  UND_ERR_INVALID_RETURN_VALUE: 'P',
  UND_ERR_NOT_SUPPORTED: 'P',
  UND_ERR_PRX_TLS: 'P',
  UND_ERR_REDIRECT_MAX: 'P',
  UND_ERR_RES_EXCEEDED_MAX_SIZE: 'P',
};

/** The client itself is at its end: repeating helps only with another one. */
export const CLIENT_ENDED: ReadonlySet<string> = new Set(['UND_ERR_CLOSED', 'UND_ERR_DESTROYED']);

/** Whoever answers, in whatever way, has done something. */
const ANSWERED: ReadonlySet<string> = new Set([
  'UND_ERR_HEADERS_OVERFLOW',
  'UND_ERR_REDIRECT_MAX',
  'UND_ERR_RES_EXCEEDED_MAX_SIZE',
]);

export const undiciRule: ClassifyRule = ({ name, code }) => {
  const letter = CLASS_OF[code];
  if (letter !== undefined) {
    if (ANSWERED.has(code)) return verdict(letter, code, { ambiguous: true });
    return verdict(
      letter,
      code,
      CLIENT_ENDED.has(code) ? { remedy: 'the HTTP client was closed: make a new one' } : {},
    );
  }
  // The answer was not HTTP.
  if (code.startsWith('HPE_')) return verdict('A', code);
  return name === 'HTTPParserError' ? verdict('A', 'HTTP_PARSER') : undefined;
};

/**
 * supabase-js returns a network failure as an object with an empty code, its cause only as text in
 * `details`: "Caused by: Error: connect ... (ECONNREFUSED)".
 */
export const supabaseNetworkTextRule: ClassifyRule = ({ code, message, details }) => {
  if (code !== '' || details === '' || !/^(TypeError|AbortError|TimeoutError|FetchError): /.test(message))
    return undefined;
  if (message.startsWith('AbortError: ')) return verdict('C', 'ABORTED');
  if (message.startsWith('TimeoutError: ')) return verdict('A', 'TIMEOUT');
  const [, causeCode] = /\(([A-Z][A-Z0-9_]+)\)/.exec(details) ?? [];
  if (causeCode === undefined) return verdict('A', 'FETCH_FAILED');
  const cause = errorLink({ code: causeCode });
  return undiciRule(cause) ?? nodeRule(cause) ?? verdict('A', causeCode);
};
