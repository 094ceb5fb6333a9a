/** What stays behind after many calls: nothing. `CASARE_LEAK_CALLS=1000000` for the full count. */
import { spawn } from 'node:child_process';
import { getEventListeners, once } from 'node:events';
import { expect, onTestFinished, test } from 'vitest';
import { CircuitBreaker, retry } from '../src/index.ts';

const CALLS = Number(process.env.CASARE_LEAK_CALLS ?? 100_000);

const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const down = new Error('down');

test(`${CALLS.toLocaleString('en')} calls of every kind leave no timer and no listener`, async () => {
  const longLived = new AbortController();
  const { signal } = longLived;
  const breaker = new CircuitBreaker('db', { outcomeOf: () => 'ignored' });
  const options = { signal, timeoutMs: 3_600_000, initialDelayMs: 0 };
  const timersBefore = timers();
  const kinds: (() => Promise<unknown>)[] = [
    () => breaker.call(async () => 1),
    () => breaker.call(async () => 1, { signal }),
    () => breaker.call(() => Promise.reject(down), { signal }),
    () => retry(() => breaker.call(async () => 1), options),
    () => retry((attempt) => breaker.call(async () => 1, { signal: attempt.signal }), options),
    () => retry(() => Promise.reject(down), options),
  ];
  for (let n = 0; n < CALLS; n += 1) await kinds[n % kinds.length]?.().catch(() => undefined);
  await turn();
  expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  expect(timers()).toBe(timersBefore);
  const { successes, ignored } = breaker.getStatus().totals;
  expect(successes + ignored).toBe(Math.ceil(CALLS / 6) * 5 - 5 + Math.min(5, CALLS % 6 || 6));
}, 300_000);

test('calls that outlive their turn take their timer and listener with them, too', async () => {
  const { signal } = new AbortController();
  const breaker = new CircuitBreaker('db');
  const timersBefore = timers();
  const pending = Array.from({ length: 1_000 }, () => Promise.withResolvers<number>());
  const calls = pending.map(({ promise }) =>
    retry((attempt) => breaker.call(() => promise, { signal: attempt.signal }), { signal, timeoutMs: 3_600_000 }),
  );
  await turn();
  expect(getEventListeners(signal, 'abort').length).toBeGreaterThan(0);
  expect(timers()).toBeGreaterThan(timersBefore);
  for (const { resolve } of pending) resolve(1);
  await Promise.all(calls);
  expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  expect(timers()).toBe(timersBefore);
});

test('a process that has nothing else to do ends, whatever the breaker is in the middle of', async () => {
  const script = new URL('./fixtures/idle-breaker.ts', import.meta.url).pathname;
  const env = { ...process.env, NODE_OPTIONS: '' };
  const child = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'], env });
  onTestFinished(() => void child.kill('SIGKILL'));
  let output = '';
  child.stdout.on('data', (chunk) => {
    output += chunk;
  });
  const [code] = await once(child, 'close');
  expect({ code, output }).toEqual({ code: 0, output: 'HALF_OPEN 0' });
});
