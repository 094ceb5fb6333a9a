/** A thousand clients of one service that is away for a minute: how they come back, and what they do meanwhile. */
import { expect, test } from 'vitest';
import { CircuitBreaker, ConnectionError, RetryBudget, retry, verdict } from '../src/index.ts';
import { connectionConfig } from '../src/manager/connection-config.ts';
import { ReconnectRules } from '../src/manager/reconnect-schedule.ts';
import { Reconnector } from '../src/manager/reconnector.ts';
import { CrowdClock } from './crowd-clock.ts';

const CLIENTS = Number(process.env.CASARE_HERD_CLIENTS ?? 1_000);
const OUTAGE_MS = 60_000;
/** Only the last of the outage is played, unless told otherwise: looks before that change nothing. */
const FROM_MS = Number(process.env.CASARE_HERD_FROM_MS ?? 56_000);

/** A fixed sequence of chance, so that the figures are the same in every run. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

const down = () => new ConnectionError('down', verdict('S', 'ECONNREFUSED'));

/** The largest share of `times` that falls into one bin. */
function fullestBin(times: readonly number[], binMs: number): number {
  const bins = new Map<number, number>();
  for (const at of times) bins.set(Math.floor(at / binMs), (bins.get(Math.floor(at / binMs)) ?? 0) + 1);
  return Math.max(...bins.values()) / times.length;
}

async function comeBack(count: number, config: Parameters<typeof connectionConfig>[0] = {}) {
  const clock = new CrowdClock(FROM_MS);
  const random = seeded(1);
  const settings = connectionConfig(config);
  const noticed: number[] = [];
  const connected: number[] = [];
  const clients = Array.from({ length: count }, async () => {
    let isNoticed = false;
    const rules = new ReconnectRules(settings, random);
    const loop = new Reconnector(rules.afterLoss(0, down()), {
      clock,
      rules,
      breaker: new CircuitBreaker('service', { clock }),
      purpose: 'reconnecting',
      onFailure: () => undefined,
      probe: async () => {
        if (clock.monotonic() < OUTAGE_MS) throw down();
        if (!isNoticed) noticed.push(clock.monotonic());
        isNoticed = true;
      },
    });
    await loop.run(new AbortController().signal);
    connected.push(clock.monotonic());
  });
  await clock.advance(OUTAGE_MS - FROM_MS + 22_000);
  await Promise.all(clients);
  return { noticed, connected };
}

test('the clients notice within two seconds, and no 100 ms hold more than 2 % of their reconnects', {
  timeout: 120_000,
}, async () => {
  const { noticed, connected } = await comeBack(CLIENTS);
  expect(connected).toHaveLength(CLIENTS);
  expect(Math.max(...noticed)).toBeLessThan(OUTAGE_MS + 2_000);
  expect(fullestBin(connected, 100)).toBeLessThanOrEqual(0.02);
  expect(Math.max(...connected)).toBeLessThan(OUTAGE_MS + 22_000);
});

test('without a spread they would come as a herd: the measure above can fail', async () => {
  const { connected } = await comeBack(200, { maxReconnectSpreadMs: 0 });
  expect(fullestBin(connected, 100)).toBeGreaterThan(0.05);
});

test('looks that hang until their deadline keep no later one back', async () => {
  const clock = new CrowdClock();
  const settings = connectionConfig();
  const rules = new ReconnectRules(settings, seeded(3), () => 1);
  const looks: number[] = [];
  const loop = new Reconnector(rules.afterLoss(0, down()), {
    clock,
    rules,
    breaker: new CircuitBreaker('service', { clock }),
    purpose: 'reconnecting',
    onFailure: () => undefined,
    probe: async (_signal, kind) => {
      if (kind === 'look') looks.push(clock.monotonic());
      await clock.sleep(kind === 'look' ? settings.healthProbeTimeoutMs : settings.connectionTimeoutMs);
      if (clock.monotonic() < 20_000) throw down();
    },
  });
  const back = loop.run(new AbortController().signal);
  await clock.advance(22_000);
  expect(await back).toEqual({ kind: 'connected' });
  const gaps = looks.slice(1).map((at, index) => at - (looks[index] ?? 0));
  expect(Math.max(...gaps)).toBeLessThan(500);
});

test('retries during the outage stay within the budget that the clients share', async () => {
  const clock = new CrowdClock();
  const random = seeded(2);
  const budget = new RetryBudget({ capacity: 100, refillPerSecond: 5, clock });
  let requests = 0;
  const call = async () => {
    requests += 1;
    if (clock.monotonic() < OUTAGE_MS) throw down();
  };
  const calls = Array.from({ length: CLIENTS }, () =>
    retry(call, { clock, random, budget, maxAttempts: 100, maxDelayMs: 10_000 }).catch(() => undefined),
  );
  await clock.advance(OUTAGE_MS - 10);
  const retries = requests - CLIENTS;
  expect(retries).toBeGreaterThan(100);
  expect(retries).toBeLessThanOrEqual(100 + 5 * (OUTAGE_MS / 1000));
  expect(budget.getStatus().granted).toBeLessThanOrEqual(400);
  await clock.advance(60_000);
  await Promise.all(calls);
  expect(clock.sleeping).toBe(0);
});
