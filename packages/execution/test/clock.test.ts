import { ManualClock } from '@casare/testing';
import { describe, expect, it } from 'vitest';
import { type Clock, systemClock } from '../src/index.ts';

const manual = new ManualClock();

/** What every clock does, the machine's and the one of the tests; `pass` lets time go by. */
const clocks: readonly { name: string; clock: Clock; pass: (ms: number) => Promise<void> }[] = [
  { name: 'the system clock', clock: systemClock, pass: (ms) => new Promise((resolve) => setTimeout(resolve, ms)) },
  { name: 'the manual clock', clock: manual, pass: (ms) => manual.advance(ms) },
];

describe.each(clocks)('$name', ({ clock, pass }) => {
  it('moves both times forward', async () => {
    const before = { wall: clock.now(), monotonic: clock.monotonic() };
    await pass(20);
    expect(clock.monotonic() - before.monotonic).toBeGreaterThanOrEqual(19);
    expect(clock.now() - before.wall).toBeGreaterThanOrEqual(19);
  });

  it('ends a sleep after its time and not before', async () => {
    const startedAt = clock.monotonic();
    let sleptFor: number | null = null;
    const slept = clock.sleep(30).then(() => {
      sleptFor = clock.monotonic() - startedAt;
    });
    expect(sleptFor).toBeNull();
    await Promise.all([slept, pass(40)]);
    expect(sleptFor).toBeGreaterThanOrEqual(29);
  });

  it('ends a sleep at once when its signal aborts, with the reason', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const slept = clock.sleep(3_600_000, controller.signal);
    controller.abort(reason);
    await expect(slept).rejects.toBe(reason);
    await expect(clock.sleep(1, controller.signal)).rejects.toBe(reason);
  });
});
