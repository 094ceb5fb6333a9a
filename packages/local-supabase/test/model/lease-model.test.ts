/**
 * Leases and outbox on real PostgreSQL against the model, one step at a time and several at once on connections of their
 * own: what is answered and what is then in the tables must be what some order of the steps yields. Variants of the
 * functions that are broken on purpose must not pass.
 *
 * LEASE_MODEL_RUNS sets how many interleavings are tried (default 150), LEASE_MODEL_SEED which ones.
 */
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { SupabaseServer } from '../../src/index.ts';
import { defaultMigrationsDir, readMigrations } from '../../src/migrations.ts';
import { startPostgresSupabase } from '../../src/postgres/index.ts';
import { hasRealPostgres } from '../engines.ts';
import { brokenVariants } from './broken-variants.ts';
import { apply, type JobModel, newJob, type Rules, type Step } from './lease-model.ts';
import { RealJob, seenOf } from './real-job.ts';

const runs = Number(process.env.LEASE_MODEL_RUNS ?? 150);
const seed = process.env.LEASE_MODEL_SEED;

const lease = fc.nat(5);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('claim'), robot: fc.nat(1), request: fc.nat(3) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('heartbeat'), lease }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('progress'), lease }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('events'),
      lease,
      from: fc.nat(4),
      count: fc.integer({ min: 1, max: 3 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('complete'),
      lease,
      ending: fc.constantFrom('completed', 'failed-for-good', 'failed-for-now', 'cancelled'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('release'), lease }) },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constantFrom('expire', 'expire', 'expire', 'reap', 'cancel', 'make-due', 'restart', 'redrive'),
    }),
  },
) as fc.Arbitrary<Step>;

/** Steps that happen one after the other; those in one turn happen at the same time. */
const turns = fc.array(fc.oneof({ weight: 3, arbitrary: fc.tuple(step) }, fc.tuple(step, step)), {
  minLength: 1,
  maxLength: 14,
});
const rules: fc.Arbitrary<Rules> = fc.record({
  onLost: fc.constantFrom('hold', 'restart', 'restart'),
  maxAttempts: fc.constantFrom(1, 1, 2, 3),
});

async function follows(server: SupabaseServer, given: Rules, plan: readonly (readonly Step[])[]): Promise<void> {
  const real = await RealJob.create(server, given);
  // More than one, where steps at the same time leave a difference that only a later step shows, like whether it is due.
  let models: readonly [JobModel, ...JobModel[]] = [newJob(given)];
  for (const planned of plan) {
    const [some] = models;
    const turn = planned.map((wanted) => withLease(wanted, some)).filter((wanted) => wanted !== null);
    const answers = await Promise.all(turn.map((wanted) => real.run(wanted)));
    await real.refresh();
    const found = { answers: answers.map((answer) => real.named(answer)), job: await real.seen() };
    const outcomes = models.flatMap((model) => ordersOf(turn).map((order) => inOrder(model, turn, order)));
    const [match, ...others] = outcomes
      .filter(({ answered, job }) => isDeepStrictEqual({ answers: answered, job: seenOf(job) }, found))
      .map(({ job }) => job);
    if (match === undefined) {
      expect(found, JSON.stringify(turn)).toEqual({
        answers: outcomes[0]?.answered,
        job: seenOf(outcomes[0]?.job ?? some),
      });
      return;
    }
    models = [match, ...others.filter((job) => !isDeepStrictEqual(job, match))];
  }
}

interface Place {
  readonly index: number;
  /** It met a row that another step held, and left it alone. */
  readonly isSkipped: boolean;
}

/**
 * Every order in which the steps of a turn may have taken effect. Claims and sweeps do not wait for a row that somebody
 * else holds: beside another step, one may find nothing.
 */
function ordersOf(turn: readonly Step[]): readonly (readonly Place[])[] {
  const places = turn.map((_, index): Place => ({ index, isSkipped: false }));
  const [first, second] = places;
  if (first === undefined || second === undefined) return [places];
  const waits = ({ index }: Place): boolean => !['claim', 'reap'].includes(turn[index]?.kind ?? '');
  const skips = (place: Place): readonly Place[] => (waits(place) ? [place] : [place, { ...place, isSkipped: true }]);
  return skips(first).flatMap((one) =>
    skips(second).flatMap((other) => [
      [one, other],
      [other, one],
    ]),
  );
}

function inOrder(
  before: JobModel,
  turn: readonly Step[],
  order: readonly Place[],
): { readonly answered: readonly string[]; readonly job: JobModel } {
  const answered: string[] = [];
  let job = before;
  for (const { index, isSkipped } of order) {
    const step = turn[index] as Step;
    const outcome = isSkipped ? { job, answer: step.kind === 'claim' ? 'none' : '' } : apply(job, step);
    answered[index] = outcome.answer;
    job = outcome.job;
  }
  return { answered, job };
}

/** A step under a lease takes one that has been given out, if there is any. */
function withLease(wanted: Step, model: JobModel): Step | null {
  if (!('lease' in wanted)) return wanted;
  return model.leases.length === 0 ? null : { ...wanted, lease: wanted.lease % model.leases.length };
}

/** Whether the job is due behind the second turn depends on its order, and shows in the third only. */
const unseenDifference: [Rules, Step[][]] = [
  { onLost: 'hold', maxAttempts: 2 },
  [
    [{ kind: 'claim', robot: 0, request: 0 }],
    [{ kind: 'make-due' }, { kind: 'complete', lease: 0, ending: 'failed-for-now' }],
    [{ kind: 'claim', robot: 1, request: 0 }],
  ],
];

const property = (server: () => SupabaseServer): fc.IAsyncProperty<[Rules, Step[][]]> =>
  fc.asyncProperty(rules, turns as fc.Arbitrary<Step[][]>, (given, plan) => follows(server(), given, plan));

describe.runIf(hasRealPostgres)('leases and outbox on real PostgreSQL', () => {
  let server: SupabaseServer;
  beforeAll(async () => {
    server = await startPostgresSupabase();
  });
  afterAll(() => server.stop());

  test('answer and store what the model says, in every interleaving', async () => {
    const options = seed === undefined ? {} : { seed: Number(seed) };
    await fc.assert(
      property(() => server),
      { numRuns: runs, examples: [unseenDifference], ...options },
    );
  });

  describe('that are broken on purpose', () => {
    afterEach(async () => {
      for (const { text } of await readMigrations(defaultMigrationsDir())) await server.sql(text);
    });

    test.each(brokenVariants)('$name: are caught', async ({ sql }) => {
      await server.sql(sql);
      const { errorInstance } = await fc.check(
        property(() => server),
        { numRuns: Math.max(runs, 300), endOnFailure: true },
      );
      expect(String(errorInstance)).toContain('AssertionError');
    });
  });
});
