import { ManualClock } from '@casare/testing';
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { verdict } from '../classification/verdict.ts';
import { ConnectionError } from '../errors.ts';
import { wrapError } from '../manager/translate-error.ts';
import { Redactor } from '../redactor.ts';
import { TokenKeeper, type TokenKeeperOptions } from './token-keeper.ts';
import { statedLifeMs } from './token-life.ts';
import type { Grant } from './token-source.ts';

const MINUTE = 60_000;
const patient = new AbortController().signal;

/** A keeper whose source gives `t1`, `t2`, ... for as long as `answers` does not say otherwise. */
function keep(options: Partial<TokenKeeperOptions> & { answer?: (n: number) => Promise<Grant> | Grant } = {}) {
  const clock = new ManualClock();
  const asked: number[] = [];
  const failures: ConnectionError[] = [];
  const answer = options.answer ?? ((n: number) => ({ token: `t${n}`, lifeMs: 60 * MINUTE }));
  const keeper = new TokenKeeper({
    kind: 'jwt',
    source: {
      async obtain() {
        asked.push(clock.monotonic());
        return answer(asked.length);
      },
    },
    clock,
    random: () => 0.5,
    refreshTimeoutMs: 10_000,
    refusedRetryMs: 30_000,
    wrap: (error) => wrapError(error, new Redactor([])),
    redactor: new Redactor([]),
    onRefreshFailed: (error) => failures.push(error),
    ...options,
  });
  const end = new AbortController();
  const running = keeper.run(end.signal);
  const stop = async () => {
    end.abort();
    await running;
  };
  return { keeper, clock, asked, failures, stop };
}

const refusal = () => new ConnectionError('no', verdict('U', 'SIGN_IN_REFUSED'));

describe('a token', () => {
  it('is obtained once for everybody', async () => {
    const { keeper, asked } = keep();
    const tokens = await Promise.all(Array.from({ length: 100 }, () => keeper.token(patient)));
    expect(new Set(tokens)).toEqual(new Set(['t1']));
    expect(asked).toHaveLength(1);
  });

  it('is refreshed at 80 % of its life or a little before, without being asked for', async () => {
    for (const chance of [0, 0.5, 0.999]) {
      const { keeper, clock, asked, stop } = keep({ random: () => chance });
      await keeper.token(patient);
      await clock.advance(100 * MINUTE);
      const share = (asked[1] ?? 0) / (60 * MINUTE);
      expect(share).toBeGreaterThanOrEqual(0.72 - 1e-9);
      expect(share).toBeLessThanOrEqual(0.8 + 1e-9);
      expect(asked).toHaveLength(3);
      await stop();
      expect(clock.sleeping).toBe(0);
    }
  });

  it('lives by the monotonic clock, whatever happens to the wall clock', async () => {
    const { keeper, clock, asked } = keep();
    await keeper.token(patient);
    for (const step of [3_600_000, -7_200_000]) {
      clock.stepWall(step);
      await clock.advance(MINUTE);
      expect(await keeper.token(patient)).toBe('t1');
    }
    expect(asked).toHaveLength(1);
  });

  it.each([0, 0.1, 1])('that is to live for %s ms only is not replaced without end', async (lifeMs) => {
    const { keeper, clock, asked, stop } = keep({ answer: (n) => ({ token: `t${n}`, lifeMs }) });
    await keeper.token(patient);
    await clock.advance(10_000);
    expect(asked.length).toBeLessThan(20);
    const before = asked.length;
    await Promise.all(Array.from({ length: 100 }, () => keeper.token(patient)));
    expect(asked.length - before).toBeLessThanOrEqual(1);
    await stop();
  });

  it('counts from the moment it was asked for, not from the answer', async () => {
    const clock = new ManualClock();
    const { keeper } = keep({
      clock,
      source: {
        async obtain() {
          await clock.sleep(9_000);
          return { token: 'slow', lifeMs: 10_000 };
        },
      },
    });
    const first = keeper.token(patient);
    await clock.advance(9_000);
    expect(await first).toBe('slow');
    expect(keeper.status).toMatchObject({ isSignedIn: true, expiresInMs: 500 });
  });

  it('that is still good is handed out while a refresh hangs', async () => {
    const { keeper, clock, asked } = keep({
      answer: (n) => (n === 1 ? { token: 't1', lifeMs: 60 * MINUTE } : new Promise(() => undefined)),
    });
    await keeper.token(patient);
    await clock.advance(50 * MINUTE);
    expect(asked.length).toBeGreaterThanOrEqual(2);
    expect(await keeper.token(patient)).toBe('t1');
  });

  it('that never comes fails all who wait for it at the deadline, and them alone', async () => {
    const { keeper, clock, failures } = keep({
      answer: (n) => (n === 1 ? new Promise(() => undefined) : { token: 't2', lifeMs: null }),
    });
    const waiting = Promise.allSettled([keeper.token(patient), keeper.token(patient)]);
    await clock.advance(10_000);
    const code = { status: 'rejected', reason: { class: 'S', code: 'AUTH_TIMEOUT', ambiguous: false } };
    expect(await waiting).toMatchObject([code, code]);
    expect(failures).toHaveLength(1);
    await clock.advance(1_000);
    expect(await keeper.token(patient)).toBe('t2');
  });

  it('is not waited for by a caller who leaves', async () => {
    const { keeper } = keep({ answer: () => new Promise(() => undefined) });
    const caller = new AbortController();
    const waiting = keeper.token(caller.signal);
    caller.abort('enough');
    await expect(waiting).rejects.toBe('enough');
  });

  it('that is refused at the source is not asked for again by every call', async () => {
    const { keeper, clock, asked, failures } = keep({ answer: () => Promise.reject(refusal()) });
    for (let n = 0; n < 50; n += 1) {
      await expect(keeper.token(patient)).rejects.toMatchObject({ class: 'U', code: 'SIGN_IN_REFUSED' });
    }
    expect(asked).toHaveLength(1);
    expect(failures).toHaveLength(1);
    await clock.advance(30_000);
    await expect(keeper.token(patient)).rejects.toMatchObject({ class: 'U' });
    expect(asked).toHaveLength(2);
  });

  it('whose provider throws anything at all leads to an error that may be over soon', async () => {
    const { keeper } = keep({ answer: () => Promise.reject(new Error('vault is sealed')) });
    await expect(keeper.token(patient)).rejects.toMatchObject({
      class: 'S',
      code: 'TOKEN_PROVIDER_FAILED',
      message: 'no token: vault is sealed',
    });
  });

  it('is tried again after a failed refresh, while the old one is used to its end', async () => {
    const { keeper, clock, asked } = keep({
      answer: (n) =>
        n === 1
          ? { token: 't1', lifeMs: 10 * MINUTE }
          : Promise.reject(Object.assign(new Error('x'), { code: 'ECONNREFUSED' })),
    });
    await keeper.token(patient);
    await clock.advance(9 * MINUTE);
    expect(asked.length).toBeGreaterThan(30);
    expect(await keeper.token(patient)).toBe('t1');
    await clock.advance(MINUTE);
    await expect(keeper.token(patient)).rejects.toMatchObject({ class: 'S', code: 'ECONNREFUSED' });
  });
});

describe('a token that the server refuses', () => {
  it('is replaced once, for all who were refused', async () => {
    const { keeper, asked } = keep();
    const old = await keeper.token(patient);
    const renewed = await Promise.all(Array.from({ length: 20 }, () => keeper.renew(old, patient)));
    expect(new Set(renewed)).toEqual(new Set(['t2']));
    expect(asked).toHaveLength(2);
    expect(await keeper.renew('t2', patient), 'not again at once').toBeNull();
    expect(asked).toHaveLength(2);
  });

  it('has no replacement where the source still gives the same', async () => {
    const { keeper } = keep({ answer: () => ({ token: 'same', lifeMs: null }) });
    expect(await keeper.renew(await keeper.token(patient), patient)).toBeNull();
  });
});

describe('a token from a file', () => {
  it('is looked for again past 80 %, not continuously', async () => {
    const { keeper, clock, asked } = keep({ answer: () => ({ token: 'same', lifeMs: 10 * MINUTE }) });
    await keeper.token(patient);
    await clock.advance(9 * MINUTE);
    expect(asked.length).toBeGreaterThan(2);
    expect(asked.length).toBeLessThan(60);
  });
});

test('the life that a JWT states is that of its issuer, whatever the time here', () => {
  const jwt = (claims: object) => `x.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.y`;
  expect(statedLifeMs(jwt({ iat: 1_000, exp: 4_600 }), Date.now())).toBe(3_600_000);
  expect(statedLifeMs(jwt({ exp: 4_600 }), 4_000_000)).toBe(600_000);
  expect(statedLifeMs(jwt({ exp: 4_600 }), 9_000_000)).toBe(0);
  for (const odd of [jwt({}), 'no-jwt', 'a.b.c', '']) expect(statedLifeMs(odd, 0)).toBeNull();
});

test('a refresh whose source hangs ends as soon as the keeper is told to end', async () => {
  const hang = new Promise<Grant>(() => undefined);
  const { keeper, clock, asked, stop } = keep({
    answer: (n) => (n === 1 ? { token: 't1', lifeMs: MINUTE } : hang),
  });
  await keeper.token(patient);
  await clock.advance(MINUTE * 0.9);
  expect(asked).toHaveLength(2);
  await stop();
  expect(clock.sleeping).toBe(0);
});

test('whatever callers, time and source do, no token is used beyond its life and none is obtained twice at a time', async () => {
  const step = fc.oneof(
    fc.record({ do: fc.constant('call' as const) }),
    fc.record({ do: fc.constant('refuse' as const) }),
    fc.record({ do: fc.constant('time' as const), ms: fc.constantFrom(1, 500, 1_000, 20_000, 55_000, 90_000) }),
    fc.record({ do: fc.constant('wall' as const), ms: fc.constantFrom(-3_600_000, 3_600_000) }),
    fc.record({ do: fc.constant('source' as const), how: fc.constantFrom('well', 'slow', 'hang', 'refuse', 'break') }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
      const clock = new ManualClock();
      const lifeMs = 60_000;
      const bornAt = new Map<string, number>();
      let how = 'well';
      let underWay = 0;
      let number = 0;
      const source = {
        async obtain(signal: AbortSignal): Promise<Grant> {
          underWay += 1;
          expect(underWay).toBe(1);
          try {
            const askedAt = clock.monotonic();
            if (how === 'slow') await clock.sleep(4_000, signal);
            if (how === 'hang')
              await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
            if (how === 'refuse') throw refusal();
            if (how === 'break') throw new Error('broken');
            number += 1;
            bornAt.set(`t${number}`, askedAt);
            return { token: `t${number}`, lifeMs };
          } finally {
            underWay -= 1;
          }
        },
      };
      const { keeper, stop } = keep({ clock, source, random: () => 0.3 });
      const calls: Promise<unknown>[] = [];
      let last = '';
      for (const todo of steps) {
        if (todo.do === 'time') await clock.advance(todo.ms);
        if (todo.do === 'wall') clock.stepWall(todo.ms);
        if (todo.do === 'source') how = todo.how;
        if (todo.do === 'refuse') calls.push(keeper.renew(last, patient).catch(() => undefined));
        if (todo.do === 'call') {
          calls.push(
            keeper.token(patient).then(
              (token) => {
                last = token;
                expect(clock.monotonic() - (bornAt.get(token) ?? Number.NaN)).toBeLessThan(lifeMs);
              },
              (error: unknown) => expect(error).toBeInstanceOf(ConnectionError),
            ),
          );
        }
      }
      await stop();
      await clock.advance(20_000);
      await Promise.all(calls);
      expect(clock.sleeping).toBe(0);
    }),
    { numRuns: Number(process.env.CASARE_PROPERTY_RUNS ?? 100) },
  );
});
