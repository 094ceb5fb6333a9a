/** An HTTP server that answers like PostgREST, or as badly as it is told to; it can be stopped and started again. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
  /** Tells the client's sockets apart. */
  readonly port: number | undefined;
}

/** Answers one request. */
export type Behaviour = (response: ServerResponse, request: Seen) => void;

const json = (status: number, body: unknown, headers: Record<string, string> = {}): Behaviour => {
  return (response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(JSON.stringify(body));
  };
};

export const behave = {
  json,
  ok: json(200, 1),
  empty:
    (status: number): Behaviour =>
    (response) => {
      response.writeHead(status);
      response.end();
    },
  html:
    (status: number): Behaviour =>
    (response) => {
      response.writeHead(status, { 'content-type': 'text/html' });
      response.end(`<!doctype html><title>Welcome to the hotel network</title>${'<p>'.repeat(2000)}`);
    },
  brokenJson:
    (text: string): Behaviour =>
    (response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(text);
    },
  redirect: ((response) => {
    response.writeHead(301, { location: 'http://127.0.0.1:1/' });
    response.end();
  }) satisfies Behaviour,
  /** Accepts the request and says nothing. */
  mute: (() => undefined) satisfies Behaviour,
  stalledBody: ((response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': '100' });
    response.write('[1,');
  }) satisfies Behaviour,
  resetMidBody: ((response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': '100' });
    response.write('[1,', () => response.socket?.resetAndDestroy());
  }) satisfies Behaviour,
  resetAtOnce: ((response: ServerResponse) => {
    response.socket?.resetAndDestroy();
  }) satisfies Behaviour,
  /** One byte every 20 ms, for ever. */
  slowDrip: ((response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    const drip = setInterval(() => response.write(' '), 20);
    response.on('close', () => clearInterval(drip));
  }) satisfies Behaviour,
};

export class HostileServer {
  readonly seen: Seen[] = [];
  /** What `schema_version`, the health probe, gets. */
  health: Behaviour = behave.ok;
  /** What a sign-in or refresh at Supabase Auth gets. */
  auth: Behaviour = behave.empty(404);
  /** What everything else gets: the first of the list once, the last for good. */
  script: Behaviour[] = [behave.json(200, [{ id: 1 }])];
  #server: Server | undefined;
  #port = 0;
  readonly #sockets = new Set<Socket>();

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get openSockets(): number {
    return this.#sockets.size;
  }

  /** Requests to everything but the health probe and Auth. */
  get calls(): Seen[] {
    return this.seen.filter(({ path }) => !path.endsWith('/rpc/schema_version') && !isSignIn(path));
  }

  /** Sign-ins and refreshes. */
  get signIns(): Seen[] {
    return this.seen.filter(({ path }) => isSignIn(path));
  }

  async start(): Promise<this> {
    const server = createServer((request, response) => void this.#answer(request, response));
    server.on('connection', (socket: Socket) => {
      // Accepted by the kernel just before the port was closed.
      if (this.#server !== server) socket.destroy();
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.#port, '127.0.0.1', resolve);
    });
    this.#port = (server.address() as AddressInfo).port;
    return this;
  }

  /** As a crash would: sockets are cut, the port is closed. */
  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    for (const socket of this.#sockets) socket.destroy();
    if (server !== undefined) await new Promise((resolve) => server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = '';
    try {
      for await (const chunk of request) body += chunk;
    } catch {
      return; // The client hung up while it was sending.
    }
    const { method = '', url: path = '', headers, socket } = request;
    const seen = { method, path, headers, body, port: socket.remotePort };
    this.seen.push(seen);
    if (seen.path.endsWith('/rpc/schema_version')) return this.health(response, seen);
    if (isSignIn(path)) return this.auth(response, seen);
    const behaviour = this.script.length > 1 ? this.script.shift() : this.script[0];
    behaviour?.(response, seen);
  }
}

function isSignIn(path: string): boolean {
  return path.startsWith('/auth/v1/token');
}
