import { getEventListeners } from 'node:events';
import { ManualClock } from '@casare/testing';
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { verdict } from '../classification/verdict.ts';
import { ConnectionError } from '../errors.ts';
import { backoffDelayMs } from './backoff.ts';
import { retry, retryAsync } from './retry.ts';
import { RetryBudget } from './retry-budget.ts';
import type { RetryOptions } from './retry-config.ts';

const failure = (
  letter: 'S' | 'A' | 'T' | 'P' | 'U' | 'O' | 'C',
  more: { retryAfterMs?: number; retryOnce?: boolean } = {},
) => new ConnectionError(letter, verdict(letter, `CODE_${letter}`, more));

/** Runs `retry` over a list of outcomes; time passes as soon as everybody sleeps. */
async function play(outcomes: readonly (Error | string)[], options: RetryOptions = {}) {
  const clock = new ManualClock();
  const waits: number[] = [];
  let calls = 0;
  const run = retry(
    () => {
      const outcome = outcomes[calls] ?? 'more calls than outcomes';
      calls += 1;
      if (outcome instanceof Error) throw outcome;
      return outcome;
    },
    { clock, jitter: false, ...options, onRetry: ({ delayMs }) => waits.push(delayMs) },
  ).then(
    (value) => value,
    (error: Error) => error,
  );
  await clock.advance(10_000_000);
  return { result: await run, calls, waits, sleeping: clock.sleeping };
}

describe('retry', () => {
  it('repeats what was surely not executed, waiting longer each time', async () => {
    const played = await play([failure('S'), failure('S'), 'done']);
    expect(played).toEqual({ result: 'done', calls: 3, waits: [1000, 2000], sleeping: 0 });
  });

  test.each(['P', 'U', 'O', 'C'] as const)('never repeats class %s', async (letter) => {
    expect(await play([failure(letter), 'done'], { idempotent: true })).toMatchObject({ calls: 1 });
  });

  it('repeats what may have been executed only when that does no harm', async () => {
    expect(await play([failure('A'), 'done'])).toMatchObject({ calls: 1, result: { code: 'CODE_A' } });
    expect(await play([failure('A'), 'done'], { idempotent: true })).toMatchObject({ calls: 2, result: 'done' });
    expect(await play([new Error('?'), 'done'])).toMatchObject({ calls: 1 });
  });

  it('gives up after maxAttempts with the last failure', async () => {
    const last = failure('S');
    expect(await play([failure('S'), last, 'done'], { maxAttempts: 2 })).toMatchObject({ result: last, calls: 2 });
  });

  it('waits as long as the server asked, but never past the cap', async () => {
    expect(await play([failure('T', { retryAfterMs: 5000 }), 'done'])).toMatchObject({ waits: [5000] });
    expect(await play([failure('T', { retryAfterMs: 86_400_000 }), 'done'])).toMatchObject({ waits: [30_000] });
  });

  it('repeats a stale schema cache once', async () => {
    const stale = () => failure('P', { retryOnce: true });
    expect(await play([stale(), 'done'])).toMatchObject({ result: 'done' });
    expect(await play([stale(), stale(), 'done'])).toMatchObject({ calls: 2, result: { code: 'CODE_P' } });
  });

  it('does not begin a wait that cannot end before the deadline', async () => {
    const played = await play([failure('S'), failure('S'), 'done'], { timeoutMs: 2500 });
    expect(played).toMatchObject({ calls: 2, waits: [1000], result: { code: 'CODE_S' } });
  });

  it('ends an attempt that hangs at the deadline', async () => {
    const clock = new ManualClock();
    const run = retry(() => new Promise(() => undefined), { clock, timeoutMs: 5000 });
    const settled = expect(run).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED', class: 'A', ambiguous: true });
    await clock.advance(5000);
    await settled;
    expect(clock.sleeping).toBe(0);
  });

  it('settles at once when aborted during a wait, and leaves nothing behind', async () => {
    const clock = new ManualClock();
    const caller = new AbortController();
    const run = retry(() => Promise.reject(failure('S')), { clock, signal: caller.signal });
    const settled = expect(run).rejects.toBe('enough');
    await clock.advance(0);
    expect(clock.sleeping).toBe(1);
    caller.abort('enough');
    await settled;
    expect(clock.sleeping).toBe(0);
  });

  it('settles at once when aborted during an attempt that does not listen', async () => {
    const caller = new AbortController();
    const run = retry(() => new Promise(() => undefined), { signal: caller.signal });
    caller.abort('enough');
    await expect(run).rejects.toBe('enough');
  });

  it('hands the attempt a signal that its caller can abort', async () => {
    const caller = new AbortController();
    let seen: AbortSignal | undefined;
    const run = retry(({ signal }) => new Promise(() => (seen = signal)), { signal: caller.signal });
    caller.abort('enough');
    await expect(run).rejects.toBe('enough');
    expect(seen?.reason).toBe('enough');
  });

  it('leaves no listener on a signal that outlives it', async () => {
    const longLived = new AbortController();
    for (let n = 0; n < 1000; n += 1) {
      await retry(() => 'done', { signal: longLived.signal, timeoutMs: 60_000 });
    }
    expect(getEventListeners(longLived.signal, 'abort')).toHaveLength(0);
    expect(process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length).toBeLessThan(10);
  });

  it('leaves no wait behind when whoever is told of the retry aborts', async () => {
    const clock = new ManualClock();
    for (const hook of ['onRetry', 'shouldRetry'] as const) {
      const control = new AbortController();
      const abort = () => control.abort(new Error('enough'));
      const fail = async () => {
        await new Promise((resolve) => setImmediate(resolve));
        throw failure('S');
      };
      const run = retry(fail, { clock, signal: control.signal, [hook]: abort });
      await expect(run).rejects.toThrow('enough');
      expect(clock.sleeping).toBe(0);
    }
  });

  it('does not let a signal that is none take the deadlines of others', async () => {
    const hung = () => new Promise<never>(() => undefined);
    const other = retry(hung, { timeoutMs: 20 });
    const broken = retry(hung, { signal: new AbortController() as never });
    await expect(broken).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', argument: 'signal' });
    await expect(other).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
  });

  test.each(['timeoutMs', 'initialDelayMs', 'maxDelayMs', 'backoffMultiplier'])(
    'refuses %s as a text',
    async (name) => {
      await expect(retry(() => 1, { [name]: '1000' })).rejects.toThrow(`${name} must be a number`);
    },
  );

  it('refuses settings that mean nothing', async () => {
    await expect(retry(() => 1, { maxAttempts: 0 })).rejects.toThrow(/maxAttempts/);
    await expect(retry(() => 1, { backoffMultiplier: 0.5 })).rejects.toThrow(/backoffMultiplier/);
  });
});

describe('a deadline', () => {
  it('is seen by the attempt that asks for its signal, early or late', async () => {
    const clock = new ManualClock();
    const seen: AbortSignal[] = [];
    let ask: (() => AbortSignal) | undefined;
    const run = retry(
      (attempt) => {
        seen.push(attempt.signal);
        ask = () => attempt.signal;
        return new Promise(() => undefined);
      },
      { clock, timeoutMs: 5000 },
    );
    const settled = expect(run).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    await clock.advance(5000);
    await settled;
    expect(seen[0]?.reason).toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    expect(ask?.()).toBe(seen[0]);

    const late = retry(
      (attempt) => {
        ask = () => attempt.signal;
        return new Promise(() => undefined);
      },
      { clock, timeoutMs: 5000 },
    ).catch((error: unknown) => error);
    await clock.advance(5000);
    expect(ask?.().reason).toBe(await late);
  });

  it('does not abort what an attempt that was in time is still used for', async () => {
    const clock = new ManualClock();
    let signal: AbortSignal | undefined;
    await retry((attempt) => (signal = attempt.signal), { clock, timeoutMs: 5000 });
    await clock.advance(10_000);
    expect(signal?.aborted).toBe(false);
    expect(clock.sleeping).toBe(0);
  });

  it('counts from the call, not from when it is first needed', async () => {
    const clock = new ManualClock();
    const run = play([failure('S'), failure('S'), failure('S'), 'done'], { timeoutMs: 7000, maxAttempts: 9 });
    expect(await run).toMatchObject({ calls: 3, waits: [1000, 2000], result: { code: 'CODE_S' } });
    const hung = retry(() => clock.sleep(4000).then(() => Promise.reject(failure('S'))), {
      clock,
      timeoutMs: 5000,
      jitter: false,
    }).catch((error: unknown) => error);
    await clock.advance(5000);
    expect(await hung).toMatchObject({ code: 'CODE_S' });
    expect(clock.monotonic()).toBe(5000);
  });

  it('may be over before it began', async () => {
    const clock = new ManualClock();
    const run = retry(() => new Promise(() => undefined), { clock, timeoutMs: 0 }).catch((error: unknown) => error);
    await clock.advance(0);
    expect(await run).toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    await expect(retry(() => 1, { timeoutMs: -1 })).rejects.toThrow(/timeoutMs/);
    await expect(retry(() => 1, { timeoutMs: Number.NaN })).rejects.toThrow(/timeoutMs/);
  });
});

describe('a retry budget', () => {
  it('bounds the retries of all who share it, not their first attempts', async () => {
    const clock = new ManualClock();
    const budget = new RetryBudget({ capacity: 3, refillPerSecond: 0, clock });
    const runs = await Promise.all(
      Array.from({ length: 4 }, () => play([failure('S'), failure('S'), 'done'], { budget })),
    );
    expect(runs.map(({ calls }) => calls).reduce((sum, calls) => sum + calls)).toBe(4 + 3);
    expect(runs.filter(({ result }) => result === 'done').length).toBeLessThanOrEqual(1);
    expect(budget.getStatus()).toMatchObject({ available: 0, granted: 3 });
  });

  it('fills up again with time, up to its capacity, whatever the wall clock does', async () => {
    const clock = new ManualClock();
    const budget = new RetryBudget({ capacity: 2, refillPerSecond: 0.5, clock });
    expect([budget.tryTake(), budget.tryTake(), budget.tryTake()]).toEqual([true, true, false]);
    clock.stepWall(3_600_000);
    expect(budget.tryTake()).toBe(false);
    await clock.advance(2000);
    expect([budget.tryTake(), budget.tryTake()]).toEqual([true, false]);
    await clock.advance(1_000_000);
    expect(budget.getStatus()).toEqual({ available: 2, granted: 3, refused: 3 });
  });

  it('is not charged for what is not repeated anyway', async () => {
    const budget = new RetryBudget({ capacity: 5, clock: new ManualClock() });
    await play([failure('P')], { budget });
    await play([failure('S'), failure('S')], { budget, timeoutMs: 500 });
    await play([failure('S')], { budget, maxAttempts: 1 });
    expect(budget.getStatus().granted).toBe(0);
  });

  it('refuses what means nothing', () => {
    expect(() => new RetryBudget({ capacity: -1 })).toThrow(/capacity/);
    expect(() => new RetryBudget({ refillPerSecond: Number.NaN })).toThrow(/refillPerSecond/);
  });
});

test('a function that knows nothing of attempts is called with its arguments each time', async () => {
  let calls = 0;
  const add = async (a: number, b: string) => {
    calls += 1;
    if (calls === 1) throw failure('S');
    return `${a}${b}`;
  };
  expect(await retryAsync(add, [1, 'x'], { initialDelayMs: 0 })).toBe('1x');
  expect(calls).toBe(2);
});

describe('backoff', () => {
  const config = { initialDelayMs: 1000, maxDelayMs: 30_000, backoffMultiplier: 2, jitter: true };

  it('grows to its cap and no further', () => {
    const waits = [1, 2, 3, 6, 50, 5000].map((n) => backoffDelayMs(n, { ...config, jitter: false }, Math.random));
    expect(waits).toEqual([1000, 2000, 4000, 30_000, 30_000, 30_000]);
  });

  it('spreads over the whole wait, never past the cap', () => {
    expect(backoffDelayMs(2, config, () => 0)).toBe(0);
    expect(backoffDelayMs(2, config, () => 0.999)).toBeCloseTo(1998);
    expect(backoffDelayMs(2, config, () => 0.5, 10_000)).toBe(11_000);
    expect(backoffDelayMs(9, config, () => 0.999, 29_999)).toBe(30_000);
  });

  it('is decorrelated from the number of failures where that is asked for', () => {
    const decorrelated = { ...config, jitter: 'decorrelated' as const };
    expect(backoffDelayMs(9, decorrelated, () => 0)).toBe(1000);
    expect(backoffDelayMs(9, decorrelated, () => 0.5)).toBe(2000);
    expect(backoffDelayMs(9, decorrelated, () => 0.5, 0, 5000)).toBe(8000);
    expect(backoffDelayMs(9, decorrelated, () => 0.999, 0, 29_000)).toBeLessThan(30_000);
  });

  it('never passes the cap, in whatever way chance is used', () => {
    const settings = fc.record({
      initialDelayMs: fc.constantFrom(0, 1, 1000, 60_000, Number.MAX_VALUE),
      maxDelayMs: fc.constantFrom(0, 1, 500, 30_000),
      backoffMultiplier: fc.constantFrom(1, 2, 1e9),
      jitter: fc.constantFrom(true, false, 'full' as const, 'decorrelated' as const, 'none' as const),
    });
    const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    fc.assert(
      fc.property(settings, fc.integer({ min: 1, max: 5000 }), chance, fc.nat(1e9), (given, failures, drawn, asked) => {
        let previousMs = given.initialDelayMs;
        for (let n = 0; n < 5; n += 1) {
          const delayMs = backoffDelayMs(failures + n, given, () => drawn, asked, previousMs);
          expect(delayMs).toBeGreaterThanOrEqual(Math.min(asked, given.maxDelayMs));
          expect(delayMs).toBeLessThanOrEqual(given.maxDelayMs);
          previousMs = delayMs;
        }
      }),
    );
  });

  it('refuses a jitter that it does not know', async () => {
    await expect(retry(() => 1, { jitter: 'some' as never })).rejects.toThrow(/jitter/);
  });
});
