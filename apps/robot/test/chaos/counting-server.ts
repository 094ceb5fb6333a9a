/**
 * A server that counts. Every request is an effect with the name of its node and turn in its path; it can hold a reply
 * back for ever. What it has in its log is what has happened, whatever the robot says.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Effect {
  readonly node: string;
  /** 0 outside of loops. */
  readonly turn: number;
  readonly method: string;
  readonly key: string | null;
  /** `performance.now()` when it arrived. */
  readonly at: number;
}

export interface CountingServer {
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  readonly effects: readonly Effect[];
  of(prefix: string): readonly Effect[];
  /** The request of this node behind `passes` others is counted, and answered when and if `reply` is called. */
  hold(node: string, passes: number, onHeld: (reply: (body: string) => void) => void): void;
  /** Whether a job, by its tag, is told that there is more to do when it asks at `/more/<tag>/<bytes of padding>`. */
  hasMore: (tag: string) => boolean;
  /** Called for every effect, once it is counted. */
  onEffect: (effect: Effect) => void;
  close(): Promise<void>;
}

export async function startCountingServer(): Promise<CountingServer> {
  const effects: Effect[] = [];
  const holds = new Map<string, { passes: number; readonly onHeld: (reply: (body: string) => void) => void }>();
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    const [, node = '', turn = '0', bytes = '0'] = (request.url ?? '').split('/');
    if (node === 'more') {
      response.end(JSON.stringify({ more: server.hasMore(turn), padding: 'x'.repeat(Number(bytes)) }));
      return;
    }
    const key = String(request.headers['idempotency-key'] ?? '') || null;
    if (request.method === 'OPTIONS') {
      response.end(effects.some((effect) => effect.key === key) ? 'done' : 'not done');
      return;
    }
    const effect = { node, turn: Number(turn), method: request.method ?? '', key, at: performance.now() };
    effects.push(effect);
    server.onEffect(effect);
    const hold = holds.get(node);
    if (hold !== undefined && hold.passes === 0) {
      holds.delete(node);
      hold.onHeld((body) => response.end(body));
      return;
    }
    if (hold !== undefined) hold.passes -= 1;
    response.end('{}');
  };
  const http = createServer((request, response) => {
    request.resume().once('end', () => answer(request, response));
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const server: CountingServer = {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    effects,
    of: (prefix) => effects.filter(({ node }) => node.startsWith(prefix)),
    hold: (node, passes, onHeld) => void holds.set(node, { passes, onHeld }),
    hasMore: () => false,
    onEffect: () => undefined,
    close: async () => {
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
  return server;
}
