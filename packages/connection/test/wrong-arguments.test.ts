import { expect, it } from 'vitest';
import {
  backoffDelayMs,
  CircuitBreaker,
  CircuitBreakerRegistry,
  ConnectionManager,
  createClassifier,
  DEFAULT_CONNECTION_CONFIG,
  PollPacer,
  RetryBudget,
  readAnswer,
  readBytes,
  retry,
  retryAsync,
  systemClock,
  tokenFile,
  WakeUps,
} from '../src/index.ts';

/** A call with arguments that are right; each is then replaced, and each part of it, by something wrong. */
type Call = readonly [name: string, call: (...args: never[]) => unknown, args: readonly unknown[]];

const clock = systemClock;
const logger = { log: () => undefined };
const trip = { kind: 'count-window', size: 10, failureRate: 0.5 };
const breakerConfig = { failureThreshold: 3, trip, timeoutMs: 10, outcomeOf: () => 'failure', clock, logger };
const state = new CircuitBreaker('n').exportState();
const project = { url: 'http://127.0.0.1:1', key: 'k' };
const manager = new ConnectionManager(project);
const answer = async () => ({ data: 1, error: null, status: 200 });
const now = { whenDisconnected: 'fail', timeoutMs: 50, idempotent: true, maxAttempts: 1 };

const calls: readonly Call[] = [
  ['new CircuitBreaker', (...a: never[]) => Reflect.construct(CircuitBreaker, a), ['n', breakerConfig]],
  ['CircuitBreaker.fromState', (...a: never[]) => Reflect.apply(CircuitBreaker.fromState, null, a), ['n', state, {}]],
  [
    'a trip rule of its own',
    (rule: never) => new CircuitBreaker('n', { trip: () => rule }).getStatus(),
    [{ success: () => 0, failure: () => false, clear: () => 0, counts: { failures: 0, calls: 0 } }],
  ],
  [
    'breaker.call',
    (...a: never[]) => new CircuitBreaker('n').call(...(a as never as [never])),
    [answer, { signal: new AbortController().signal }],
  ],
  [
    'breaker.on',
    (...a: never[]) => new CircuitBreaker('n').on(...(a as never as [never, never])),
    ['stateChange', answer],
  ],
  ['new CircuitBreakerRegistry', (o: never) => new CircuitBreakerRegistry(o), [{ maxBreakers: 5, defaults: {} }]],
  ['registry.get', (...a: never[]) => new CircuitBreakerRegistry().get(...(a as never as [never])), ['a', { trip }]],
  ['registry.restore', (states: never) => new CircuitBreakerRegistry().restore(states), [[['a', state]]]],
  [
    'retry',
    retry,
    [answer, { maxAttempts: 2, jitter: true, timeoutMs: 9, budget: new RetryBudget(), clock, onRetry: () => 0 }],
  ],
  ['retryAsync', retryAsync, [answer, [1], { maxAttempts: 1 }]],
  ['new RetryBudget', (o: never) => new RetryBudget(o), [{ capacity: 5, clock }]],
  [
    'backoffDelayMs',
    backoffDelayMs,
    [2, { initialDelayMs: 1, maxDelayMs: 2, backoffMultiplier: 2, jitter: true }, () => 0.5, 5, 5],
  ],
  ['readAnswer', readAnswer, [new Response(null), { maxBytes: 5 }]],
  ['readBytes', readBytes, [new Response(null), { maxBytes: 5 }]],
  ['createClassifier', createClassifier, [[() => undefined]]],
  ['new PollPacer', (o: never) => new PollPacer(o), [{ pollIntervalMs: 5, relaxedIntervalMs: 10, clock }]],
  ['tokenFile', tokenFile, ['/none']],
  [
    'new ConnectionManager',
    (o: never) => new ConnectionManager(o),
    [
      {
        ...{ ...project, auth: { kind: 'password', email: 'e', password: 'p' }, config: DEFAULT_CONNECTION_CONFIG },
        ...{ retry: { maxAttempts: 1 }, breaker: { trip }, probe: answer, clock, logger, fleetSize: () => 3 },
      },
    ],
  ],
  ['manager.execute', (...a: never[]) => manager.execute(...(a as never as [never])), [answer, now]],
  ['manager.rpc', (...a: never[]) => manager.rpc(...(a as never as [never])), ['f', {}, now]],
  ['manager.accessToken', (signal: never) => manager.accessToken(signal), [new AbortController().signal]],
  [
    'new WakeUps',
    (o: never) => new WakeUps(o),
    [{ ...project, token: async () => 't', topics: [{ name: 't', spreadMs: 1 }], onWakeUp: () => 0, config: {} }],
  ],
];

const wrong = [undefined, null, '', 'text', Number.NaN, -1, 1.5, true, {}, [], [null], () => 1, Symbol('s'), 10n];

function* variants(value: unknown, levels: number): Generator<unknown> {
  yield* wrong;
  if (levels === 0 || typeof value !== 'object' || value === null) return;
  if (!Array.isArray(value) && Object.getPrototypeOf(value) !== Object.prototype) return;
  for (const [key, part] of Object.entries(value)) {
    for (const other of variants(part, levels - 1)) {
      yield Array.isArray(value) ? value.with(Number(key), other) : { ...value, [key]: other };
    }
  }
}

async function rawErrors([name, run, args]: Call): Promise<readonly string[]> {
  const raw = new Set<string>();
  for (const [index, arg] of args.entries()) {
    for (const variant of variants(arg, 3)) {
      try {
        await Reflect.apply(run, null, args.with(index, variant));
      } catch (error) {
        const { code } = error as { readonly code?: unknown };
        if (typeof code !== 'string') raw.add(`${name}: ${String(error)}`);
      }
    }
  }
  return [...raw];
}

it.each(calls)('%s refuses wrong arguments as its own, never by an error of the language', async (...call) => {
  expect(await rawErrors(call)).toEqual([]);
});

it('names the argument, what it must be and what it was', async () => {
  const refusals: readonly [() => unknown, string][] = [
    [
      () => new CircuitBreaker('n', { clock: {} as never }),
      'clock must be an object with monotonic(), but is an object',
    ],
    [() => new CircuitBreaker('n', { timeoutMs: -1 }), 'timeoutMs must be a number >= 0, but is -1'],
    [
      () => new CircuitBreaker('n', { timeout: 5 } as never),
      'config.timeout must be left out, or be written timeoutMs, but is 5',
    ],
    [
      () => retry(answer, { maxAttempt: 5 } as never),
      'options.maxAttempt must be left out, or be written maxAttempts, but is 5',
    ],
    [() => new CircuitBreaker('n').call(undefined as never), 'operation must be a function'],
    [
      () => manager.execute(answer, { whenDisconnected: 'never' as never }),
      'whenDisconnected must be wait or fail, but is "never"',
    ],
  ];
  for (const [refused, message] of refusals) {
    await expect((async () => refused())()).rejects.toMatchObject({
      ...{ name: 'ArgumentError', code: 'INVALID_ARGUMENT', category: 'permanent', class: 'P' },
      message: expect.stringContaining(message),
    });
  }
});
