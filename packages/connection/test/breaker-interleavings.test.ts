/** The breaker against a plain model, over random interleavings of calls, results, aborts, time and orders. */
import { ManualClock } from '@casare/testing';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CircuitBreaker, CircuitBreakerOpenError, ConnectionError, verdict } from '../src/index.ts';
import { BreakerModel, type ModelRules } from './breaker-model.ts';

const RUNS = Number(process.env.CASARE_PROPERTY_RUNS ?? 400);

type Outcome = 'success' | 'failure' | 'ignored';
type Step =
  | { kind: 'call'; withSignal: boolean }
  | { kind: 'end'; which: number; outcome: Outcome }
  | { kind: 'abort'; which: number; by: 'caller' | 'deadline' }
  | { kind: 'time'; ms: number }
  | { kind: 'order'; what: 'reset' | 'forceOpen' | 'forceClosed' | 'allowTrial' }
  | { kind: 'wall'; ms: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('call' as const), withSignal: fc.boolean() }) },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('end' as const),
      which: fc.nat(50),
      outcome: fc.constantFrom<Outcome>('success', 'failure', 'failure', 'ignored'),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('abort' as const),
      which: fc.nat(50),
      by: fc.constantFrom('caller' as const, 'deadline' as const),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('time' as const), ms: fc.constantFrom(1, 10, 50, 300) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('order' as const),
      what: fc.constantFrom('reset' as const, 'forceOpen' as const, 'forceClosed' as const, 'allowTrial' as const),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('wall' as const), ms: fc.constantFrom(-3_600_000, 3_600_000) }),
  },
);

const rules: fc.Arbitrary<ModelRules> = fc.record({
  failureThreshold: fc.integer({ min: 1, max: 3 }),
  successThreshold: fc.integer({ min: 1, max: 3 }),
  timeoutMs: fc.constantFrom(1, 50, 100),
  timeoutMultiplier: fc.constantFrom(1, 2),
  maxTimeoutMs: fc.constantFrom(100, 350),
  recoveryMs: fc.constantFrom(20, 200),
  halfOpenMaxProbes: fc.integer({ min: 1, max: 3 }),
  probeTimeoutMs: fc.constantFrom(40, 500),
});

interface Call {
  readonly id: number;
  readonly work: PromiseWithResolvers<string>;
  readonly caller: AbortController | undefined;
  /** How the promise that `call` returned settled. */
  settled: unknown;
  /** What it must settle with; undefined while it must not settle. */
  expected: unknown;
}

const errors: { readonly [outcome in 'failure' | 'ignored']: ConnectionError } = {
  failure: new ConnectionError('down', verdict('S', 'ECONNREFUSED')),
  ignored: new ConnectionError('no', verdict('P', 'HTTP_403')),
};
const reasons = { caller: new Error('enough'), deadline: new DOMException('too late', 'TimeoutError') };

async function play(limits: ModelRules, steps: readonly Step[]): Promise<void> {
  const clock = new ManualClock();
  const model = new BreakerModel(limits);
  const breaker = new CircuitBreaker('db', { ...limits, clock });
  const all: Call[] = [];
  let running: Call[] = [];

  const perform = async (todo: Step): Promise<void> => {
    switch (todo.kind) {
      case 'call': {
        const caller = todo.withSignal ? new AbortController() : undefined;
        const call: Call = {
          id: all.length,
          work: Promise.withResolvers<string>(),
          caller,
          settled: undefined,
          expected: undefined,
        };
        let isMade = false;
        const begin = () => {
          isMade = true;
          return call.work.promise;
        };
        breaker.call(begin, { signal: caller?.signal }).then(
          (value) => (call.settled = value),
          (error: unknown) => (call.settled = error),
        );
        all.push(call);
        expect(isMade).toBe(model.call(call.id));
        if (isMade) running.push(call);
        else call.expected = CircuitBreakerOpenError;
        return;
      }
      case 'end': {
        const call = running[todo.which % running.length];
        if (call === undefined) return;
        running = running.filter((other) => other !== call);
        if (todo.outcome === 'success') {
          call.work.resolve(`value ${call.id}`);
          call.expected ??= `value ${call.id}`;
        } else {
          call.work.reject(errors[todo.outcome]);
          call.expected ??= errors[todo.outcome];
        }
        model.end(call.id, todo.outcome);
        return;
      }
      case 'abort': {
        const abortable = running.filter(({ caller }) => caller?.signal.aborted === false);
        const call = abortable[todo.which % abortable.length];
        if (call === undefined) return;
        call.caller?.abort(reasons[todo.by]);
        call.expected ??= reasons[todo.by];
        if (todo.by === 'caller') model.abandon(call.id);
        else model.end(call.id, 'failure');
        return;
      }
      case 'time':
        model.pass(todo.ms);
        await clock.advance(todo.ms);
        return;
      case 'wall':
        clock.stepWall(todo.ms);
        return;
      case 'order':
        model.order(todo.what);
        breaker[todo.what]();
    }
  };

  for (const todo of steps) {
    await perform(todo);
    await new Promise((resolve) => setImmediate(resolve));
    const { state, forced, consecutiveFailures, halfOpenSuccesses, probesInFlight, openings, totals } =
      breaker.getStatus();
    expect({
      state: forced ? `FORCED_${state}` : state,
      failuresInARow: consecutiveFailures,
      successes: halfOpenSuccesses,
      probes: probesInFlight,
      openings,
      totals: { ...totals, listenerFaults: 0 },
    }).toEqual({
      state: model.state,
      failuresInARow: model.failuresInARow,
      successes: model.successes,
      probes: model.probes,
      openings: model.openings,
      totals: { ...model.totals, listenerFaults: 0 },
    });
    expect(probesInFlight).toBeLessThanOrEqual(limits.halfOpenMaxProbes);
    for (const { settled, expected } of all) {
      if (expected === CircuitBreakerOpenError) expect(settled).toBeInstanceOf(CircuitBreakerOpenError);
      else expect(settled).toBe(expected);
    }
  }
}

test('no interleaving of calls, results, aborts, time and orders tells the breaker from the model', async () => {
  await fc.assert(
    fc.asyncProperty(rules, fc.array(step, { maxLength: 80, size: 'max' }), (limits, steps) => play(limits, steps)),
    { numRuns: RUNS },
  );
});
