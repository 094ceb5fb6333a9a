/** Where a redirect leads, by the rules of browsers. Pure. */
import { NodeError } from '../errors.ts';
import type { RequestPlan } from './request-plan.ts';

const REDIRECTS = [301, 302, 303, 307, 308];
const OF_THE_BODY = ['content-type', 'content-length', 'content-encoding', 'content-language', 'content-location'];
const OF_THE_SITE = ['authorization', 'cookie', 'proxy-authorization', 'host'];

/**
 * The request that follows, or null when the answer is no redirect. 303, and 301 or 302 after a POST, go on
 * as GET without the body; what identifies the caller is not sent to another site.
 *
 * @throws NodeError `HTTP_REDIRECT_INVALID`
 */
export function nextRequest(plan: RequestPlan, status: number, location: string | undefined): RequestPlan | null {
  if (!REDIRECTS.includes(status) || location === undefined || location === '') return null;
  const url = URL.parse(location, plan.url.href);
  if (url === null || !['http:', 'https:'].includes(url.protocol)) {
    throw new NodeError(`The server redirects to something that is no web address (status ${status})`, {
      code: 'HTTP_REDIRECT_INVALID',
      errorType: 'ConnectionError',
    });
  }
  const becomesGet = status === 303 ? plan.method !== 'HEAD' : status < 303 && plan.method === 'POST';
  const dropped = [...(becomesGet ? OF_THE_BODY : []), ...(url.origin === plan.url.origin ? [] : OF_THE_SITE)];
  return {
    method: becomesGet ? 'GET' : plan.method,
    url,
    headers: Object.fromEntries(Object.entries(plan.headers).filter(([name]) => !dropped.includes(name.toLowerCase()))),
    body: becomesGet ? null : plan.body,
  };
}
