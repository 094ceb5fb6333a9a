import { createAccessPolicy } from '@casare/execution';
import { describe, expect, test } from 'vitest';
import { guardedConnector } from '../src/net/guarded-connect.ts';
import type { JsonObject } from '../src/ports.ts';
import { accessScope } from './context.ts';
import { askWith, echo } from './http-bench.ts';
import { closedPort, serve } from './http-server.ts';

const closed = accessScope(createAccessPolicy());
const openFor = (...allowNet: string[]) => accessScope(createAccessPolicy({ allowNet }));

/** The node's request under these permissions, as its error's code or "answered". */
async function outcome(config: JsonObject, access = closed): Promise<string> {
  return askWith(config, { access }).then(
    () => 'answered',
    (error: { code?: string }) => error.code ?? String(error),
  );
}

describe('HttpRequestNode', () => {
  test.each([
    '127.0.0.1',
    'localhost',
    '[::ffff:127.0.0.1]',
    '2130706433',
    '0x7f.1',
    '127.1',
    '0.0.0.0',
    'x.localhost',
  ])('does not reach the loopback as %s', async (host) => {
    const server = await serve(echo);
    const { port } = new URL(server.url);
    expect(await outcome({ url: `http://${host}:${port}/` })).toBe('PERMISSION_DENIED');
    expect(server.seen).toEqual([]);
  });

  test('reaches what is allowed, and no other port of it', async () => {
    const [server, other] = [await serve(echo), await serve(echo)];
    const access = openFor(new URL(server.url).host);
    expect(await outcome({ url: server.url }, access)).toBe('answered');
    expect(await outcome({ url: other.url }, access)).toBe('PERMISSION_DENIED');
    expect(other.seen).toEqual([]);
  });

  test('does not follow a redirect to a forbidden address', async () => {
    const inner = await serve(echo);
    const outer = await serve((_seen, response) => response.writeHead(302, { location: `${inner.url}/secret` }).end());
    expect(await outcome({ url: outer.url }, openFor(new URL(outer.url).host))).toBe('PERMISSION_DENIED');
    expect(outer.seen).toHaveLength(1);
    expect(inner.seen).toEqual([]);
  });

  test('does not reach a forbidden address through a proxy, nor a forbidden proxy', async () => {
    const proxy = await serve(echo);
    const allowed = openFor(new URL(proxy.url).host);
    expect(await outcome({ url: 'http://169.254.169.254/latest/', proxy: proxy.url }, allowed)).toBe(
      'PERMISSION_DENIED',
    );
    expect(await outcome({ url: 'http://localhost/', proxy: proxy.url }, allowed)).toBe('PERMISSION_DENIED');
    expect(await outcome({ url: 'http://192.0.2.1/', proxy: proxy.url })).toBe('PERMISSION_DENIED');
    expect(proxy.seen).toEqual([]);
    expect(await outcome({ url: 'http://192.0.2.1/', proxy: proxy.url }, allowed)).toBe('answered');
  });
});

describe('a name', () => {
  type Lookup = NonNullable<Parameters<typeof guardedConnector>[2]>;
  const resolvingTo = (...answers: string[][]): Lookup =>
    ((_host: string, _options: unknown, done: (error: null, found: unknown) => void) => {
      const addresses = answers.length > 1 ? answers.shift() : answers[0];
      done(
        null,
        (addresses ?? []).map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
      );
    }) as unknown as Lookup;

  const connect = (lookup: Lookup, port: number, access = closed): Promise<string> =>
    new Promise((resolve) => {
      const connector = guardedConnector(access, { timeout: 2_000 }, lookup);
      const target = { hostname: 'innocent.example', host: 'innocent.example', protocol: 'http:', port: String(port) };
      connector(target as Parameters<typeof connector>[0], (error, socket) => {
        socket?.destroy();
        resolve(error === null ? 'connected' : ((error as { code?: string }).code ?? String(error)));
      });
    });

  test('that resolves to the loopback is refused before anything is sent', async () => {
    const server = await serve(echo);
    const port = Number(new URL(server.url).port);
    expect(await connect(resolvingTo(['127.0.0.1']), port)).toBe('PERMISSION_DENIED');
    expect(await connect(resolvingTo(['192.0.2.1', '127.0.0.1']), port)).toBe('PERMISSION_DENIED');
    expect(await connect(resolvingTo(['::ffff:127.0.0.1']), port)).toBe('PERMISSION_DENIED');
  });

  test('that answers otherwise at the second look-up is connected where it was checked', async () => {
    const port = await closedPort();
    let asked = 0;
    const counting: Lookup = ((host: string, options: object, done: never) => {
      asked += 1;
      return (resolvingTo(['127.0.0.1']) as (...args: unknown[]) => void)(host, options, done);
    }) as unknown as Lookup;
    expect(await connect(counting, port, openFor('innocent.example'))).toBe('ECONNREFUSED');
    expect(asked).toBe(1);
  });

  test('is free to resolve as the operator allows', async () => {
    const server = await serve(echo);
    const port = Number(new URL(server.url).port);
    expect(await connect(resolvingTo(['127.0.0.1']), port, openFor('127.0.0.1'))).toBe('connected');
  });
});
