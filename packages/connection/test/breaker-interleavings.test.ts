/** The breaker's core against a plain model, over random interleavings of calls, results and time. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { BreakerRules, BreakerState, CallOutcome, Permit } from '../src/breaker/breaker-core.ts';
import * as core from '../src/breaker/breaker-core.ts';

type Step =
  | { kind: 'call' }
  | { kind: 'settle'; which: number; outcome: CallOutcome }
  | { kind: 'time'; ms: number }
  | { kind: 'reset' | 'forceOpen' | 'allowTrial' };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.constant({ kind: 'call' } as const) },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('settle' as const),
      which: fc.nat(50),
      outcome: fc.constantFrom<CallOutcome>('success', 'failure', 'failure', 'ignored'),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('time' as const), ms: fc.constantFrom(1, 50, 100, 1000) }) },
  { weight: 1, arbitrary: fc.constantFrom<Step>({ kind: 'reset' }, { kind: 'forceOpen' }, { kind: 'allowTrial' }) },
);

const rules: fc.Arbitrary<BreakerRules> = fc.record({
  failureThreshold: fc.integer({ min: 1, max: 4 }),
  successThreshold: fc.integer({ min: 1, max: 4 }),
  timeoutMs: fc.constantFrom(0, 100, 500),
  halfOpenMaxProbes: fc.integer({ min: 1, max: 3 }),
  probeTimeoutMs: fc.constantFrom(100, 2000),
});

interface World {
  state: BreakerState;
  now: number;
  underWay: Permit[];
  /** What the outcomes seen in the present generation add up to. */
  failuresInARow: number;
  successes: number;
}

const turns = { reset: core.reset, forceOpen: core.forceOpen, allowTrial: core.allowTrial };

function play(world: World, todo: Step, limits: BreakerRules): void {
  const before = world.state;
  const enter = (next: BreakerState): void => {
    world.state = next;
    if (next.generation !== before.generation) {
      world.failuresInARow = 0;
      world.successes = 0;
    }
  };
  switch (todo.kind) {
    case 'time':
      world.now += todo.ms;
      return;
    case 'call': {
      const answer = core.admit(before, world.now, limits);
      enter(answer.state);
      if (answer.admitted) {
        expect(['closed', 'half-open']).toContain(answer.state.kind);
        expect(answer.permit.generation).toBe(answer.state.generation);
        world.underWay.push(answer.permit);
      } else {
        expect(answer.remainingMs).toBeGreaterThanOrEqual(0);
        expect(answer.state.kind).not.toBe('closed');
      }
      return;
    }
    case 'settle': {
      if (world.underWay.length === 0) return;
      const [permit] = world.underWay.splice(todo.which % world.underWay.length, 1);
      if (permit === undefined) return;
      const next = core.settle(before, permit, todo.outcome, world.now, limits);
      if (permit.generation !== before.generation) {
        expect(next, 'a late result changes nothing').toBe(before);
        return;
      }
      if (todo.outcome === 'ignored') {
        expect(next.generation, 'an ignored outcome enters no state').toBe(before.generation);
        expect({ ...next, probes: [] }).toEqual({ ...before, probes: [] });
      }
      if (todo.outcome === 'failure') world.failuresInARow += 1;
      if (todo.outcome === 'success') {
        world.failuresInARow = 0;
        world.successes += 1;
      }
      if (before.kind === 'closed') {
        expect(next.kind).toBe(world.failuresInARow >= limits.failureThreshold ? 'open' : 'closed');
      } else if (todo.outcome === 'failure') {
        expect(next.kind).toBe('open');
      } else {
        expect(next.kind).toBe(world.successes >= limits.successThreshold ? 'closed' : 'half-open');
      }
      enter(next);
      return;
    }
    default:
      enter(turns[todo.kind](before));
  }
}

test('no interleaving of calls, results and time breaks a promise of the breaker', () => {
  fc.assert(
    fc.property(rules, fc.array(step, { maxLength: 120 }), (limits, steps) => {
      const world: World = { state: core.initialState(), now: 0, underWay: [], failuresInARow: 0, successes: 0 };
      for (const todo of steps) {
        const { generation, kind } = world.state;
        play(world, todo, limits);
        expect(world.state.generation, 'generations only grow').toBeGreaterThanOrEqual(generation);
        if (world.state.kind !== kind) expect(world.state.generation).toBeGreaterThan(generation);
        if (world.state.kind === 'half-open') {
          const mine = world.underWay.filter((permit) => permit.generation === world.state.generation);
          expect(world.state.probes.length).toBeLessThanOrEqual(limits.halfOpenMaxProbes);
          expect(world.state.probes.map(({ id }) => id).toSorted()).toEqual(mine.map(({ probe }) => probe).toSorted());
        }
      }
    }),
    { numRuns: 3000 },
  );
});
