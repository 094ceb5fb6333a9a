/** Half open: however many callers come, no more are let through than there are probes. */
import { ManualClock } from '@casare/testing';
import { expect, test } from 'vitest';
import { CircuitBreaker, CircuitBreakerOpenError, ConnectionError, verdict } from '../src/index.ts';

const CALLERS = 10_000;
const down = () => Promise.reject(new ConnectionError('down', verdict('S', 'ECONNREFUSED')));

async function halfOpened(config: object) {
  const clock = new ManualClock();
  const breaker = new CircuitBreaker('db', { failureThreshold: 1, timeoutMs: 1000, clock, ...config });
  await breaker.call(down).catch(() => undefined);
  await clock.advance(1000);
  return { clock, breaker };
}

test.each([1, 3, 10])('10,000 callers at once, %i probes: the rest fail fast', async (halfOpenMaxProbes) => {
  const { breaker } = await halfOpened({ halfOpenMaxProbes, successThreshold: halfOpenMaxProbes });
  const finish = Promise.withResolvers<void>();
  let inFlight = 0;
  let most = 0;
  const operation = async () => {
    inFlight += 1;
    most = Math.max(most, inFlight);
    await finish.promise;
    inFlight -= 1;
  };
  const results: unknown[] = [];
  const calls = Array.from({ length: CALLERS }, () =>
    breaker.call(operation).then(
      () => results.push('done'),
      (error: unknown) => results.push(error),
    ),
  );
  await new Promise((resolve) => setImmediate(resolve));
  // Refused before any probe has ended.
  expect(results).toHaveLength(CALLERS - halfOpenMaxProbes);
  expect(results.every((result) => result instanceof CircuitBreakerOpenError)).toBe(true);
  finish.resolve();
  await Promise.all(calls);
  expect(most).toBe(halfOpenMaxProbes);
  expect(breaker.getStatus()).toMatchObject({ state: 'CLOSED', totals: { rejected: CALLERS - halfOpenMaxProbes } });
});

test('10,000 callers that come in waves, with probes that end at any time: never more than the number', async () => {
  const { breaker } = await halfOpened({ halfOpenMaxProbes: 3, successThreshold: 1_000_000 });
  let inFlight = 0;
  let most = 0;
  const operation = async () => {
    inFlight += 1;
    most = Math.max(most, inFlight);
    for (let turns = inFlight; turns > 0; turns -= 1) await new Promise((resolve) => setImmediate(resolve));
    inFlight -= 1;
    if (inFlight === 1) throw new ConnectionError('no', verdict('P', 'HTTP_403'));
  };
  const calls: Promise<unknown>[] = [];
  for (let wave = 0; wave < 100; wave += 1) {
    for (let n = 0; n < CALLERS / 100; n += 1) calls.push(breaker.call(operation).catch(() => undefined));
    await new Promise((resolve) => setImmediate(resolve));
  }
  await Promise.all(calls);
  expect(most).toBe(3);
  const { successes, ignored, rejected } = breaker.getStatus().totals;
  expect(successes + ignored + rejected).toBe(CALLERS);
  expect(ignored).toBeGreaterThan(0);
});

test('a wall clock that steps by an hour, either way, in any state, changes nothing', async () => {
  const told = async (steps: readonly number[]) => {
    const { clock, breaker } = await halfOpened({ timeoutMs: 1000, probeTimeoutMs: 500 });
    const seen: unknown[] = [];
    const look = async (ms: number) => {
      for (const step of steps) clock.stepWall(step);
      await clock.advance(ms);
      const { state, remainingMs, probesInFlight, openings } = breaker.getStatus();
      seen.push({ state, remainingMs, probesInFlight, openings });
    };
    await look(0);
    void breaker.call(() => new Promise(() => undefined));
    await look(499);
    await look(1);
    await look(999);
    await look(1);
    await breaker.call(async () => 1);
    await look(0);
    await breaker.call(async () => 1);
    await look(0);
    return seen;
  };
  const untouched = await told([]);
  expect(untouched.map((seen) => (seen as { state: string }).state)).toEqual([
    'HALF_OPEN',
    'HALF_OPEN',
    'OPEN',
    'OPEN',
    'HALF_OPEN',
    'HALF_OPEN',
    'CLOSED',
  ]);
  expect(await told([3_600_000])).toEqual(untouched);
  expect(await told([-3_600_000])).toEqual(untouched);
  expect(await told([7_200_000, -3_600_000])).toEqual(untouched);
});
