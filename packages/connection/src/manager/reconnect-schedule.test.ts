import { describe, expect, it } from 'vitest';
import { type ErrorVerdict, verdict } from '../classification/verdict.ts';
import { connectionConfig } from './connection-config.ts';
import { ReconnectRules, type ReconnectSchedule } from './reconnect-schedule.ts';

const down = verdict('S', 'ECONNREFUSED');
const middle = () => 0.5;
const rules = (config = {}) => new ReconnectRules(connectionConfig({ jitter: false, ...config }), middle);

/** The times of attempts and looks until `untilMs`, if each try fails at once with `error`. */
function timeline(with_: ReconnectRules, untilMs: number, error: ErrorVerdict) {
  const attempts: number[] = [];
  const looks: number[] = [];
  let schedule: ReconnectSchedule = with_.fresh(0);
  for (let now = 0; now <= untilMs; ) {
    const step = with_.nextStep(schedule, now);
    if (step.kind === 'wait') {
      now = step.untilAt;
    } else if (step.kind === 'attempt') {
      attempts.push(now);
      schedule = with_.attemptFailed(with_.attemptStarted(schedule, now), now, error);
    } else {
      looks.push(now);
      schedule = with_.lookFailed(with_.lookStarted(schedule, now), now, error);
    }
  }
  return { attempts, looks };
}

describe('while there is no connection', () => {
  it('attempts follow the backoff up to its cap, looks go on every second', () => {
    const { attempts, looks } = timeline(rules({ initialDelayMs: 1500, maxDelayMs: 8000 }), 40_000, down);
    expect(attempts).toEqual([0, 1500, 4500, 10_500, 18_500, 26_500, 34_500]);
    expect(looks.length).toBeGreaterThan(30);
  });

  it('looks never leave a gap of two seconds, even if the database guesses when it will be back', () => {
    const { attempts, looks } = timeline(rules(), 600_000, verdict('S', 'PGRST001', { retryAfterMs: 32_000 }));
    const tries = [...attempts, ...looks].toSorted((a, b) => a - b);
    expect(Math.max(...tries.slice(1).map((at, n) => at - (tries[n] ?? 0)))).toBeLessThan(2000);
  });

  it('a small fleet looks more often, in all no more than fifty times a second', () => {
    const interval = (fleet: number, config = {}) => {
      const schedule = new ReconnectRules(connectionConfig(config), middle, () => fleet).fresh(0);
      return schedule.nextLookAt;
    };
    expect([1, 10, 30, 49, 50, 1_000].map((fleet) => interval(fleet))).toEqual([350, 350, 600, 980, 1_000, 1_000]);
    expect(interval(1, { healthProbeIntervalMs: 100 })).toBe(100);
  });

  it('looks can be switched off', () => {
    expect(timeline(rules({ healthProbeIntervalMs: null }), 60_000, down).looks).toEqual([]);
  });

  it('looks pause after a refusal, attempts go on', () => {
    const { attempts, looks } = timeline(rules(), 60_000, verdict('P', '42501'));
    expect(looks).toEqual([]);
    expect(attempts).toEqual([0, 1000, 3000, 7000, 15_000, 31_000]);
  });

  it('refused credentials are tried again at an interval of their own', () => {
    const { attempts, looks } = timeline(rules(), 60_000, verdict('U', 'HTTP_401'));
    expect(looks).toEqual([]);
    expect(attempts).toEqual([0, 30_000, 60_000]);
  });

  it('nothing is tried before the time that a throttle names', () => {
    const { attempts, looks } = timeline(rules(), 20_000, verdict('T', 'HTTP_429', { retryAfterMs: 10_000 }));
    expect(attempts).toEqual([0, 10_000, 20_000]);
    expect(looks).toEqual([]);
  });

  it('attempts are limited only where that is configured', () => {
    const failed = (config: object) => rules(config).exhausted({ ...rules(config).fresh(0), failedAttempts: 9 });
    expect(failed({})).toBe(false);
    expect(failed({ maxReconnectAttempts: 9 })).toBe(true);
    expect(failed({ maxReconnectAttempts: 10 })).toBe(false);
  });

  it('a client comes in at once after a short outage, and at a moment of its own after a long one', () => {
    const entry = (outageMs: number, random: number, config = {}) => {
      const drawn = new ReconnectRules(connectionConfig(config), () => random);
      const { entryAt } = drawn.noticed(drawn.afterLoss(0, down), outageMs);
      return entryAt - outageMs;
    };
    expect(entry(10_000, 0.99)).toBe(0);
    expect(entry(20_000, 0.5)).toBe(2_000);
    expect(entry(60_000, 0.5)).toBe(10_000);
    expect(entry(3_600_000, 0.5)).toBe(10_000);
    expect(entry(3_600_000, 0.5, { maxReconnectSpreadMs: 0 })).toBe(0);
  });

  it('a small fleet comes in at once, a larger one spread by 20 ms a client', () => {
    const entry = (fleet: number) => {
      const known = new ReconnectRules(
        connectionConfig(),
        () => 0.5,
        () => fleet,
      );
      return known.noticed(known.afterLoss(0, down), 60_000).entryAt - 60_000;
    };
    expect([0, 1, 11, 501, 1_001, 5_000].map(entry)).toEqual([0, 0, 100, 5_000, 10_000, 10_000]);
  });

  it('nothing but the entry is tried once the service is known to be back', () => {
    const later = rules();
    const noticed = later.noticed(later.afterLoss(0, down), 60_000);
    expect(later.nextStep(noticed, 69_999)).toEqual({ kind: 'wait', untilAt: 70_000 });
    expect(later.nextStep(noticed, 70_000)).toEqual({ kind: 'entry' });
    const failed = later.attemptFailed(later.attemptStarted(noticed, 70_000), 70_000, down);
    expect(later.nextStep(failed, 70_000)).toMatchObject({ kind: 'wait' });
    expect(failed.nextLookAt).toBeLessThan(72_000);
  });
});
