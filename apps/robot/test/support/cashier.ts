/** A server whose every answer is an effect that nobody can look at afterwards. */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import type { NodeSpec } from './workflows.ts';

/** Counts the payments of each path; answers none, or all of them from `isOpen` on. */
export async function cashier() {
  const received = new Map<string, number>();
  const held: ServerResponse[] = [];
  const state = { isOpen: false };
  const cash = createServer((request, response) => {
    const path = request.url ?? '';
    received.set(path, (received.get(path) ?? 0) + 1);
    if (state.isOpen) response.end('{}');
    else held.push(response);
  });
  await new Promise<void>((resolve) => cash.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    cash.closeAllConnections();
    cash.close();
  });
  const { port } = cash.address() as AddressInfo;
  const pay = (id: string): NodeSpec => ({
    id,
    type: 'HttpRequestNode',
    config: { url: `http://127.0.0.1:${port}/${id}`, method: 'POST', body: '{"amount": 1}', timeout: 60 },
  });
  return { state, pay, paid: (id: string): number => received.get(`/${id}`) ?? 0 };
}
