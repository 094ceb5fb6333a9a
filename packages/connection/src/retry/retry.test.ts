import { getEventListeners } from 'node:events';
import { ManualClock } from '@casare/testing';
import { describe, expect, it, test } from 'vitest';
import { verdict } from '../classification/verdict.ts';
import { ConnectionError } from '../errors.ts';
import { backoffDelayMs } from './backoff.ts';
import { retry } from './retry.ts';
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

  it('refuses settings that mean nothing', async () => {
    await expect(retry(() => 1, { maxAttempts: 0 })).rejects.toThrow(/maxAttempts/);
    await expect(retry(() => 1, { backoffMultiplier: 0.5 })).rejects.toThrow(/backoffMultiplier/);
  });
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
});
