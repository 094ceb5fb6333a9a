/** Networks, certificates and bytes that go wrong below HTTP: no hang, no false success, and back when they are well. */

import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, createServer } from 'node:net';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { gzipSync } from 'node:zlib';
import { eventually } from '@casare/testing';
import { generate } from 'selfsigned';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { ConnectionError, ConnectionManager } from '../src/index.ts';
import { type FaultProxy, proxyTo } from './fault-proxy.ts';
import { type Behaviour, behave } from './hostile-server.ts';
import { connected, manage, rejection, startServer } from './set-up.ts';

const DEADLINE_MS = 400;
const once = (manager: ConnectionManager) =>
  rejection<ConnectionError>(manager.rpc('complete_job', {}, { maxAttempts: 1 }));

describe('a network that breaks under a connection', () => {
  it.each([
    {
      name: 'a black hole after the connection was made',
      harm: async (proxy: FaultProxy) => {
        proxy.mode = 'blackhole';
      },
      heal: async (proxy: FaultProxy) => {
        proxy.mode = 'pass';
      },
      expected: { class: 'A', code: 'TIMEOUT', ambiguous: true },
    },
    {
      name: 'every connection reset, and nobody there',
      harm: async (proxy: FaultProxy) => {
        proxy.reset();
        await proxy.stop();
      },
      heal: (proxy: FaultProxy) => proxy.start(),
      expected: { class: 'S', code: 'ECONNREFUSED', ambiguous: false },
    },
  ])('$name: the call ends by its deadline, the loss is noticed, the return, too', async ({ harm, heal, expected }) => {
    const server = await startServer();
    const proxy = await proxyTo(server);
    const { manager, events } = manage(proxy, { config: { healthProbeTimeoutMs: DEADLINE_MS } });
    await manager.connect();
    await harm(proxy);
    const started = performance.now();
    const failures = await Promise.all([once(manager), once(manager), once(manager)]);
    expect(performance.now() - started).toBeLessThan(DEADLINE_MS * 10);
    expect(failures[0]).toMatchObject(expected);
    await eventually('the loss is noticed', () => manager.getStatus().state === 'RECONNECTING');
    expect(await rejection(manager.rpc('x', {}, { whenDisconnected: 'fail' }))).toMatchObject({
      code: 'NOT_CONNECTED',
    });
    const waiting = manager.rpc('x', {}, { timeoutMs: 20_000 });
    await heal(proxy);
    expect(await waiting).toEqual([{ id: 1 }]);
    expect(events.slice(2)).toEqual(['CONNECTED>RECONNECTING', 'RECONNECTING>CONNECTED']);
    expect(manager.getStatus()).toMatchObject({ state: 'CONNECTED', consecutiveFailures: 0, nextAttemptInMs: null });
  });

  it('a black hole under an idle connection is noticed although nobody calls', async () => {
    const server = await startServer();
    const proxy = await proxyTo(server);
    const { manager } = manage(proxy, { config: { healthProbeTimeoutMs: DEADLINE_MS, idleProbeIntervalMs: 50 } });
    await manager.connect();
    proxy.mode = 'blackhole';
    await eventually('the loss is noticed', () => manager.getStatus().state === 'RECONNECTING');
    proxy.mode = 'pass';
    await eventually('the return is noticed', () => manager.isConnected);
  });

  it('leaves no socket in a black hole after disconnect', async () => {
    const server = await startServer();
    const proxy = await proxyTo(server);
    const { manager } = manage(proxy, { config: { connectionTimeoutMs: 60_000 } });
    await manager.connect();
    proxy.mode = 'blackhole';
    const call = rejection(manager.rpc('x'));
    await manager.disconnect();
    expect(await call).toMatchObject({ class: 'C', code: 'DISCONNECTED' });
    await eventually('the server sees no socket', () => server.openSockets === 0);
  });

  it('a server that accepts and never says a word is not waited for beyond the deadline', async () => {
    const server = createServer(() => undefined);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const { manager } = manage({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
    const connecting = rejection(manager.connect());
    await eventually('attempts fail', () => manager.getStatus().lastError?.code === 'TIMEOUT');
    expect(manager.getStatus()).toMatchObject({ state: 'CONNECTING', lastError: { class: 'A' } });
    expect(await rejection(manager.rpc('x', {}, { timeoutMs: 200 }))).toMatchObject({ class: 'S', ambiguous: false });
    await manager.disconnect();
    expect(await connecting).toMatchObject({ class: 'C' });
  });
});

describe('bytes that are no answer', () => {
  const raw =
    (bytes: string | Uint8Array): Behaviour =>
    (response) =>
      void response.socket?.end(bytes);
  const zipped = gzipSync(Buffer.alloc(4 * 1024 * 1024));
  const gzip =
    (body: Uint8Array): Behaviour =>
    (response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' });
      response.end(body);
    };

  it.each([
    ['something that is no HTTP', raw('SSH-2.0-OpenSSH_9.6\r\n'), { class: 'A', ambiguous: true }],
    ['a connection that is closed without a word', raw(''), { class: 'A', ambiguous: true }],
    ['headers that never end', raw('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n'), { class: 'A' }],
    [
      'headers without measure',
      raw(`HTTP/1.1 200 OK\r\nx: ${'y'.repeat(100_000)}\r\n\r\n`),
      { class: 'P', ambiguous: true },
    ],
    [
      'a body that is shorter than announced',
      raw('HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\n[1'),
      { class: 'A', ambiguous: true },
    ],
    ['JSON that breaks off', behave.brokenJson('[{"id":'), { class: 'A', ambiguous: true }],
    ['a body that cannot be unpacked', gzip(Buffer.from('not zipped at all')), { class: 'A', ambiguous: true }],
    ['a small body that unpacks to a huge one', gzip(zipped), { class: 'P', code: 'RESPONSE_TOO_LARGE' }],
  ])('%s', async (_name, behaviour, expected) => {
    const { server, manager } = await connected({ config: { maxResponseBytes: 1024 * 1024 } });
    server.script = [behaviour];
    expect(await once(manager)).toMatchObject(expected);
    expect(server.calls).toHaveLength(1);
    server.script = [behave.json(200, 'well')];
    expect(await manager.rpc('x')).toBe('well');
    expect(manager.isConnected).toBe(true);
  });
});

describe('a certificate', () => {
  /** A server whose certificate is trusted, but for the time it names. */
  async function tlsServer(from: number, to: number, trusted = true): Promise<{ url: string }> {
    const { private: key, cert } = await generate([{ name: 'commonName', value: '127.0.0.1' }], {
      notBeforeDate: new Date(from),
      notAfterDate: new Date(to),
      extensions: [
        { name: 'basicConstraints', cA: true },
        { name: 'subjectAltName', altNames: [{ type: 7, ip: '127.0.0.1' }] },
      ],
    });
    if (trusted) {
      const before = getCACertificates('default');
      setDefaultCACertificates([...before, cert]);
      onTestFinished(() => setDefaultCACertificates(before));
    }
    const server = createTlsServer({ key, cert }, (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end('1');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    return { url: `https://127.0.0.1:${(server.address() as AddressInfo).port}` };
  }

  const DAY = 86_400_000;
  const day = (n: number): number => Date.now() + n * DAY;

  it('that is good is accepted', async () => {
    const { manager } = manage(await tlsServer(day(-1), day(1)));
    await manager.connect();
    expect(await manager.rpc('x')).toBe(1);
  });

  it.each([
    [
      'that has expired',
      [-2, -1],
      true,
      { class: 'O', code: 'CERT_HAS_EXPIRED', remedy: expect.stringMatching(/clock/) },
    ],
    [
      'that is not valid yet',
      [1, 2],
      true,
      { class: 'O', code: 'CERT_NOT_YET_VALID', remedy: expect.stringMatching(/clock/) },
    ],
    ['that nobody vouches for', [-1, 1], false, { class: 'P' }],
  ] as const)('%s ends connect at once, loudly, with nothing left', async (_name, [from, to], trusted, expected) => {
    const { manager, log } = manage(await tlsServer(day(from), day(to), trusted));
    expect(await rejection(manager.connect())).toMatchObject(expected);
    expect(manager.getStatus()).toMatchObject({ state: 'DISCONNECTED', nextAttemptInMs: null });
    expect(log.filter(({ level }) => level === 'error')).toHaveLength(1);
  });
});

describe('supabase-js', () => {
  it.each([
    ['a connection that is reset', behave.resetAtOnce],
    ['a 503', behave.json(503, { message: 'x' })],
    ['a 520', behave.empty(520)],
    ['a 429 with a date', behave.json(429, {}, { 'retry-after': new Date(0).toUTCString() })],
  ])('does not repeat a read behind our back after %s', async (_name, behaviour) => {
    const { server, manager } = await connected();
    server.script = [behaviour];
    await rejection(manager.execute((client) => client.from('jobs').select(), { maxAttempts: 1 }));
    await rejection(manager.execute((client) => client.from('jobs').select('*', { head: true }), { maxAttempts: 1 }));
    expect(server.calls.map(({ method }) => method)).toEqual(['GET', 'HEAD']);
  });
});
