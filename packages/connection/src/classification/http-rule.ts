/** HTTP statuses. Runs after the SQLSTATE and PostgREST rules: a 500 is judged by its SQLSTATE first. */
import type { ClassifyRule } from './error-link.ts';
import { type ErrorVerdict, verdict } from './verdict.ts';

/** The server will never do it; every other 5xx may be over soon, and may have been executed. */
const NEVER: ReadonlySet<number> = new Set([501, 505, 526]);

export const httpRule: ClassifyRule = ({ status, retryAfterMs }) =>
  status === undefined ? undefined : httpVerdict(status, retryAfterMs);

/** The verdict about a failed answer of this HTTP status. */
export function httpVerdict(status: number, retryAfterMs?: number): ErrorVerdict {
  const code = `HTTP_${status}`;
  if (status >= 200 && status < 300) return verdict('A', 'NOT_JSON', { retryAfterMs });
  if (status === 429) return verdict('T', code, { retryAfterMs });
  if (status === 503 && retryAfterMs !== undefined) return verdict('T', code, { retryAfterMs });
  if (status === 425) return verdict('S', code, { retryAfterMs });
  if (status === 401) {
    return verdict('U', code, { remedy: 'the server refused the key: check that it belongs to this project' });
  }
  if (status === 402 || status === 540) {
    return verdict('O', code, { remedy: 'the project is paused or over its quota: restore it in its dashboard' });
  }
  if (status === 408 || (status >= 500 && !NEVER.has(status))) return verdict('A', code, { retryAfterMs });
  if (status === 404) return verdict('P', code, { remedy: 'check that the URL is the one of the project' });
  if (status >= 300 && status < 400) {
    return verdict('P', code, { remedy: 'the server redirects: use the address it redirects to' });
  }
  return verdict('P', code);
}
