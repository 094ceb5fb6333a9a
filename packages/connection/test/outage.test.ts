/** The server goes away and comes back under a manager. */
import { eventually } from '@casare/testing';
import { describe, expect, it, test } from 'vitest';
import type { ConnectionError } from '../src/index.ts';
import { behave } from './hostile-server.ts';
import { connected, rejection } from './set-up.ts';

const slowBackoff = { initialDelayMs: 300_000, jitter: false, healthProbeIntervalMs: 1000 };

describe('a lost connection', () => {
  it('is noticed by the next call, and its return within two seconds, whatever backoff and breaker say', async () => {
    const lost: (ConnectionError | null)[] = [];
    let back = 0;
    const { server, manager, events } = await connected({
      config: slowBackoff,
      breaker: { failureThreshold: 1, timeoutMs: 600_000 },
      onDisconnected: (error) => lost.push(error),
      onConnected: () => {
        back += 1;
      },
    });
    await server.stop();
    await rejection(manager.rpc('x', {}, { maxAttempts: 1 }));
    await eventually('the loss is noticed', () => manager.getStatus().state === 'RECONNECTING');
    expect(lost).toHaveLength(1);
    expect(lost[0]).toMatchObject({ code: 'ECONNREFUSED' });
    expect(manager.getStatus()).toMatchObject({ isConnected: false, breaker: { state: 'OPEN' } });
    expect(manager.getStatus().nextAttemptInMs).toBeGreaterThan(200_000);

    await server.start();
    const restarted = performance.now();
    expect(await manager.rpc('x')).toEqual([{ id: 1 }]);
    expect(performance.now() - restarted).toBeLessThan(2000);
    expect(manager.getStatus()).toMatchObject({
      state: 'CONNECTED',
      consecutiveFailures: 0,
      nextAttemptInMs: null,
      breaker: { state: 'CLOSED' },
    });
    expect(back).toBe(2);
    expect(events.slice(2)).toEqual(['CONNECTED>RECONNECTING', 'RECONNECTING>CONNECTED']);
  });

  it('is waited for by any number of calls, with one loop for all of them', async () => {
    const { server, manager } = await connected({
      config: { healthProbeIntervalMs: 200, connectionTimeoutMs: 10_000 },
    });
    await server.stop();
    await rejection(manager.rpc('x', {}, { maxAttempts: 1 }));
    await eventually('the loss is noticed', () => !manager.isConnected);
    const calls = Promise.all(Array.from({ length: 50 }, () => manager.rpc('x')));
    server.seen.length = 0;
    server.health = (response, request) => setTimeout(() => behave.ok(response, request), 50);
    await server.start();
    expect(await calls).toHaveLength(50);
    expect(server.seen.length - server.calls.length).toBeLessThanOrEqual(6);
  });

  it('cuts the waits short that a service which is down has asked for: it has guessed', async () => {
    const { server, manager } = await connected({ retry: { maxDelayMs: 30_000 } });
    const down = behave.json(503, { code: 'PGRST001', message: 'terminating connection' }, { 'retry-after': '30' });
    server.script = [down, down, behave.json(200, 'there')];
    server.health = down;
    const impatient = rejection(manager.rpc('x', {}, { whenDisconnected: 'fail' }));
    const patient = manager.rpc('x');
    expect(await impatient).toMatchObject({ code: 'NOT_CONNECTED', ambiguous: false });
    server.health = behave.ok;
    expect(await patient).toBe('there');
    // The same where it is back before the loss is noticed.
    server.script = [down, behave.json(200, 'there')];
    expect(await manager.rpc('x', {}, { whenDisconnected: 'fail' })).toBe('there');
  });

  it('gives up what it left unanswered once the connection stands again, and asks again what may be asked twice', async () => {
    const { server, manager } = await connected({
      config: { connectionTimeoutMs: 300_000, operationTimeoutMs: 300_000, healthProbeTimeoutMs: 200 },
      breaker: { failureThreshold: 2 },
      retry: { initialDelayMs: 100_000, maxDelayMs: 100_000, jitter: false },
    });
    server.script = [behave.mute];
    server.health = behave.mute;
    const repeated = manager.rpc('x', {}, { idempotent: true, maxAttempts: 20 });
    const givenUp = rejection(manager.rpc('x', {}, { whenLost: 'give-up' }));
    const end = new AbortController();
    let isOver = false;
    const waiting = rejection(manager.rpc('x', {}, { signal: end.signal })).finally(() => {
      isOver = true;
    });
    // Nothing fails: that nothing is answered is noticed all the same.
    await eventually('the loss is noticed', () => !manager.isConnected);
    server.script = [behave.json(200, 'there')];
    server.health = behave.ok;
    expect(await givenUp).toMatchObject({ class: 'A', code: 'CONNECTION_LOST', ambiguous: true });
    expect(await repeated).toBe('there');
    expect([isOver, manager.breaker.getStatus().state]).toEqual([false, 'CLOSED']);
    end.abort();
    await waiting;
  });

  it('fails calls that do not want to wait, and those for which there is no room', async () => {
    const { server, manager } = await connected({ config: { maxWaitingCalls: 1 } });
    await server.stop();
    await rejection(manager.rpc('x', {}, { maxAttempts: 1 }));
    await eventually('the loss is noticed', () => !manager.isConnected);
    const expected = { class: 'S', code: 'NOT_CONNECTED', ambiguous: false };
    expect(await rejection(manager.rpc('x', {}, { whenDisconnected: 'fail' }))).toMatchObject(expected);
    const waiting = rejection(manager.rpc('x', {}, { timeoutMs: 100 }));
    expect(await rejection(manager.rpc('x'))).toMatchObject(expected);
    expect(await waiting).toMatchObject(expected);
  });

  it('is not declared for a single bad answer, nor for a 4xx, nor while throttled', async () => {
    const { server, manager, events } = await connected();
    server.script = [behave.resetAtOnce, behave.json(403, {}), behave.json(429, {}), behave.json(500, {})];
    for (let n = 0; n < 4; n += 1) await rejection(manager.rpc('x', {}, { maxAttempts: 1 }));
    const probes = server.seen.length - server.calls.length;
    await eventually('the manager looked again', () => server.seen.length - server.calls.length > probes);
    expect(manager.isConnected).toBe(true);
    expect(events).toHaveLength(2);
  });

  it('is noticed when requests vanish in a half-open socket, and does not stay on dead sockets', async () => {
    const { server, manager } = await connected({ config: { healthProbeTimeoutMs: 300 } });
    server.script = [behave.mute, behave.json(200, 'alive')];
    server.health = behave.mute;
    await rejection(manager.rpc('x', {}, { maxAttempts: 1 }));
    await eventually('the loss is noticed', () => manager.getStatus().state === 'RECONNECTING');
    server.health = behave.ok;
    expect(await manager.rpc('x')).toBe('alive');
  });

  it('takes its sockets with it: they may be dead without knowing', async () => {
    const { server, manager } = await connected();
    server.health = behave.json(503, {});
    server.script = [behave.json(503, {}), behave.json(200, 1)];
    await rejection(manager.rpc('x', {}, { maxAttempts: 1 }));
    await eventually('the loss is noticed', () => !manager.isConnected);
    const [{ port } = {}] = server.calls;
    const seenBefore = server.seen.length;
    server.health = behave.ok;
    expect(await manager.rpc('x')).toBe(1);
    expect(port).toBeTypeOf('number');
    expect(server.seen.slice(seenBefore).map((request) => request.port)).not.toContain(port);
  });

  it('is not declared when the service refuses a second look, but that is said loudly', async () => {
    const { server, manager, log } = await connected();
    server.script = [behave.json(500, {})];
    server.health = behave.json(403, { code: '42501', message: 'permission denied for function schema_version' });
    await rejection(manager.rpc('x', {}, { maxAttempts: 1 }));
    await eventually('the refusal is reported', () => manager.getStatus().lastError?.code === '42501');
    expect(manager.isConnected).toBe(true);
    expect(log.find(({ level }) => level === 'error')?.fields).toMatchObject({
      code: '42501',
      remedy: expect.any(String),
    });
  });

  it('whose return only a slow answer tells is still noticed', async () => {
    const { server, manager } = await connected();
    server.health = behave.json(503, {});
    server.script = [behave.json(503, {}), behave.json(200, 1)];
    await rejection(manager.rpc('x', {}, { maxAttempts: 1 }));
    await eventually('the loss is noticed', () => !manager.isConnected);
    // Slower than the interval between two looks, faster than their deadline.
    server.health = (response, request) => setTimeout(() => behave.ok(response, request), 200);
    expect(await manager.rpc('x')).toBe(1);
  });

  it('with a key that is refused on return is reported loudly, and tried again, only not every second', async () => {
    const { server, manager, log } = await connected({
      config: { authRetryIntervalMs: 400 },
    });
    server.health = behave.json(500, {});
    server.script = [behave.json(500, {}), behave.json(200, 1)];
    await rejection(manager.rpc('x', {}, { maxAttempts: 1 }));
    await eventually('the loss is noticed', () => !manager.isConnected);
    server.health = behave.json(401, { message: 'Invalid API key' });
    await eventually('an attempt was refused', () => manager.getStatus().lastError?.class === 'U');
    expect(manager.getStatus()).toMatchObject({
      state: 'AUTH_FAILED',
      lastError: { remedy: expect.stringMatching(/key/) },
    });
    server.seen.length = 0;
    await eventually('it was refused again', () => server.seen.length >= 2);
    expect(log.filter(({ level }) => level === 'error')).toHaveLength(1);
    server.health = behave.ok;
    await eventually('the return is noticed', () => manager.isConnected);
    expect(await manager.rpc('x')).toBe(1);
  });
});

test('a write that may have been executed is not repeated over an outage; one that surely was not is', async () => {
  const { server, manager } = await connected();
  server.script = [behave.resetAtOnce, behave.json(200, 'done')];
  expect(await rejection(manager.rpc('complete_job'))).toMatchObject({ class: 'A', ambiguous: true });
  expect(server.calls).toHaveLength(1);

  await server.stop();
  const call = manager.rpc('complete_job');
  await eventually('the loss is noticed', () => !manager.isConnected);
  await server.start();
  expect(await call).toBe('done');
});

test('a failure stays in doubt when an earlier attempt of the same call was', async () => {
  const { server, manager } = await connected();
  server.script = [behave.resetAtOnce, behave.json(425, {})];
  const error = await rejection(manager.rpc('claim_jobs', {}, { idempotent: true, maxAttempts: 2 }));
  expect(error).toMatchObject({ class: 'S', code: 'HTTP_425', ambiguous: true });
  expect(await rejection(manager.rpc('claim_jobs', {}, { maxAttempts: 2 }))).toMatchObject({ ambiguous: false });
});

test('a breaker that a bad moment has opened while the service answers is closed again, and soon', async () => {
  const { server, manager, events } = await connected({
    config: { healthProbeIntervalMs: 50 },
    breaker: { failureThreshold: 5, timeoutMs: 600_000 },
  });
  for (const _again of [1, 2]) {
    server.script = [...Array.from({ length: 5 }, () => behave.json(502, {})), behave.json(200, [{ id: 1 }])];
    await Promise.all(Array.from({ length: 5 }, () => rejection(manager.rpc('x', {}, { maxAttempts: 1 }))));
    expect(manager.breaker.getStatus().state).toBe('OPEN');
    await eventually('it is closed', () => manager.breaker.getStatus().state === 'CLOSED');
    expect(await manager.rpc('x')).toEqual([{ id: 1 }]);
  }
  expect(events).toHaveLength(2);
});

test('a breaker that an operator forced open stays open over an outage', async () => {
  const { server, manager } = await connected();
  await server.stop();
  await rejection(manager.rpc('x', {}, { maxAttempts: 1 }));
  await eventually('the loss is noticed', () => !manager.isConnected);
  manager.breaker.forceOpen();
  await server.start();
  await eventually('the return is noticed', () => manager.isConnected);
  expect(await rejection(manager.rpc('x'))).toMatchObject({
    code: 'CIRCUIT_OPEN',
    remainingMs: Number.POSITIVE_INFINITY,
  });
  manager.breaker.reset();
  expect(await manager.rpc('x')).toEqual([{ id: 1 }]);
});
