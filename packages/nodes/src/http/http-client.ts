/** The client of HTTP nodes: how a request gets to its server. */
import { Agent, type Dispatcher, ProxyAgent } from 'undici';
import { NodeError } from '../errors.ts';
import { guardedConnector } from '../net/guarded-connect.ts';
import { guardedLookup } from '../net/guarded-lookup.ts';
import { portOf } from './endpoint.ts';
import type { SendOptions } from './send-request.ts';

export { request } from 'undici';

/** The signal goes into the sockets as well: an aborted request alone would wait for its connection. */
export function dispatcherFor({ verifySsl, proxy, timeoutMs, access }: SendOptions, signal: AbortSignal): Dispatcher {
  const connection = { rejectUnauthorized: verifySsl, timeout: timeoutMs, signal, allowH2: false };
  const limits = { headersTimeout: 0, bodyTimeout: 0, allowH2: false };
  if (proxy === '') return new Agent({ ...limits, connect: guardedConnector(access, connection) });
  const address = URL.parse(proxy);
  if (address === null) {
    throw new NodeError('proxy must be an address such as http://proxy.example:8080', { code: 'HTTP_PROXY_INVALID' });
  }
  const lookup = access.isNetworkOpen ? {} : { lookup: guardedLookup(access, portOf(address)) };
  return new ProxyAgent({ ...limits, uri: proxy, requestTls: connection, proxyTls: { ...connection, ...lookup } });
}
