/** What a breaker does beyond the plain course of things: events, aborts, growth, odd operations and odd company. */
import { ManualClock } from '@casare/testing';
import { describe, expect, it } from 'vitest';
import { CircuitBreaker, type CircuitBreakerConfig, ConnectionError, verdict } from '../src/index.ts';

const down = () => Promise.reject(new ConnectionError('down', verdict('S', 'ECONNREFUSED')));
const fine = async () => 'fine';
const turn = () => new Promise((resolve) => setImmediate(resolve));

const thenable = (settle: (resolve: (value: string) => void, reject: (error: unknown) => void) => void) => ({
  // biome-ignore lint/suspicious/noThenProperty: a thenable that is no promise is what is tested
  then: settle,
});

function setUp(config: Partial<CircuitBreakerConfig> = {}) {
  const clock = new ManualClock();
  const log: string[] = [];
  const breaker = new CircuitBreaker('db', {
    failureThreshold: 1,
    timeoutMs: 1000,
    clock,
    logger: { log: (_level, message) => log.push(message) },
    ...config,
  });
  const call = (operation: () => unknown) => breaker.call(operation).catch((error: unknown) => error);
  const rounds = async (count: number) => {
    const openMs: (number | null)[] = [];
    for (let n = 0; n < count; n += 1) {
      await call(down);
      openMs.push(breaker.getStatus().remainingMs);
      await clock.advance(breaker.getStatus().remainingMs ?? 0);
    }
    return openMs;
  };
  return { clock, breaker, call, rounds, log };
}

describe('events', () => {
  it('tell what happened, in order, even when a listener causes the next one', async () => {
    const { breaker, call } = setUp();
    const heard: string[] = [];
    breaker.on('stateChange', ({ to }) => {
      if (to === 'OPEN') breaker.reset();
    });
    breaker.on('stateChange', ({ from, to }) => heard.push(`${from}>${to}`));
    breaker.on('success', () => heard.push('success')).on('failure', () => heard.push('failure'));
    breaker.on('ignored', () => heard.push('ignored')).on('rejected', () => heard.push('rejected'));
    await call(fine);
    await call(() => Promise.reject(new ConnectionError('no', verdict('P', 'HTTP_403'))));
    await call(down);
    breaker.forceOpen();
    await call(fine);
    expect(heard).toEqual([
      ...['success', 'ignored', 'failure', 'CLOSED>OPEN', 'OPEN>CLOSED'],
      ...['CLOSED>OPEN', 'OPEN>CLOSED'],
      'success',
    ]);
  });

  it('no longer reach a listener that was taken off', async () => {
    const { breaker, call } = setUp();
    const heard: string[] = [];
    const listener = () => heard.push('success');
    breaker.on('success', listener);
    breaker.on('success', listener);
    await call(fine);
    breaker.off('success', listener);
    await call(fine);
    expect(heard).toEqual(['success']);
  });

  it('cannot be used to alter, delay or hide a call, whatever the listeners and the logger do', async () => {
    const hostile = {
      get message(): string {
        throw new Error('no message');
      },
    };
    const { breaker, call, log } = setUp();
    breaker.on('failure', () => {
      throw hostile;
    });
    breaker.on('failure', async () => {
      throw new Error('later');
    });
    breaker.on('failure', () => new Promise(() => undefined));
    breaker.on('failure', () => Object.create(null) as object);
    breaker.on('failure', () => thenable((_, reject) => reject('thenable')));
    const error = await call(down);
    await turn();
    expect(error).toMatchObject({ code: 'ECONNREFUSED' });
    expect(breaker.getStatus()).toMatchObject({ state: 'OPEN', totals: { listenerFaults: 3 } });
    expect(log).toHaveLength(3);

    const mute = setUp({
      logger: {
        log: () => {
          throw new Error('logger');
        },
      },
    });
    mute.breaker.on('success', () => {
      throw new Error('listener');
    });
    expect(await mute.call(fine)).toBe('fine');
  });

  it('may lead to calls of the same breaker', async () => {
    const { breaker, call, clock } = setUp({ successThreshold: 1 });
    const inner: unknown[] = [];
    breaker.on('stateChange', ({ to }) => {
      if (to === 'HALF_OPEN')
        breaker.call(fine).then(
          (value) => inner.push(value),
          (error) => inner.push(error),
        );
    });
    await call(down);
    await clock.advance(1000);
    expect(await call(fine)).toMatchObject({ code: 'CIRCUIT_OPEN' });
    expect(inner).toEqual(['fine']);
    expect(breaker.getStatus().state).toBe('CLOSED');
  });
});

describe('a signal', () => {
  it('settles the call at once, and the caller is not held against the service', async () => {
    const { breaker } = setUp();
    const caller = new AbortController();
    const call = breaker.call(() => new Promise(() => undefined), { signal: caller.signal });
    caller.abort(new Error('enough'));
    await expect(call).rejects.toThrow('enough');
    expect(breaker.getStatus()).toMatchObject({ state: 'CLOSED', totals: { failures: 0 } });
  });

  it('of a deadline speaks against the service, even if the call never ends', async () => {
    for (const reason of [new DOMException('x', 'TimeoutError'), new ConnectionError('x', verdict('A', 'TIMEOUT'))]) {
      const { breaker } = setUp();
      const deadline = new AbortController();
      const call = breaker.call(() => new Promise(() => undefined), { signal: deadline.signal });
      deadline.abort(reason);
      await expect(call).rejects.toBe(reason);
      expect(breaker.getStatus()).toMatchObject({ state: 'OPEN', totals: { failures: 1 } });
    }
  });

  it('leaves an abandoned probe its place until it ends, and then nothing', async () => {
    const { breaker, call, clock } = setUp({ probeTimeoutMs: 5000 });
    await call(down);
    await clock.advance(1000);
    const caller = new AbortController();
    const work = Promise.withResolvers<string>();
    const probe = breaker.call(() => work.promise, { signal: caller.signal });
    caller.abort();
    await expect(probe).rejects.toThrow();
    expect(await call(fine)).toMatchObject({ code: 'CIRCUIT_OPEN' });
    work.reject(new Error('late'));
    await turn();
    expect(breaker.getStatus()).toMatchObject({ state: 'HALF_OPEN', probesInFlight: 0, totals: { ignored: 1 } });
  });

  it('does not let an abandoned probe that hangs open the circuit again', async () => {
    const { breaker, call, clock } = setUp({ probeTimeoutMs: 5000 });
    await call(down);
    await clock.advance(1000);
    const caller = new AbortController();
    breaker.call(() => new Promise(() => undefined), { signal: caller.signal }).catch(() => undefined);
    caller.abort();
    await turn();
    await clock.advance(5000);
    expect(breaker.getStatus()).toMatchObject({ state: 'HALF_OPEN', probesInFlight: 0 });
    expect(await call(fine)).toBe('fine');
  });
});

describe('the open time', () => {
  it('grows with every opening, up to its cap', async () => {
    const { rounds } = setUp({ timeoutMultiplier: 3, maxTimeoutMs: 20_000 });
    expect(await rounds(5)).toEqual([1000, 3000, 9000, 20_000, 20_000]);
  });

  it('is always the same unless told otherwise', async () => {
    expect(await setUp().rounds(3)).toEqual([1000, 1000, 1000]);
  });

  it('begins anew after a recovery that was proven, not after one success', async () => {
    const { rounds, call, clock, breaker } = setUp({ timeoutMultiplier: 2, recoveryMs: 5000, successThreshold: 1 });
    await rounds(2);
    await call(fine);
    await clock.advance(4999);
    expect(await rounds(1)).toEqual([4000]);
    await call(fine);
    await clock.advance(5000);
    expect(breaker.getStatus().openings).toBe(0);
    expect(await rounds(1)).toEqual([1000]);
  });

  it('is shortened by chance, by no more than its share, and never past the cap', async () => {
    for (const [chance, expected] of [
      [0, 1000],
      [0.5, 900],
      [0.999999, 800],
    ] as const) {
      const [openMs] = await setUp({ timeoutJitter: 0.2, random: () => chance, maxTimeoutMs: 1000 }).rounds(1);
      expect(openMs).toBeCloseTo(expected, 2);
    }
  });

  it('may be nothing, or for ever', async () => {
    const never = setUp({ timeoutMs: 0, timeoutMultiplier: 10 });
    await never.call(down);
    expect(await never.call(fine)).toBe('fine');
    const forEver = setUp({ timeoutMs: Number.POSITIVE_INFINITY });
    await forEver.call(down);
    await forEver.clock.advance(1e12);
    expect(await forEver.call(fine)).toMatchObject({ code: 'CIRCUIT_OPEN', remainingMs: Number.POSITIVE_INFINITY });
  });
});

describe('forced closed', () => {
  it('lets everything through and counts nothing, until it is reset', async () => {
    const { breaker, call } = setUp();
    breaker.forceClosed();
    for (let n = 0; n < 10; n += 1) await call(down);
    expect(breaker.getStatus()).toMatchObject({ state: 'CLOSED', forced: true, totals: { failures: 10, opened: 0 } });
    breaker.reset();
    await call(down);
    expect(breaker.getStatus()).toMatchObject({ state: 'OPEN', forced: false });
  });
});

describe('an operation', () => {
  it('may return anything that can be awaited, or nothing of the kind', async () => {
    const { call } = setUp();
    expect(await call(() => 7)).toBe(7);
    expect(await call(() => thenable((resolve) => resolve('thenable')))).toBe('thenable');
    expect(await call(() => Promise.resolve(thenable((resolve) => resolve('nested'))))).toBe('nested');
  });

  it('that breaks the rules of promises is still counted once, and settles the call once', async () => {
    const { breaker, call } = setUp({ failureThreshold: 2, outcomeOf: () => 'failure' });
    const twice = thenable((resolve, reject) => {
      resolve('first');
      reject(new Error('second'));
      throw new Error('third');
    });
    expect(await call(() => twice)).toBe('first');
    const odd = Promise.resolve('odd');
    void Object.defineProperty(odd, 'then', { value: () => 'tampered' });
    expect(await call(() => odd)).toBe('odd');
    const hostile = Object.defineProperty({}, 'then', {
      get() {
        throw new Error('getter');
      },
    });
    expect(await call(() => hostile)).toMatchObject({ message: 'getter' });
    expect(breaker.getStatus().totals).toMatchObject({ successes: 2, failures: 1 });
  });

  it('may throw anything, also nothing', async () => {
    const { breaker } = setUp({ outcomeOf: () => 'failure' });
    await expect(breaker.call(() => Promise.reject())).rejects.toBeUndefined();
    expect(breaker.getStatus().state).toBe('OPEN');
  });

  it('may call the breaker itself, and force it', async () => {
    const { breaker, call } = setUp();
    expect(await call(() => breaker.call(() => breaker.call(fine)))).toBe('fine');
    await call(() => {
      breaker.forceOpen();
      return 'late';
    });
    expect(breaker.getStatus()).toMatchObject({ state: 'OPEN', forced: true });
  });

  it('that resolved may still speak against the service', async () => {
    const { breaker, call } = setUp({
      outcomeOfValue: (value) => ((value as { status: number }).status >= 500 ? 'failure' : 'success'),
    });
    expect(await call(async () => ({ status: 503 }))).toEqual({ status: 503 });
    expect(breaker.getStatus().state).toBe('OPEN');
  });
});

describe('a part of the configuration that fails', () => {
  it('is logged, and does not replace what the call came to', async () => {
    const fault = () => {
      throw new Error('part');
    };
    const { call, breaker, log } = setUp({
      trip: () => ({ success: fault, failure: fault, clear: () => undefined, counts: { failures: 0, calls: 0 } }),
    });
    expect(await call(fine)).toBe('fine');
    expect(await call(down)).toMatchObject({ code: 'ECONNREFUSED' });
    expect(breaker.getStatus().state).toBe('CLOSED');
    expect(log).toHaveLength(2);
    const unsure = setUp({ outcomeOf: () => 'perhaps' as never });
    await unsure.call(down);
    expect(unsure.breaker.getStatus().totals.failures).toBe(1);
  });

  it.each([
    [{ timeoutMultiplier: 0.5 }, /timeoutMultiplier/],
    [{ maxTimeoutMs: 10 }, /maxTimeoutMs/],
    [{ timeoutJitter: 1.5 }, /timeoutJitter/],
    [{ recoveryMs: -1 }, /recoveryMs/],
    [{ halfOpenMaxProbes: 1.5 }, /halfOpenMaxProbes/],
  ])('is refused when it means nothing: %j', (config, message) => {
    expect(() => setUp(config)).toThrow(message);
  });
});
