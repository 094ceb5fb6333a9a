/**
 * What stands before PostgREST in a Supabase project: maps `/rest/v1/...`, asks for a known `apikey`, and lets that
 * key speak for itself when no other token comes along. There is no Auth server behind `/auth/v1`.
 */
import { Agent, createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';

export interface GatewayOptions {
  readonly socketPath: string;
  /** The keys that are let in. */
  readonly keys: readonly string[];
}

const restPath = '/rest/v1';

/** The server, not listening yet. */
export function createGateway(options: GatewayOptions): Server {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  const server = createServer((incoming, outgoing) => {
    const url = new URL(incoming.url ?? '/', 'http://127.0.0.1');
    if (!`${url.pathname}/`.startsWith(`${restPath}/`)) return refuse(outgoing, 404, 'not found');
    const key = incoming.headers.apikey ?? url.searchParams.get('apikey');
    if (typeof key !== 'string') return refuse(outgoing, 401, 'No API key found in request');
    if (!options.keys.includes(key)) return refuse(outgoing, 401, 'Invalid API key');
    forward(incoming, outgoing, { agent, socketPath: options.socketPath, key, url });
  });
  server.once('close', () => agent.destroy());
  return server;
}

interface Target {
  readonly agent: Agent;
  readonly socketPath: string;
  readonly key: string;
  readonly url: URL;
}

function forward(incoming: IncomingMessage, outgoing: ServerResponse, target: Target): void {
  const { host: _host, connection: _connection, apikey: _apikey, ...headers } = incoming.headers;
  target.url.searchParams.delete('apikey');
  const upstream = request(
    {
      agent: target.agent,
      socketPath: target.socketPath,
      method: incoming.method,
      path: `${target.url.pathname.slice(restPath.length) || '/'}${target.url.search}`,
      headers: { authorization: `Bearer ${target.key}`, ...headers, host: '127.0.0.1' },
    },
    (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
      answer.once('error', () => outgoing.destroy());
    },
  );
  upstream.once('error', () => {
    if (outgoing.headersSent) outgoing.destroy();
    else refuse(outgoing, 503, 'the REST server does not answer');
  });
  outgoing.once('close', () => upstream.destroy());
  incoming.pipe(upstream);
}

function refuse(outgoing: ServerResponse, status: number, message: string): void {
  outgoing.writeHead(status, { 'content-type': 'application/json' });
  outgoing.end(JSON.stringify({ code: null, message, details: null, hint: null }));
}
