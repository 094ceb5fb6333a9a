import { ManualClock } from '@casare/testing';
import { expect, test } from 'vitest';
import { PollPacer } from './poll-pacer.ts';

test('polls become rarer once push has lasted, and as frequent as before at once when it is lost', async () => {
  const clock = new ManualClock();
  const pacer = new PollPacer({ pollIntervalMs: 1_000, relaxedIntervalMs: 15_000, clock });
  expect(pacer.intervalMs).toBe(1_000);
  pacer.pushIsAlive();
  expect(pacer.intervalMs).toBe(1_000);
  await clock.advance(9_999);
  pacer.pushIsAlive();
  expect(pacer.intervalMs).toBe(1_000);
  await clock.advance(1);
  expect(pacer.intervalMs).toBe(15_000);
  pacer.pushIsLost();
  expect(pacer.intervalMs).toBe(1_000);
});

test('push that comes and goes does not make polls rarer', async () => {
  const clock = new ManualClock();
  const pacer = new PollPacer({ pollIntervalMs: 1_000, relaxedIntervalMs: 15_000, clock });
  for (let n = 0; n < 20; n += 1) {
    pacer.pushIsAlive();
    await clock.advance(5_000);
    expect(pacer.intervalMs).toBe(1_000);
    pacer.pushIsLost();
  }
});

test('a relaxed interval that is shorter than the usual one changes nothing', () => {
  const clock = new ManualClock();
  const pacer = new PollPacer({ pollIntervalMs: 1_000, relaxedIntervalMs: 10, settleMs: 0, clock });
  pacer.pushIsAlive();
  expect(pacer.intervalMs).toBe(1_000);
  expect(() => new PollPacer({ pollIntervalMs: 0, relaxedIntervalMs: 10, clock })).toThrow(/pollIntervalMs/);
});
