import { ManualClock } from '@casare/testing';
import { describe, expect, it } from 'vitest';
import { startPeriodic } from './periodic.ts';

describe('startPeriodic', () => {
  it('takes its turns at the interval, and at once when it is kicked', async () => {
    const clock = new ManualClock();
    let turns = 0;
    const loop = startPeriodic({
      name: 'test',
      intervalMs: 1_000,
      clock,
      turn: async () => {
        turns += 1;
      },
      onError: () => undefined,
    });
    await clock.advance(0);
    expect(turns).toBe(1);
    await clock.advance(2_000);
    expect(turns).toBe(3);
    loop.kick();
    await clock.advance(0);
    expect(turns).toBe(4);
    await loop.stop();
    expect(clock.sleeping).toBe(0);
  });

  it('goes on after a turn that failed, and tells it', async () => {
    const clock = new ManualClock();
    const told: unknown[] = [];
    let turns = 0;
    const loop = startPeriodic({
      name: 'shaky',
      intervalMs: 10,
      clock,
      turn: async () => {
        turns += 1;
        if (turns === 1) throw new Error('once');
      },
      onError: (name, error) => told.push([name, String(error)]),
    });
    await clock.advance(25);
    expect(told).toEqual([['shaky', 'Error: once']]);
    expect(turns).toBe(3);
    await loop.stop();
  });

  it('takes one more turn when it is kicked during one', async () => {
    const clock = new ManualClock();
    let turns = 0;
    let finish: () => void = () => undefined;
    const loop = startPeriodic({
      name: 'slow',
      intervalMs: 60_000,
      clock,
      turn: () => {
        turns += 1;
        return new Promise((resolve) => {
          finish = resolve;
        });
      },
      onError: () => undefined,
    });
    await clock.advance(0);
    loop.kick();
    loop.kick();
    finish();
    await clock.advance(0);
    expect(turns).toBe(2);
    finish();
    await loop.stop();
  });
});
