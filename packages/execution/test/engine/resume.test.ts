import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planFlow } from '../../src/engine/flow-plan.ts';
import { foldJournal } from '../../src/engine/fold.ts';
import { rootLane } from '../../src/engine/run-state.ts';
import { takeSnapshot } from '../../src/engine/snapshot.ts';
import { createNodeRegistry } from '../../src/model/registry.ts';
import { checkedWorkflow, type FileSpec, runFile, TestJournal, type TestRun, testNodes, World } from './harness.ts';
import { compile, programs, type Tally, tallyNode } from './programs.ts';

/** What must not depend on how often a run was interrupted. */
interface Trace {
  readonly end: unknown;
  readonly variables: unknown;
  readonly outputs: unknown;
  readonly errors: unknown;
  readonly skipped: unknown;
  readonly marks: readonly unknown[];
}

function traceOf(run: TestRun, tally: Tally): Trace {
  const { duration_ms: _duration, ...end } = run.end;
  const { variables, outputs, errors, skipped } = run;
  return { end, variables, outputs, errors, skipped, marks: [...tally.values()] };
}

/** Branches that run side by side come in any order. */
function inAnyOrder({ errors, marks, ...trace }: Trace): unknown {
  const sorted = (list: unknown): string[] =>
    (list as readonly unknown[]).map((item) => JSON.stringify(item)).toSorted();
  return { ...trace, errors: sorted(errors), marks: sorted(marks) };
}

/** CASARE_FUZZ_PROGRAMS: how many random programs are run instead of a few. */
const asked = Number(process.env.CASARE_FUZZ_PROGRAMS ?? 0);
const count = (few: number): number => (asked > 0 ? asked : few);
const limit = (ms: number): number => (asked > 0 ? 3_600_000 : ms);

type Death = { readonly at: 'before' | 'after'; readonly commit: number };

async function session(spec: FileSpec, journal: TestJournal, tally: Tally, death: Death | null): Promise<TestRun> {
  const first = journal.commits;
  const die = (commit: number): void => {
    if (commit - first === death?.commit) throw new Error('the process died');
  };
  journal.beforeCommit = death?.at === 'before' ? die : () => undefined;
  journal.afterCommit = death?.at === 'after' ? die : () => undefined;
  return runFile(spec, { journal, types: [tallyNode(tally)], inDoubtPolicy: 'fail' });
}

async function straight(spec: FileSpec): Promise<{ trace: Trace; journal: TestJournal }> {
  const tally: Tally = new Map();
  const journal = new TestJournal();
  return { trace: traceOf(await session(spec, journal, tally, null), tally), journal };
}

/**
 * Every session dies a few commits after its start, until one comes through. Each branch needs a commit to begin its
 * node again, so that many of them at once need a longer session to get on.
 */
async function withManyDeaths(spec: FileSpec, death: Death, snapshotEvery?: number): Promise<Trace> {
  const tally: Tally = new Map();
  const journal = new TestJournal([], snapshotEvery);
  for (let sessions = 0; sessions < 1_000; sessions += 1) {
    const commit = death.commit + Math.floor(sessions / 30);
    const run = await session(spec, journal, tally, { ...death, commit });
    if (run.end.status !== 'suspended') return traceOf(run, tally);
  }
  throw new Error('the run makes no progress');
}

async function withOneDeath(spec: FileSpec, death: Death): Promise<Trace> {
  const tally: Tally = new Map();
  const journal = new TestJournal();
  const run = await session(spec, journal, tally, death);
  return traceOf(run.end.status === 'suspended' ? await session(spec, journal, tally, null) : run, tally);
}

/** Everything at once: nested loops, branches, try regions with errors, breaks, paths side by side. */
const busy: FileSpec = {
  nodes: {
    start: ['StartNode'],
    outer: ['ForLoopStartNode', { items: { a: 1, b: 2, c: 3 }, item_var: 'o' }],
    try: ['TryNode', { paired_catch_id: 'catch', paired_finally_id: 'finally' }],
    inner: ['WhileLoopStartNode', { condition: '{{n}} < {{o}} * 2' }],
    count: ['IncrementVariableNode', { variable_name: 'n' }],
    mark: ['TallyNode', { mark: '{{o_key}}{{n}}' }],
    odd: ['IfNode', { condition: '{{n}} == 5' }],
    throw: ['ThrowErrorNode', { error_message: 'five at {{o_key}}' }],
    leave: ['BreakNode', { paired_loop_start_id: 'outer' }],
    catch: ['CatchNode', { paired_try_id: 'try' }],
    handle: ['TallyNode', { mark: '{{error_message}}' }],
    finally: ['FinallyNode', { paired_try_id: 'try' }],
    cleanup: ['TallyNode', { mark: 'cleanup {{had_error}}' }],
    beside: ['TallyNode', { mark: 'beside' }],
    end: ['ForLoopEndNode', { paired_start_id: 'outer' }],
    after: ['TallyNode', { mark: 'after {{last}}' }],
  },
  connect: [
    'start -> outer',
    'start -> beside',
    'outer.body -> try -> end',
    'try.try_body -> inner',
    'inner.body -> count -> mark -> odd',
    'odd.true -> throw',
    'catch.catch_body -> handle -> leave',
    'finally.finally_body -> cleanup',
    'outer.completed -> after',
  ],
  variables: { n: 0 },
};

const expectedMarks = [
  'a1',
  'a2',
  'cleanup false',
  'b3',
  'b4',
  'cleanup false',
  'c5',
  'five at c',
  'cleanup true',
  'beside',
  'after beside',
];

describe('a run that dies at any commit and is resumed', () => {
  it('ends as an undisturbed one, with every effect once: one death', async () => {
    const { trace, journal } = await straight(busy);
    expect(trace.marks).toEqual(expectedMarks);
    for (let commit = 1; commit <= journal.commits; commit += 1) {
      for (const at of ['before', 'after'] as const) {
        expect(await withOneDeath(busy, { at, commit }), `death ${at} commit ${commit}`).toEqual(trace);
      }
    }
  });

  it.each([
    ['after each second commit', { at: 'after', commit: 2 }],
    ['after each third commit', { at: 'after', commit: 3 }],
    ['before each third commit', { at: 'before', commit: 3 }],
    ['before each fourth commit', { at: 'before', commit: 4 }],
  ] as const)('ends as an undisturbed one, with every effect once: death %s', async (_name, death) => {
    const { trace } = await straight(busy);
    expect(await withManyDeaths(busy, death)).toEqual(trace);
    expect(await withManyDeaths(busy, death, 5)).toEqual(trace);
  });

  it('whatever the program', { timeout: limit(50_000) + 70_000 }, async () => {
    const deaths = fc.record({
      at: fc.constantFrom('before' as const, 'after' as const),
      commit: fc.integer({ min: 3, max: 6 }),
    });
    const snapshots = fc.option(fc.integer({ min: 1, max: 20 }), { nil: undefined });
    await fc.assert(
      fc.asyncProperty(programs, fc.boolean(), deaths, snapshots, async (program, stops, death, snapshotEvery) => {
        const spec = compile(program, stops);
        const { trace } = await straight(spec);
        expect(inAnyOrder(await withManyDeaths(spec, death, snapshotEvery))).toEqual(inAnyOrder(trace));
      }),
      { numRuns: count(60), interruptAfterTimeLimit: limit(40_000) },
    );
  });

  it('whatever the program, at every commit', { timeout: limit(50_000) + 70_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(programs, fc.boolean(), async (program, stops) => {
        const spec = compile(program, stops);
        const { trace, journal } = await straight(spec);
        for (let commit = 1; commit <= Math.min(journal.commits, 40); commit += 1) {
          for (const at of ['before', 'after'] as const) {
            const interrupted = await withOneDeath(spec, { at, commit });
            expect(inAnyOrder(interrupted), `death ${at} commit ${commit}`).toEqual(inAnyOrder(trace));
          }
        }
      }),
      { numRuns: count(15), interruptAfterTimeLimit: limit(40_000) },
    );
  });

  it('leaves the same state whether it is folded from the journal or was lived through', async () => {
    await fc.assert(
      fc.asyncProperty(programs, async (program) => {
        const spec = compile(program, true);
        const tally: Tally = new Map();
        const journal = new TestJournal();
        const run = await session(spec, journal, tally, null);
        const types = [...testNodes(new World()), tallyNode(tally)];
        const plan = planFlow(checkedWorkflow(spec, types), createNodeRegistry(types));
        const folded = foldJournal(plan, journal.entries);
        expect(Object.fromEntries(rootLane(folded).variables)).toEqual(run.variables);
        expect(Object.fromEntries(rootLane(folded).outputs)).toEqual(run.outputs);
        const { state } = takeSnapshot(folded);
        const resumed = foldJournal(plan, [{ kind: 'snapshot', state, at: 0 }]);
        expect(takeSnapshot(resumed).state).toEqual(state);
      }),
      { numRuns: 30 },
    );
  });
});

describe('a journal that refuses a commit', () => {
  it('stops the run before the next effect, as suspended with the reason', async () => {
    const { journal: whole } = await straight(busy);
    for (let commit = 1; commit <= whole.commits; commit += 1) {
      const tally: Tally = new Map();
      const journal = new TestJournal();
      const marksAtRefusal: number[] = [];
      journal.beforeCommit = (number) => {
        if (number < commit) return;
        marksAtRefusal.push(tally.size);
        throw new Error('no space left on device');
      };
      const run = await runFile(busy, { journal, types: [tallyNode(tally)] });
      expect(run.end).toMatchObject({
        status: 'suspended',
        reason: expect.stringContaining('no space left on device'),
      });
      expect(marksAtRefusal).toEqual([tally.size]);
    }
  });
});
