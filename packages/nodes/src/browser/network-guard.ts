/**
 * The browser's way out, held to the operator's network permissions: a SOCKS5 server on the loopback that every
 * connection of the browser goes through. It resolves names itself and connects to the address that it has checked, so
 * redirects, pages, frames, scripts and web sockets are all covered, and a name cannot change its address in between.
 *
 * Sources: RFC 1928 (SOCKS protocol version 5). UDP is not offered: QUIC is off, and WebRTC is told not to go around.
 */
import { connect, createServer, type Server, type Socket } from 'node:net';
import { guardedLookup } from '../net/guarded-lookup.ts';
import type { NodeContext } from '../ports.ts';

type Access = Pick<NodeContext['access'], 'refusalOfNetwork'>;

/** Failures are remembered for the navigation that they end; older ones are dropped (I7). */
const MOST_FAILURES = 200;

const REPLY = {
  succeeded: 0,
  failed: 1,
  notAllowed: 2,
  hostUnreachable: 4,
  refused: 5,
  commandUnsupported: 7,
} as const;

export class NetworkGuard {
  readonly #server: Server;
  readonly #access: Access;
  readonly #onRefusal: (refusal: Error) => void;
  readonly #sockets = new Set<Socket>();
  readonly #failures = new Map<string, Error>();

  private constructor(access: Access, onRefusal: (refusal: Error) => void) {
    this.#access = access;
    this.#onRefusal = onRefusal;
    this.#server = createServer((socket) => this.#serve(socket));
  }

  /** @param onRefusal called for each connection that was refused */
  static async start(access: Access, onRefusal: (refusal: Error) => void): Promise<NetworkGuard> {
    const guard = new NetworkGuard(access, onRefusal);
    await new Promise<void>((resolve, reject) => {
      guard.#server.once('error', reject).listen(0, '127.0.0.1', resolve);
    });
    guard.#server.unref();
    return guard;
  }

  /** As Playwright's `proxy.server`. */
  get address(): string {
    const address = this.#server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    return `socks5://127.0.0.1:${port}`;
  }

  /** Why the newest connection to this URL's host failed; undefined when it did not. */
  failureOf(url: URL): Error | undefined {
    return this.#failures.get(placeOf(url.hostname, portOf(url)));
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    socket.on('error', () => socket.destroy());
  }

  #serve(socket: Socket): void {
    this.#keep(socket);
    let received: Buffer = Buffer.alloc(0);
    let isGreeted = false;
    const onData = (chunk: Buffer): void => {
      received = Buffer.concat([received, chunk]);
      if (!isGreeted) {
        const length = 2 + (received[1] ?? 0);
        if (received.length < 2 || received.length < length) return;
        if (received[0] !== 5) return void socket.destroy();
        isGreeted = true;
        received = received.subarray(length);
        socket.write(Buffer.from([5, 0]));
      }
      const request = readRequest(received);
      if (request === 'incomplete') return;
      socket.off('data', onData);
      socket.pause();
      if (request === 'invalid') return void socket.end(reply(REPLY.commandUnsupported));
      this.#open(socket, request, received.subarray(request.length));
    };
    socket.on('data', onData);
  }

  #open(client: Socket, { host, port }: Request, early: Buffer): void {
    const place = placeOf(host, port);
    const fail = (error: Error, code: number): void => {
      this.#remember(place, error);
      client.end(reply(code));
    };
    const refusal = this.#access.refusalOfNetwork({ host, port });
    if (refusal !== null) {
      this.#onRefusal(refusal);
      fail(refusal, REPLY.notAllowed);
      return;
    }
    const server = connect({ host, port, lookup: guardedLookup(this.#checking, port), autoSelectFamily: true });
    this.#keep(server);
    const onFailure = (error: NodeJS.ErrnoException): void => {
      if (error.code === 'PERMISSION_DENIED') this.#onRefusal(error);
      fail(error, replyTo(error));
    };
    server.once('error', onFailure);
    server.once('connect', () => {
      server.off('error', onFailure);
      this.#failures.delete(place);
      client.write(reply(REPLY.succeeded));
      if (early.length > 0) server.write(early);
      client.pipe(server);
      server.pipe(client);
      client.once('close', () => server.destroy());
      server.once('close', () => client.destroy());
    });
    client.once('close', () => server.destroy());
  }

  /** What a page tries is not the doing of the node that happens to run. */
  get #checking(): Pick<NodeContext['access'], 'isNetworkOpen' | 'requireNetwork'> {
    return {
      isNetworkOpen: false,
      requireNetwork: (target) => {
        const refusal = this.#access.refusalOfNetwork(target);
        if (refusal !== null) throw refusal;
      },
    };
  }

  #remember(place: string, error: Error): void {
    this.#failures.delete(place);
    this.#failures.set(place, error);
    const [oldest] = this.#failures.keys();
    if (this.#failures.size > MOST_FAILURES && oldest !== undefined) this.#failures.delete(oldest);
  }
}

interface Request {
  readonly host: string;
  readonly port: number;
  /** Of the whole message, in bytes. */
  readonly length: number;
}

/** `VER CMD RSV ATYP address port`; only CONNECT is served. */
function readRequest(bytes: Buffer): Request | 'incomplete' | 'invalid' {
  if (bytes.length < 5) return 'incomplete';
  const [version, command, , kind] = bytes;
  if (version !== 5 || command !== 1) return 'invalid';
  const nameLength = bytes[4] ?? 0;
  const size = kind === 1 ? 4 : kind === 4 ? 16 : kind === 3 ? 1 + nameLength : 0;
  if (size === 0) return 'invalid';
  const length = 4 + size + 2;
  if (bytes.length < length) return 'incomplete';
  const address = bytes.subarray(4, 4 + size);
  return { host: hostIn(kind ?? 0, address), port: bytes.readUInt16BE(4 + size), length };
}

function hostIn(kind: number, address: Buffer): string {
  if (kind === 3) return address.subarray(1).toString('latin1');
  if (kind === 1) return address.join('.');
  return Array.from({ length: 8 }, (_, group) => address.readUInt16BE(group * 2).toString(16)).join(':');
}

function reply(code: number): Buffer {
  return Buffer.from([5, code, 0, 1, 0, 0, 0, 0, 0, 0]);
}

function replyTo(error: NodeJS.ErrnoException): number {
  if (error.code === 'PERMISSION_DENIED') return REPLY.notAllowed;
  return error.code === 'ECONNREFUSED' ? REPLY.refused : REPLY.hostUnreachable;
}

function placeOf(host: string, port: number): string {
  return `${host.replace(/^\[|\]$/g, '').toLowerCase()}:${port}`;
}

function portOf(url: URL): number {
  if (url.port !== '') return Number(url.port);
  return url.protocol === 'https:' || url.protocol === 'wss:' ? 443 : 80;
}
