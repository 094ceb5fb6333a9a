/** A stretch of network that can be cut: connections to it break, and new ones are refused until it is mended. */
import { connect, createServer, type Server, type Socket } from 'node:net';

export interface Forwarder {
  /** Where the target is reached through it. */
  readonly url: string;
  /** The requests that came by, oldest first. */
  readonly requests: readonly ForwardedRequest[];
  cut(): Promise<void>;
  mend(): Promise<void>;
}

export interface ForwardedRequest {
  /** The last part of its path: a function's name. */
  readonly name: string;
  /** `performance.now()` when it came by. */
  readonly at: number;
}

export async function startForwarder(target: string): Promise<Forwarder> {
  const { hostname, port: targetPort } = new URL(target);
  const open = new Set<Socket>();
  const requests: ForwardedRequest[] = [];
  let server: Server | null = null;
  let port = 0;
  const keep = (socket: Socket): void => {
    open.add(socket);
    socket.on('error', () => undefined).on('close', () => open.delete(socket));
  };
  const mend = async (): Promise<void> => {
    server = createServer((near) => {
      const far = connect(Number(targetPort), hostname);
      keep(near);
      keep(far);
      near.on('data', (chunk: Buffer) => {
        const [, name] = /^[A-Z]+ \S*\/(\w+)\S* HTTP/.exec(chunk.toString('latin1')) ?? [];
        if (name !== undefined) requests.push({ name, at: performance.now() });
      });
      near.pipe(far).pipe(near);
    });
    await new Promise<void>((resolve) => server?.listen(port, '127.0.0.1', resolve));
    port = (server.address() as { port: number }).port;
  };
  await mend();
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    mend,
    cut: async () => {
      const closed = new Promise<void>((resolve) => server?.close(() => resolve()));
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
}
