import { ManualClock } from '@casare/testing';
import { describe, expect, it } from 'vitest';
import { verdict } from '../classification/verdict.ts';
import { CircuitBreakerOpenError, ConnectionError } from '../errors.ts';
import type { CircuitBreakerConfig } from './breaker-config.ts';
import { CircuitBreaker } from './circuit-breaker.ts';
import type { CircuitStateChange } from './circuit-events.ts';

const down = () => Promise.reject(new ConnectionError('down', verdict('S', 'ECONNREFUSED')));
const refused = () => Promise.reject(new ConnectionError('no', verdict('P', 'HTTP_403')));
const fine = () => Promise.resolve('fine');

function setUp(config: Partial<CircuitBreakerConfig> = {}) {
  const clock = new ManualClock();
  const changes: CircuitStateChange[] = [];
  const breaker = new CircuitBreaker('db', {
    failureThreshold: 3,
    timeoutMs: 1000,
    clock,
    onStateChange: (change) => changes.push(change),
    ...config,
  });
  const call = (operation: () => Promise<unknown>) => breaker.call(operation).catch((error: Error) => error);
  const trip = async () => {
    for (let n = 0; n < 3; n += 1) await call(down);
  };
  return { clock, breaker, call, trip, changes };
}

describe('CircuitBreaker', () => {
  it('opens after failures in a row, refuses without calling, and says how long', async () => {
    const { breaker, call, trip, clock } = setUp();
    await call(down);
    await call(down);
    await call(fine);
    await call(down);
    await call(down);
    expect(breaker.getStatus()).toMatchObject({ state: 'CLOSED', consecutiveFailures: 2 });
    await trip();
    expect(breaker.getStatus()).toMatchObject({ state: 'OPEN', totals: { opened: 1 } });
    await clock.advance(400);
    let called = false;
    const error = await call(async () => {
      called = true;
    });
    expect(called).toBe(false);
    expect(error).toBeInstanceOf(CircuitBreakerOpenError);
    const messages = [600, 59_980, 7_199_000].map((ms) => new CircuitBreakerOpenError('db', ms).message);
    expect(messages).toEqual(['600 ms', '60 s', '120 min'].map((wait) => `circuit "db" is open: next try in ${wait}`));
    expect(error).toMatchObject({ code: 'CIRCUIT_OPEN', category: 'transient', ambiguous: false, remainingMs: 600 });
  });

  it('closes after two successes, not one', async () => {
    const { breaker, call, trip, clock, changes } = setUp();
    await trip();
    await clock.advance(1000);
    await call(fine);
    expect(breaker.getStatus()).toMatchObject({ state: 'HALF_OPEN', halfOpenSuccesses: 1 });
    await call(fine);
    expect(breaker.getStatus().state).toBe('CLOSED');
    expect(changes.map(({ from, to }) => `${from}>${to}`)).toEqual([
      'CLOSED>OPEN',
      'OPEN>HALF_OPEN',
      'HALF_OPEN>CLOSED',
    ]);
  });

  it('opens again on a failure while half open', async () => {
    const { breaker, call, trip, clock } = setUp();
    await trip();
    await clock.advance(1000);
    await call(fine);
    await call(down);
    expect(breaker.getStatus()).toMatchObject({ state: 'OPEN', remainingMs: 1000 });
  });

  it('lets no more than its probes through while half open: 1,000 callers, the rest fail fast', async () => {
    const { breaker, trip, clock } = setUp({ halfOpenMaxProbes: 3, successThreshold: 3 });
    await trip();
    await clock.advance(1000);
    let underWay = 0;
    let most = 0;
    const finish = Promise.withResolvers<void>();
    const calls = Array.from({ length: 1000 }, () =>
      breaker.call(async () => {
        underWay += 1;
        most = Math.max(most, underWay);
        await finish.promise;
        underWay -= 1;
      }),
    );
    const settled = Promise.allSettled(calls);
    expect(breaker.getStatus()).toMatchObject({ probesInFlight: 3, totals: { rejected: 997 } });
    finish.resolve();
    const results = await settled;
    expect(most).toBe(3);
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(3);
    expect(breaker.getStatus().state).toBe('CLOSED');
  });

  it('is not blocked for ever by a probe that hangs, and ignores its late result', async () => {
    const { breaker, call, trip, clock } = setUp({ probeTimeoutMs: 5000 });
    await trip();
    await clock.advance(1000);
    const hung = Promise.withResolvers<string>();
    const late = breaker.call(() => hung.promise);
    expect(await call(fine)).toMatchObject({ remainingMs: 5000 });
    await clock.advance(5000);
    expect(await call(fine)).toMatchObject({ code: 'CIRCUIT_OPEN', remainingMs: 1000 });
    await clock.advance(1000);
    await call(fine);
    hung.resolve('late');
    await late;
    expect(breaker.getStatus()).toMatchObject({ state: 'HALF_OPEN', halfOpenSuccesses: 1 });
  });

  it('is not changed by a result of a call begun in an earlier state', async () => {
    const { breaker, call, trip } = setUp();
    const slow = Promise.withResolvers<string>();
    const late = call(() => slow.promise);
    await trip();
    breaker.reset();
    await call(down);
    await call(down);
    slow.reject(new ConnectionError('down', verdict('S', 'ECONNREFUSED')));
    await late;
    expect(breaker.getStatus()).toMatchObject({ state: 'CLOSED', consecutiveFailures: 2 });
  });

  it('ignores what says nothing about the service, and does not take it for a success', async () => {
    const { breaker, call, trip, clock } = setUp();
    await call(down);
    await call(down);
    await call(refused);
    expect(breaker.getStatus()).toMatchObject({ consecutiveFailures: 2, totals: { ignored: 1 } });
    await trip();
    await clock.advance(1000);
    await call(refused);
    await call(refused);
    expect(breaker.getStatus()).toMatchObject({ state: 'HALF_OPEN', halfOpenSuccesses: 0, probesInFlight: 0 });
  });

  it("does not count the caller's own abort", async () => {
    const { breaker } = setUp({ failureThreshold: 1 });
    const caller = new AbortController();
    const call = breaker.call(
      (signal) =>
        new Promise((_resolve, reject) => signal?.addEventListener('abort', () => reject(new Error('reset')))),
      { signal: caller.signal },
    );
    caller.abort();
    await expect(call).rejects.toThrow('reset');
    await expect(breaker.call(fine, { signal: caller.signal })).rejects.toThrow(/aborted/);
    expect(breaker.getStatus()).toMatchObject({ state: 'CLOSED', totals: { ignored: 1, rejected: 0 } });
  });

  it('is not impressed by the wall clock', async () => {
    const { breaker, call, trip, clock } = setUp();
    await trip();
    clock.stepWall(-3_600_000);
    await clock.advance(999);
    expect(await call(fine)).toMatchObject({ remainingMs: 1 });
    clock.stepWall(7_200_000);
    expect(await call(fine)).toMatchObject({ remainingMs: 1 });
    await clock.advance(1);
    expect(await call(fine)).toBe('fine');
    expect(breaker.getStatus().state).toBe('HALF_OPEN');
  });

  it('lets no listener and no judge alter a call', async () => {
    const lines: string[] = [];
    const { breaker, call } = setUp({
      failureThreshold: 1,
      outcomeOf: () => {
        throw new Error('judge');
      },
      onStateChange: () => {
        throw new Error('listener');
      },
      logger: { log: (_level, message) => lines.push(message) },
    });
    expect(await call(() => Promise.reject(new Error('mine')))).toMatchObject({ message: 'mine' });
    expect(breaker.getStatus().state).toBe('OPEN');
    expect(lines).toEqual(['circuit "db": outcomeOf failed: judge', 'the stateChange listener failed: listener']);
  });

  it('stays forced open until it is reset', async () => {
    const { breaker, call, clock } = setUp();
    breaker.forceOpen();
    await clock.advance(1_000_000);
    expect(await call(fine)).toMatchObject({ remainingMs: Number.POSITIVE_INFINITY });
    breaker.allowTrial();
    expect(breaker.getStatus()).toMatchObject({ state: 'OPEN', forced: true, remainingMs: null });
    breaker.reset();
    expect(await call(fine)).toBe('fine');
    expect(breaker.getStatus()).toMatchObject({ state: 'CLOSED', forced: false });
  });

  it('counts a synchronous throw like a rejection', async () => {
    const { breaker, call } = setUp({ failureThreshold: 1, outcomeOf: () => 'failure' });
    const error = await call(() => {
      throw new Error('at once');
    });
    expect(error).toMatchObject({ message: 'at once' });
    expect(breaker.getStatus().state).toBe('OPEN');
  });

  it('refuses settings that mean nothing', () => {
    expect(() => new CircuitBreaker('x', { failureThreshold: 0 })).toThrow(/failureThreshold/);
    expect(() => new CircuitBreaker('x', { timeoutMs: Number.NaN })).toThrow(/timeoutMs/);
  });
});
