/** Whatever a server answers: no hang past the deadline, no false success, the right class, the right state after. */
import { eventually } from '@casare/testing';
import { describe, expect, it, test } from 'vitest';
import { ConnectionError, type ConnectionManager } from '../src/index.ts';
import { type Behaviour, behave } from './hostile-server.ts';
import { connected, manage, rejection, startServer } from './set-up.ts';

const write = (manager: ConnectionManager) =>
  manager.execute((client) => client.from('jobs').update({ status: 'running' }).eq('id', 1).select(), {
    maxAttempts: 1,
  });

const rows: [string, Behaviour, object][] = [
  ['an empty 404', behave.empty(404), { class: 'P', code: 'HTTP_404', status: 404 }],
  ['a 404 with an empty list', behave.json(404, []), { class: 'P', code: 'HTTP_404', status: 404 }],
  [
    'a 404 that names a missing function',
    behave.json(404, { code: 'PGRST202', message: 'no function' }),
    { class: 'P', code: 'PGRST202' },
  ],
  ['a web page instead of JSON', behave.html(200), { class: 'A', code: 'NOT_JSON', ambiguous: true }],
  ['a web page with a 502', behave.html(502), { class: 'A', code: 'HTTP_502', ambiguous: true }],
  ['a 204', behave.empty(204), { class: 'P', code: 'UNCONFIRMED_WRITE', ambiguous: true }],
  ['a 200 with nothing in it', behave.empty(200), { class: 'P', code: 'UNCONFIRMED_WRITE', ambiguous: true }],
  ['a list without a row', behave.json(200, []), { class: 'P', code: 'NO_ROW_WRITTEN', ambiguous: false }],
  ['a 500', behave.json(500, { message: 'oops' }), { class: 'A', code: 'HTTP_500', ambiguous: true }],
  ['a 500 with an SQLSTATE', behave.json(500, { code: '53100', message: 'disk full' }), { class: 'O', code: '53100' }],
  ['a 401', behave.json(401, { message: 'Invalid API key' }), { class: 'U', code: 'HTTP_401' }],
  ['a 403', behave.json(403, { code: '42501', message: 'denied' }), { class: 'P', code: '42501' }],
  ['a redirect', behave.redirect, { class: 'P', code: 'HTTP_301' }],
  ['a reset in the middle of the body', behave.resetMidBody, { class: 'A', code: 'ECONNRESET', ambiguous: true }],
  ['a reset before the headers', behave.resetAtOnce, { class: 'A', ambiguous: true }],
  ['a body that stalls', behave.stalledBody, { class: 'A', code: 'TIMEOUT', ambiguous: true }],
  ['a body that drips for ever', behave.slowDrip, { class: 'A', code: 'TIMEOUT', ambiguous: true }],
  ['no answer at all', behave.mute, { class: 'A', code: 'TIMEOUT', ambiguous: true }],
  [
    '429 with seconds',
    behave.json(429, {}, { 'retry-after': '7' }),
    { class: 'T', code: 'HTTP_429', retryAfterMs: 7000 },
  ],
  [
    '429 with a date',
    behave.json(429, {}, { 'retry-after': 'Thu, 01 Jan 2026 00:00:09 GMT', date: 'Thu, 01 Jan 2026 00:00:00 GMT' }),
    { class: 'T', code: 'HTTP_429', retryAfterMs: 9000 },
  ],
];

describe('a write', () => {
  test.each(rows)('that gets %s', async (_name, behaviour, expected) => {
    const { server, manager } = await connected();
    server.script = [behaviour];
    const started = performance.now();
    const error = await rejection(write(manager));
    expect(error).toBeInstanceOf(ConnectionError);
    expect(error).toMatchObject(expected);
    expect(performance.now() - started).toBeLessThan(2000);
    expect(server.calls).toHaveLength(1);
    // The health probe still succeeds: one bad answer is not a lost connection.
    expect(manager.getStatus()).toMatchObject({ state: 'CONNECTED', lastError: { code: error.code } });
  });

  it('that nobody listens to is refused, keeping the cause', async () => {
    const { server, manager } = await connected({ config: { healthProbeIntervalMs: null } });
    await server.stop();
    const error = await rejection<ConnectionError>(write(manager));
    expect(error).toMatchObject({ class: 'S', code: 'ECONNREFUSED', ambiguous: false });
    expect(error.message).toMatch(/fetch failed: connect ECONNREFUSED/);
    expect(error.cause).toMatchObject({ cause: { code: 'ECONNREFUSED' } });
    await eventually('the loss is noticed', () => manager.getStatus().state === 'RECONNECTING');
  });

  it('that is confirmed by its row succeeds', async () => {
    const { manager } = await connected();
    expect(await write(manager)).toEqual([{ id: 1 }]);
  });

  it('may go without confirmation where the caller says so', async () => {
    const { server, manager } = await connected();
    server.script = [behave.empty(204), behave.json(200, [])];
    const update = () => manager.execute((client) => client.from('jobs').delete().eq('id', 1), { acceptEmpty: true });
    expect(await update()).toBeNull();
    expect(await update()).toEqual([]);
  });
});

describe('an operation', () => {
  it('that hides a failure behind an answer of its own fails all the same', async () => {
    const { server, manager } = await connected();
    server.script = [behave.json(400, { code: '22P02', message: 'bad' })];
    const hiding = manager.execute(async (client) => {
      const { data } = await client.from('jobs').insert({ id: 1 }).select();
      return { data, error: null, status: 200 };
    });
    expect(await rejection(hiding)).toMatchObject({ class: 'P', code: '22P02' });
  });

  it('that throws what cannot be read fails with its own error, judged by what can be', async () => {
    const { manager } = await connected();
    const refuse = () => {
      throw new Error('unreadable');
    };
    const odd = Object.defineProperty(Object.assign(new Error('odd'), { code: 'ECONNREFUSED' }), 'cause', {
      get: refuse,
    });
    const call = manager.execute(() => Promise.reject(odd), { maxAttempts: 1 });
    expect(await rejection(call)).toMatchObject({ class: 'S', code: 'ECONNREFUSED', message: 'odd' });
  });
});

describe('a status that does not exist', () => {
  it.each([600, 999])('such as %s leaves a write in doubt', async (status) => {
    const { server, manager } = await connected();
    server.script = [(response) => response.writeHead(status).end('[{"id":1}]')];
    expect(await rejection(write(manager))).toMatchObject({ class: 'A', code: `HTTP_${status}`, ambiguous: true });
  });
});

describe('a read', () => {
  const read = (manager: ConnectionManager, more = {}) =>
    manager.execute((client) => client.from('jobs').select(), { maxAttempts: 1, ...more });

  test.each([
    ['an empty 404', behave.empty(404), 'HTTP_404'],
    ['a 404 with an empty list', behave.json(404, []), 'HTTP_404'],
    ['a 200 with nothing in it', behave.empty(200), 'NOT_JSON'],
    ['a web page', behave.html(200), 'NOT_JSON'],
    ['a body that stalls', behave.stalledBody, 'TIMEOUT'],
  ])('that gets %s fails', async (_name, behaviour, code) => {
    const { server, manager } = await connected();
    server.script = [behaviour];
    expect(await rejection(read(manager))).toMatchObject({ code });
  });

  it('may find nothing', async () => {
    const { server, manager } = await connected();
    server.script = [behave.json(200, [])];
    expect(await read(manager)).toEqual([]);
  });

  it('is not repeated by supabase-js behind our back', async () => {
    const { server, manager } = await connected();
    server.script = [behave.json(503, { message: 'x' })];
    await rejection(read(manager));
    expect(server.calls).toHaveLength(1);
  });

  it('is cut off when the answer is too long', async () => {
    const { server, manager } = await connected({ config: { maxResponseBytes: 1000 } });
    server.script = [behave.json(200, ['x'.repeat(2000)])];
    expect(await rejection(read(manager))).toMatchObject({ class: 'P', code: 'RESPONSE_TOO_LARGE' });
  });

  it('is repeated when it is idempotent, and waits as long as the server asks', async () => {
    const { server, manager } = await connected({ retry: { maxDelayMs: 60_000 } });
    server.script = [behave.json(500, {}), behave.json(429, {}, { 'retry-after': '1' }), behave.json(200, [{ id: 2 }])];
    const started = performance.now();
    expect(await read(manager, { idempotent: true, maxAttempts: 3 })).toEqual([{ id: 2 }]);
    expect(performance.now() - started).toBeGreaterThan(990);
    expect(server.calls).toHaveLength(3);
  });
});

describe('an operation', () => {
  it('cannot hide a failure by returning something else', async () => {
    const { server, manager } = await connected();
    server.script = [behave.resetAtOnce, behave.json(500, { code: 'XX000', message: 'oops' }), behave.empty(404)];
    const careless = () =>
      manager.execute(async (client) => (await client.from('jobs').select()).data ?? 'nothing', { maxAttempts: 1 });
    expect(await rejection(careless())).toMatchObject({ class: 'A' });
    expect(await rejection(careless())).toMatchObject({ class: 'A', code: 'XX000' });
    expect(await rejection(careless())).toMatchObject({ class: 'P', code: 'HTTP_404' });
  });

  it('may fall back, and may find no row', async () => {
    const { server, manager } = await connected();
    server.script = [
      behave.json(500, {}),
      behave.json(200, [{ id: 3 }]),
      behave.json(406, { code: 'PGRST116', message: '0 rows' }),
    ];
    const withFallback = await manager.execute(async (client) => {
      const first = await client.from('new_jobs').select();
      return first.error === null ? first.data : (await client.from('jobs').select()).data;
    });
    expect(withFallback).toEqual([{ id: 3 }]);
    expect(await manager.execute(async (client) => (await client.from('jobs').select().single()).data)).toBeNull();
  });

  it('keeps its own errors as they are, and they do not count against the service', async () => {
    const { manager } = await connected();
    class NotEnough extends Error {}
    const own = new NotEnough('three are needed');
    expect(await rejection(manager.execute(() => Promise.reject(own)))).toBe(own);
    expect(manager.getStatus()).toMatchObject({ totalFailures: 0, breaker: { totals: { failures: 0, ignored: 1 } } });
  });

  it('is judged the same when it throws what supabase-js throws', async () => {
    const { server, manager } = await connected();
    server.script = [behave.json(503, { message: 'busy' }, { 'retry-after': '3' })];
    const error = await rejection(
      manager.execute((client) => client.from('jobs').select().throwOnError(), { maxAttempts: 1 }),
    );
    expect(error).toMatchObject({ class: 'T', code: 'HTTP_503', status: 503, retryAfterMs: 3000 });
  });

  it('ends at its deadline even if it never listens', async () => {
    const { manager } = await connected();
    const error = await rejection(manager.execute(() => new Promise(() => undefined), { timeoutMs: 50 }));
    expect(error).toMatchObject({ code: 'DEADLINE_EXCEEDED', class: 'S', ambiguous: false });
  });

  it('ends at once when its caller aborts, and says whether it may have been executed', async () => {
    const { server, manager } = await connected();
    server.script = [behave.mute];
    const caller = new AbortController();
    const call = rejection(manager.execute((client) => client.rpc('claim_jobs'), { signal: caller.signal }));
    await eventually('the request arrived', () => server.calls.length === 1);
    caller.abort(new Error('enough'));
    expect(await call).toMatchObject({ class: 'C', code: 'ABORTED', ambiguous: true, cause: { message: 'enough' } });
    expect(manager.getStatus()).toMatchObject({ totalFailures: 0, lastError: null });
    const before = rejection(manager.execute((client) => client.rpc('x'), { signal: caller.signal }));
    expect(await before).toMatchObject({ class: 'C', ambiguous: false });
  });

  it('cannot use the client when it is over', async () => {
    const { manager } = await connected();
    const client = await manager.execute(async (lent) => lent);
    const answer = await client.from('jobs').select();
    expect(answer.error?.message).toMatch(/only inside execute/);
  });
});

describe('the circuit breaker', () => {
  it('is fed by every call, and opens', async () => {
    const { server, manager } = await connected({ breaker: { failureThreshold: 3 } });
    server.script = [behave.json(500, {})];
    for (let n = 0; n < 3; n += 1) await rejection(write(manager));
    expect(await rejection(write(manager))).toMatchObject({ code: 'CIRCUIT_OPEN', class: 'S', ambiguous: false });
    expect(server.calls).toHaveLength(3);
    expect(manager.getStatus()).toMatchObject({ state: 'CONNECTED', breaker: { state: 'OPEN' } });
  });

  it('does not mind refusals and throttling', async () => {
    const { server, manager } = await connected({ breaker: { failureThreshold: 1 } });
    for (const behaviour of [behave.json(403, {}), behave.json(429, {}), behave.empty(404), behave.json(401, {})]) {
      server.script = [behaviour];
      await rejection(write(manager));
    }
    expect(manager.getStatus()).toMatchObject({
      isConnected: true,
      consecutiveFailures: 0,
      breaker: { state: 'CLOSED' },
    });
  });
});

describe('connect', () => {
  test.each([
    ['a missing right', behave.json(403, { code: '42501', message: 'denied' }), { class: 'P', code: '42501' }],
    ['a paused project', behave.json(540, { message: 'paused' }), { class: 'O', code: 'HTTP_540' }],
    ['something that is no Supabase', behave.empty(404), { class: 'P', code: 'HTTP_404' }],
  ])('fails loudly, with a remedy, on %s', async (_name, behaviour, expected) => {
    const server = await startServer();
    server.health = behaviour;
    const { manager, log } = manage(server);
    const error = await rejection<ConnectionError>(manager.connect());
    expect(error).toMatchObject(expected);
    expect(error.remedy).toBeTypeOf('string');
    expect(manager.getStatus()).toMatchObject({
      state: 'DISCONNECTED',
      lastError: { ...expected, remedy: error.remedy },
    });
    expect(log.filter(({ level }) => level === 'error')).toHaveLength(1);
  });

  it('gives a stale schema cache one more chance', async () => {
    const server = await startServer();
    const stale = behave.json(404, { code: 'PGRST202', message: 'no function' });
    server.health = (response, request) => {
      server.health = behave.ok;
      stale(response, request);
    };
    const { manager } = manage(server, {
      config: { initialDelayMs: 10, healthProbeIntervalMs: null, connectionTimeoutMs: 10_000 },
    });
    await manager.connect();
    expect(server.seen).toHaveLength(2);
  });

  it('goes on while the service is not there, and is back as soon as it is', async () => {
    const server = await startServer();
    await server.stop();
    const { manager, events } = manage(server, { config: { initialDelayMs: 300_000, jitter: false } });
    const both = Promise.all([manager.connect(), manager.connect()]);
    await eventually('a few looks failed', () => manager.getStatus().lastError?.code === 'ECONNREFUSED');
    expect(manager.getStatus()).toMatchObject({ state: 'CONNECTING' });
    await server.start();
    await both;
    expect(events).toEqual(['DISCONNECTED>CONNECTING', 'CONNECTING>CONNECTED']);
  });

  it('can be aborted, and nothing goes on behind its back', async () => {
    const server = await startServer();
    await server.stop();
    const { manager } = manage(server);
    const caller = new AbortController();
    const connecting = rejection(manager.connect(caller.signal));
    caller.abort();
    expect(await connecting).toMatchObject({ class: 'C', code: 'ABORTED' });
    expect(manager.getStatus().state).toBe('DISCONNECTED');
  });

  it('gives up only where a limit is configured', async () => {
    const server = await startServer();
    await server.stop();
    const { manager } = manage(server, {
      config: { maxReconnectAttempts: 2, initialDelayMs: 10, healthProbeIntervalMs: null },
    });
    expect(await rejection(manager.connect())).toMatchObject({ code: 'ECONNREFUSED' });
    expect(manager.getStatus()).toMatchObject({ state: 'FAILED', consecutiveFailures: 2 });
    expect(await rejection(manager.rpc('x'))).toMatchObject({ class: 'O', code: 'CONNECTION_FAILED' });
    await server.start();
    await manager.connect();
    expect(manager.isConnected).toBe(true);
  });
});

test('before connect and after disconnect, calls are refused at once', async () => {
  const server = await startServer();
  const { manager } = manage(server);
  expect(await rejection(manager.rpc('x'))).toMatchObject({ class: 'P', code: 'NOT_CONNECTED' });
  await manager.connect();
  await manager.disconnect();
  expect(await rejection(manager.rpc('x'))).toMatchObject({ code: 'NOT_CONNECTED' });
  await manager.connect();
  expect(await manager.rpc('x')).toEqual([{ id: 1 }]);
});

test('listeners that throw alter nothing', async () => {
  const fail = () => {
    throw new Error('listener');
  };
  const { manager, log } = await connected({ onConnected: fail, onDisconnected: fail, onStateChange: fail });
  expect(manager.isConnected).toBe(true);
  await manager.disconnect();
  expect(log.filter(({ message }) => message.includes('listener failed'))).toHaveLength(5);
});
