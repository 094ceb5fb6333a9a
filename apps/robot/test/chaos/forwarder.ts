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
  /** Null until then; a status of 0: the target hung up. */
  answer: { readonly status: number; readonly at: number } | null;
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
      let asked: ForwardedRequest | undefined;
      const answered = (status: number): void => {
        if (asked !== undefined) asked.answer = { status, at: performance.now() };
        asked = undefined;
      };
      far.on('data', (chunk: Buffer) => answered(Number(/^HTTP\S* (\d+)/.exec(chunk.toString('latin1'))?.[1] ?? 0)));
      far.on('close', () => answered(0));
      near.on('data', (chunk: Buffer) => {
        const [, name] = /^[A-Z]+ \S*\/(\w+)\S* HTTP/.exec(chunk.toString('latin1')) ?? [];
        if (name === undefined) return;
        asked = { name, at: performance.now(), answer: null };
        requests.push(asked);
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
