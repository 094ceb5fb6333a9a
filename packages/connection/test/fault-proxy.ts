/** A TCP proxy that lets through, swallows silently, cuts or refuses: what a network does, as opposed to a server. */
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

export class FaultProxy {
  /** `blackhole`: whatever arrives is swallowed, connections stay open; new ones are accepted and stay silent. */
  mode: 'pass' | 'blackhole' = 'pass';
  readonly #target: number;
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  #port = 0;
  accepted = 0;

  constructor(targetUrl: string) {
    this.#target = Number(new URL(targetUrl).port);
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  async start(): Promise<this> {
    const server = createServer((client) => this.#serve(client));
    this.#server = server;
    await new Promise<void>((resolve) => server.listen(this.#port, '127.0.0.1', resolve));
    this.#port = (server.address() as AddressInfo).port;
    return this;
  }

  /** Resets every connection. */
  reset(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  /** Nobody listens any more. */
  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    for (const socket of this.#sockets) socket.destroy();
    if (server !== undefined) await new Promise((resolve) => server.close(resolve));
  }

  #serve(client: Socket): void {
    this.accepted += 1;
    const upstream = connect(this.#target, '127.0.0.1');
    this.#join(client, upstream);
    this.#join(upstream, client);
  }

  #join(from: Socket, to: Socket): void {
    this.#sockets.add(from);
    from.on('data', (data) => {
      if (this.mode === 'pass') to.write(data);
    });
    from.on('error', () => from.destroy());
    from.on('close', () => {
      this.#sockets.delete(from);
      to.destroy();
    });
  }
}

/** A proxy before a server; gone when the test ends. */
export async function proxyTo(server: { readonly url: string }): Promise<FaultProxy> {
  const proxy = await new FaultProxy(server.url).start();
  onTestFinished(() => proxy.stop());
  return proxy;
}
