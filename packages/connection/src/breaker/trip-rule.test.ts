import { ManualClock } from '@casare/testing';
import { describe, expect, it, test } from 'vitest';
import { createTripRule } from './create-trip-rule.ts';
import type { TripConfig, TripRule } from './trip-rule.ts';

/** Plays successes (.) and failures (x); answers where the rule had enough. */
function play(rule: TripRule, outcomes: string): number[] {
  return [...outcomes].flatMap((outcome, n) => {
    if (outcome === 'x') return rule.failure() ? [n] : [];
    rule.success();
    return [];
  });
}

const make = (config: TripConfig, clock = new ManualClock()) => createTripRule(config, clock);

describe('failures in a row', () => {
  it('are enough when none of the calls between succeeded', () => {
    const rule = make({ kind: 'consecutive', failures: 3 });
    expect(play(rule, 'xx.xx.xxx')).toEqual([8]);
    expect(rule.counts).toEqual({ failures: 3, calls: 3 });
  });
});

describe('a window of calls', () => {
  const config = { kind: 'count-window', size: 4, failureRate: 0.5 } as const;

  it('is judged once it is full, by a failure', () => {
    expect(play(make(config), 'xxx')).toEqual([]);
    expect(play(make(config), 'xx..')).toEqual([]);
    expect(play(make(config), '..xx')).toEqual([3]);
  });

  it('is judged earlier where fewer calls are enough', () => {
    expect(play(make({ ...config, minimumCalls: 2 }), 'xx')).toEqual([1]);
  });

  it('forgets what has left it', () => {
    const rule = make(config);
    expect(play(rule, 'x...x...x...')).toEqual([]);
    expect(rule.counts).toEqual({ failures: 1, calls: 4 });
    expect(play(rule, '.x.x')).toEqual([3]);
  });
});

describe('a window of time', () => {
  const config = { kind: 'time-window', windowMs: 1000, failureRate: 0.5, minimumCalls: 4 } as const;

  it('is judged from its minimum of calls on', () => {
    expect(play(make(config), 'xxx')).toEqual([]);
    expect(play(make(config), 'xxxx')).toEqual([3]);
    expect(play(make(config), '....xxxx')).toEqual([7]);
  });

  it('forgets what is older, in tenths of it', async () => {
    const clock = new ManualClock();
    const rule = make(config, clock);
    play(rule, 'xxx');
    await clock.advance(500);
    play(rule, '..');
    await clock.advance(400);
    expect(rule.counts).toEqual({ failures: 3, calls: 5 });
    await clock.advance(100);
    expect(rule.counts).toEqual({ failures: 0, calls: 2 });
    await clock.advance(3_600_000);
    expect(rule.counts).toEqual({ failures: 0, calls: 0 });
  });
});

describe.each<[string, TripConfig]>([
  ['consecutive', { kind: 'consecutive', failures: 5 }],
  ['count-window', { kind: 'count-window', size: 5, failureRate: 0.9 }],
  ['time-window', { kind: 'time-window', windowMs: 1000, failureRate: 0.9, minimumCalls: 50 }],
])('what %s has counted', (_kind, config) => {
  it('survives as JSON, with its age', async () => {
    const clock = new ManualClock({ startAtMs: 0 });
    const rule = make(config, clock);
    play(rule, 'x.xx.x');
    await clock.advance(350);
    play(rule, '.xxx');
    const saved = JSON.parse(JSON.stringify(rule.save?.()));
    const elsewhere = new ManualClock();
    await elsewhere.advance(77_777);
    const other = make(config, elsewhere);
    other.restore?.(saved);
    expect(other.counts).toEqual(rule.counts);
    await clock.advance(700);
    await elsewhere.advance(700);
    expect(other.counts).toEqual(rule.counts);
  });

  it('is cleared', () => {
    const rule = make(config);
    play(rule, 'xx.x');
    rule.clear();
    expect(rule.counts).toEqual({ failures: 0, calls: 0 });
  });
});

test.each<[TripConfig, RegExp]>([
  [{ kind: 'consecutive', failures: 0 }, /trip.failures/],
  [{ kind: 'count-window', size: 0, failureRate: 0.5 }, /trip.size/],
  [{ kind: 'count-window', size: 1e9, failureRate: 0.5 }, /trip.size/],
  [{ kind: 'count-window', size: 2, failureRate: 0.5, minimumCalls: 3 }, /minimumCalls/],
  [{ kind: 'count-window', size: 2, failureRate: 0 }, /failureRate/],
  [{ kind: 'time-window', windowMs: Number.POSITIVE_INFINITY, failureRate: 0.5, minimumCalls: 1 }, /windowMs/],
  [{ kind: 'time-window', windowMs: 1000, failureRate: 1.1, minimumCalls: 1 }, /failureRate/],
  [{ kind: 'odd' } as never, /trip.kind/],
])('refuses %j', (config, message) => {
  expect(() => make(config)).toThrow(message);
});
