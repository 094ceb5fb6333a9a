import { ManualClock } from '@casare/testing';
import { describe, expect, it, test } from 'vitest';
import { verdict } from '../classification/verdict.ts';
import { ConnectionError } from '../errors.ts';
import type { CircuitBreakerConfig } from './breaker-config.ts';
import { CircuitBreaker } from './circuit-breaker.ts';

const down = () => Promise.reject(new ConnectionError('down', verdict('S', 'ECONNREFUSED')));
const fine = async () => 'fine';
const settings = { failureThreshold: 2, timeoutMs: 1000, timeoutMultiplier: 2, recoveryMs: 5000 };

function make(config: Partial<CircuitBreakerConfig> = {}) {
  const clock = new ManualClock();
  const breaker = new CircuitBreaker('db', { ...settings, clock, ...config });
  const fail = async (times = 1) => {
    for (let n = 0; n < times; n += 1) await breaker.call(down).catch(() => undefined);
  };
  return { clock, breaker, fail };
}

/** Through JSON, into another process whose clocks show something else. */
function elsewhere(breaker: CircuitBreaker, config: Partial<CircuitBreakerConfig> = {}) {
  const clock = new ManualClock({ startAtMs: 0 });
  const record: unknown = JSON.parse(JSON.stringify(breaker.exportState()));
  return { clock, breaker: CircuitBreaker.fromState('db', record, { ...settings, clock, ...config }) };
}

describe('a breaker that is exported and made anew', () => {
  it('stays open for as long as was left', async () => {
    const { clock, breaker, fail } = make();
    await fail(2);
    await clock.advance(400);
    clock.stepWall(3_600_000);
    const other = elsewhere(breaker);
    expect(other.breaker.getStatus()).toMatchObject({ state: 'OPEN', remainingMs: 600, openings: 1 });
    await other.clock.advance(600);
    expect(await other.breaker.call(fine)).toBe('fine');
  });

  it('still counts what it counted', async () => {
    const { breaker, fail } = make();
    await fail();
    const other = elsewhere(breaker);
    expect(other.breaker.getStatus()).toMatchObject({ state: 'CLOSED', consecutiveFailures: 1 });
    await other.breaker.call(down).catch(() => undefined);
    expect(other.breaker.getStatus().state).toBe('OPEN');
  });

  it('keeps its successes while half open, but not the probes under way', async () => {
    const { clock, breaker, fail } = make();
    await fail(2);
    await clock.advance(1000);
    await breaker.call(fine);
    void breaker.call(() => new Promise(() => undefined));
    const other = elsewhere(breaker);
    expect(other.breaker.getStatus()).toMatchObject({ state: 'HALF_OPEN', halfOpenSuccesses: 1, probesInFlight: 0 });
    await other.breaker.call(fine);
    expect(other.breaker.getStatus().state).toBe('CLOSED');
  });

  it.each(['forceOpen', 'forceClosed'] as const)('stays as an operator left it: %s', async (order) => {
    const { breaker } = make();
    breaker[order]();
    const other = elsewhere(breaker);
    expect(other.breaker.getStatus()).toMatchObject({ state: order === 'forceOpen' ? 'OPEN' : 'CLOSED', forced: true });
    await other.clock.advance(1e9);
    expect(other.breaker.getStatus().forced).toBe(true);
    other.breaker.reset();
    expect(other.breaker.getStatus()).toMatchObject({ state: 'CLOSED', forced: false });
  });

  it('keeps the growth of its open time, and how much of its recovery is done', async () => {
    const { clock, breaker, fail } = make({ successThreshold: 1 });
    await fail(2);
    await clock.advance(1000);
    await breaker.call(fine);
    await clock.advance(4000);
    const other = elsewhere(breaker);
    expect(other.breaker.getStatus().openings).toBe(1);
    await other.clock.advance(1000);
    expect(other.breaker.getStatus().openings).toBe(0);
  });

  it('obeys the settings of now: no open time past the cap, no threshold that is passed already', async () => {
    const { breaker, fail } = make({ timeoutMs: 500_000 });
    await fail(2);
    expect(elsewhere(breaker, { maxTimeoutMs: 2000 }).breaker.getStatus().remainingMs).toBe(2000);
    const counting = make({ failureThreshold: 10 });
    await counting.fail(8);
    expect(elsewhere(counting.breaker).breaker.getStatus()).toMatchObject({ state: 'CLOSED', consecutiveFailures: 1 });
  });

  it('counts anew under another kind of rule', async () => {
    const { breaker, fail } = make();
    await fail();
    const other = elsewhere(breaker, { trip: { kind: 'count-window', size: 4, failureRate: 0.5 } });
    expect(other.breaker.getStatus()).toMatchObject({ consecutiveFailures: 0, countedCalls: 0 });
  });

  it('tells nobody of changes that were not made now', () => {
    const { breaker } = make();
    breaker.forceOpen();
    const changes: unknown[] = [];
    const other = elsewhere(breaker, { onStateChange: (change) => changes.push(change) });
    expect(changes).toEqual([]);
    expect(other.breaker.getStatus().totals.opened).toBe(0);
  });
});

const open = { version: 1, state: 'open', openings: 1, remainingMs: 5 };

test.each([
  ['nothing', undefined, /not an object/],
  ['text', '{}', /not an object/],
  ['a newer version', { ...open, version: 2 }, /version 2 is newer/],
  ['no version', { ...open, version: undefined }, /version must be 1/],
  ['an unknown state', { ...open, state: 'ajar' }, /state must be/],
  ['openings that are none', { ...open, openings: -1 }, /openings/],
  ['a time that is none', { ...open, remainingMs: 'soon' }, /remainingMs/],
  ['a negative time', { ...open, remainingMs: -1 }, /remainingMs/],
  ['no time', { ...open, remainingMs: undefined }, /remainingMs/],
  ['no successes', { version: 1, state: 'half-open', openings: 0 }, /successes/],
  ['counts without a kind', { version: 1, state: 'closed', openings: 0, closedForMs: 0, counts: {} }, /counts.kind/],
  [
    'counts that are none',
    { version: 1, state: 'closed', openings: 0, closedForMs: 0, counts: { kind: 'consecutive', failures: 0.5 } },
    /failures/,
  ],
])('a state is refused that is %s, by name and with a remedy', (_what, record, message) => {
  const attempt = () => CircuitBreaker.fromState('db', record);
  expect(attempt).toThrow(message);
  expect(attempt).toThrow(/^the state of circuit "db" cannot be used/);
  expect(attempt).toThrow(expect.objectContaining({ code: 'INVALID_BREAKER_STATE', remedy: expect.any(String) }));
});
