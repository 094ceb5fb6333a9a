import { ManualClock } from '@casare/testing';
import { expect, it } from 'vitest';
import type { Clock } from '../ports.ts';
import { longSleep } from './long-sleep.ts';

it('a long sleep is made of sleeps that timers can keep', async () => {
  const clock = new ManualClock();
  const slept: number[] = [];
  const watched: Pick<Clock, 'sleep'> = {
    sleep: (delayMs, signal) => {
      slept.push(delayMs);
      return clock.sleep(delayMs, signal);
    },
  };
  let isOver = false;
  const sleeping = longSleep(watched as Clock, 5_000_000_000, new AbortController().signal).then(() => {
    isOver = true;
  });
  await clock.advance(4_999_999_999);
  expect(isOver).toBe(false);
  await clock.advance(1);
  await sleeping;
  expect(slept).toEqual([2_000_000_000, 2_000_000_000, 1_000_000_000]);
});
