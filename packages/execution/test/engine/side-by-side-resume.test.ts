import { describe, expect, it } from 'vitest';
import { planFlow } from '../../src/engine/flow-plan.ts';
import { foldJournal } from '../../src/engine/fold.ts';
import type { JournalEntry } from '../../src/engine/journal.ts';
import { takeSnapshot } from '../../src/engine/snapshot.ts';
import { createNodeRegistry } from '../../src/model/registry.ts';
import { checkedWorkflow, type FileSpec, type NodeSpec, runFile, TestJournal, testNodes, World } from './harness.ts';
import { tallyNode } from './programs.ts';
import { Crowd, meetNode } from './side-by-side.ts';

const tally = (label: string): NodeSpec => ['TallyNode', { mark: label }];

/** Forks in loops in forks, a parallel loop with fail-safe items, and a catch around it all. */
const busy: FileSpec = {
  nodes: {
    start: ['StartNode'],
    try: ['TryNode', { paired_catch_id: 'catch', paired_finally_id: 'finally' }],
    fork: ['ForkNode', { paired_join_id: 'join' }],
    loop: ['ForLoopStartNode', { items: [1, 2] }],
    inner: ['ForkNode', { paired_join_id: 'inner_join' }],
    a: tally('a{{item}}'),
    count: ['IncrementVariableNode', { variable_name: 'n', increment: '{{item}}' }],
    inner_join: ['JoinNode'],
    each: ['ParallelForEachNode', { items: ['x', 'y', 'z'], batch_size: 2, item_var: 'o' }],
    own_try: ['TryNode', { paired_catch_id: 'own_catch' }],
    is_y: ['AssertNode', { condition: "{{o}} != 'y'" }],
    b: tally('b{{o}}'),
    own_catch: ['CatchNode', { paired_try_id: 'own_try' }],
    caught: tally('caught {{o}}'),
    join: ['JoinNode'],
    after: tally('after {{n}} {{each.results[2].output.mark}}'),
    fail: ['ThrowErrorNode', { error_message: 'enough' }],
    catch: ['CatchNode', { paired_try_id: 'try' }],
    handler: tally('{{error_message}}'),
    finally: ['FinallyNode', { paired_try_id: 'try' }],
    cleanup: tally('cleanup'),
  },
  connect: [
    'start -> try',
    'try.try_body -> fork',
    'fork.branch_1 -> loop',
    'loop.body -> inner',
    'inner.branch_1 -> a -> inner_join',
    'inner.branch_2 -> count -> inner_join',
    'loop.completed -> join',
    'fork.branch_2 -> each',
    'each.body -> own_try',
    'own_try.try_body -> is_y -> b',
    'own_catch.catch_body -> caught',
    'each.completed -> join',
    'join -> after -> fail',
    'catch.catch_body -> handler',
    'finally.finally_body -> cleanup',
  ],
  variables: { n: 0 },
};

const expectedMarks = ['a1', 'a2', 'after 3 bz', 'bx', 'bz', 'caught y', 'cleanup', 'enough'];

async function diesAt(spec: FileSpec, at: 'before' | 'after', commit: number, snapshotEvery?: number) {
  const marks = new Map();
  const journal = new TestJournal([], snapshotEvery);
  let isDead = false;
  const die = (number: number): void => {
    if (number === commit && !isDead) {
      isDead = true;
      throw new Error('the process died');
    }
  };
  if (at === 'before') journal.beforeCommit = die;
  else journal.afterCommit = die;
  let run = await runFile(spec, { journal, types: [tallyNode(marks)] });
  let deaths = 0;
  for (; run.end.status === 'suspended'; deaths += 1) {
    if (deaths > 1) throw new Error('the run makes no progress');
    run = await runFile(spec, { journal, types: [tallyNode(marks)] });
  }
  const keys = new Set(journal.entries.flatMap((entry) => (entry.kind === 'intent' ? [entry.idempotency_key] : [])));
  return { run, deaths, marks: [...marks.values()].map(String).toSorted(), keys, commits: journal.commits };
}

describe('a run that dies with several branches under way, at any commit,', () => {
  it.each(['before', 'after'] as const)(
    'ends as an undisturbed one, with every effect once: %s it',
    { timeout: 50_000 },
    async (at) => {
      const straight = await diesAt(busy, at, 0);
      expect(straight.marks).toEqual(expectedMarks);
      for (let commit = 1; commit <= straight.commits; commit += 1) {
        const snapshotEvery = commit % 2 === 0 ? 4 : undefined;
        const { run, deaths, marks, keys } = await diesAt(busy, at, commit, snapshotEvery);
        const place = `death ${at} commit ${commit}, snapshots ${snapshotEvery}`;
        expect(deaths, place).toBe(1);
        expect(marks, place).toEqual(expectedMarks);
        expect(run.end.status, place).toBe('completed');
        expect(run.variables, place).toEqual(straight.run.variables);
        expect(run.outputs, place).toEqual(straight.run.outputs);
        expect(run.skipped, place).toEqual(straight.run.skipped);
        expect(keys, place).toEqual(straight.keys);
      }
    },
  );
});

describe('the journal of a run with branches', () => {
  it('yields the same state however the branches were interleaved', async () => {
    const spec: FileSpec = {
      nodes: {
        fork: ['ForkNode', { paired_join_id: 'join' }],
        a1: ['GiveNode', { value: 1 }],
        a2: ['SetVariableNode', { variable_name: 'x', value: 1 }],
        b1: ['GiveNode', { value: 2 }],
        b2: ['SetVariableNode', { variable_name: 'y', value: 2 }],
        join: ['JoinNode'],
      },
      connect: ['fork.branch_1 -> a1 -> a2', 'fork.branch_2 -> b1 -> b2'],
    };
    const journal = new TestJournal();
    await runFile(spec, { journal });
    const entries = journal.entries;
    const laneOf = (entry: JournalEntry): string => ('lane' in entry ? String(entry.lane) : '');
    const first = entries.findIndex((entry) => laneOf(entry) !== '');
    const last = entries.findLastIndex((entry) => laneOf(entry) !== '');
    const within = entries.slice(first, last + 1);
    const types = testNodes(new World());
    const plan = planFlow(checkedWorkflow(spec, types), createNodeRegistry(types));
    const stateOf = (order: readonly JournalEntry[]) => {
      const { frames: _frames, active_ms, active_until, ...state } = takeSnapshot(foldJournal(plan, order)).state;
      return state;
    };
    const lanes = [...new Set(within.map(laneOf))];
    const orders = [lanes, lanes.toReversed()].map((order) => [
      ...entries.slice(0, first),
      ...order.flatMap((lane) => within.filter((entry) => laneOf(entry) === lane)),
      ...entries.slice(last + 1),
    ]);
    for (const order of orders) expect(stateOf(order)).toEqual(stateOf(entries));
  });

  it('of an older version, without lanes and step counts, goes on', async () => {
    const spec: FileSpec = { nodes: { a: ['MarkNode'], b: ['MarkNode'] }, connect: ['a -> b'] };
    const journal = new TestJournal();
    journal.beforeCommit = (commit) => {
      if (commit === 2) throw new Error('the process died');
    };
    const world = new World();
    await runFile(spec, { journal, world });
    journal.beforeCommit = () => undefined;
    const old = { kind: 'snapshot', at: 0, state: olderSnapshot(journal.entries) } as unknown as JournalEntry;
    const again = await runFile(spec, { journal: new TestJournal([old]), world });
    expect(again.end.status).toBe('completed');
    expect(world.marks).toEqual(['a', 'b']);
  });
});

/** As it was taken before there were lanes: one walk, between the first and the second node. */
function olderSnapshot([began]: readonly JournalEntry[]) {
  return {
    workflow_hash: began?.kind === 'began' ? began.workflow_hash : null,
    library: null,
    variables: [],
    outputs: [['a', { mark: 'a', count: 1 }]],
    frames: [{ kind: 'root', queue: ['b'] }],
    step: 1,
    retrying: null,
    executed: ['a'],
    errors: [],
    errors_dropped: 0,
    failure: null,
    stop: null,
    active_ms: 0,
  };
}

describe('effects in doubt in two branches at once', () => {
  const spec: FileSpec = {
    nodes: {
      fork: ['ForkNode', { paired_join_id: 'join', branch_count: 3 }],
      meet1: ['MeetNode'],
      one: ['MarkNode'],
      meet2: ['MeetNode'],
      two: ['MarkNode'],
      late: ['CrowdNode', { turns: 30 }],
      free: ['MarkNode'],
      join: ['JoinNode'],
      after: ['MarkNode'],
    },
    connect: [
      'fork.branch_1 -> meet1 -> one -> join',
      'fork.branch_2 -> meet2 -> two -> join',
      'fork.branch_3 -> late -> free -> join',
      'join -> after',
    ],
  };
  const types = () => [meetNode(), new Crowd().node()];

  /** Dies with the effects of `one` and `two` done and not recorded. */
  async function crashed(): Promise<{ journal: TestJournal; world: World }> {
    const world = new World();
    const journal = new TestJournal();
    const isOpen = (nodeId: string): boolean =>
      journal.entries.some((entry) => entry.kind === 'intent' && entry.node_id === nodeId);
    journal.beforeCommit = () => {
      if (isOpen('one') && isOpen('two')) throw new Error('the process died');
    };
    const run = await runFile(spec, { journal, world, types: types() });
    expect(run.end).toMatchObject({ status: 'suspended', cause: 'journal' });
    expect(world.marks.toSorted()).toEqual(['one', 'two']);
    journal.beforeCommit = () => undefined;
    return { journal, world };
  }

  it('are both named, once the other branches have come to their end', async () => {
    const { journal, world } = await crashed();
    const asked = await runFile(spec, { journal, world, types: types(), inDoubtPolicy: 'ask' });
    expect(asked.end).toMatchObject({ status: 'in_doubt', nodes: [{ node_id: 'one' }, { node_id: 'two' }] });
    expect(world.marks.toSorted()).toEqual(['free', 'one', 'two']);
    const again = await runFile(spec, { journal, world, types: types(), inDoubtPolicy: 'ask' });
    expect(again.end).toMatchObject({ status: 'in_doubt', nodes: [{ node_id: 'one' }, { node_id: 'two' }] });
    expect(journal.entries.filter(({ kind }) => kind === 'in_doubt')).toHaveLength(2);
    const answered = await runFile(spec, { journal, world, types: types(), inDoubtPolicy: 'skip' });
    expect(answered.end.status).toBe('completed');
    expect(world.marks.toSorted()).toEqual(['after', 'free', 'one', 'two']);
  });

  it('survive a snapshot that is taken meanwhile', async () => {
    const { journal, world } = await crashed();
    const kept = new TestJournal(journal.entries, 1);
    const asked = await runFile(spec, { journal: kept, world, types: types(), inDoubtPolicy: 'ask' });
    expect(asked.end).toMatchObject({ status: 'in_doubt' });
    const from = kept.entries.findLastIndex(({ kind }) => kind === 'snapshot');
    expect(from).toBeGreaterThan(0);
    const answered = await runFile(spec, {
      journal: new TestJournal(kept.entries.slice(from)),
      world,
      types: types(),
      inDoubtPolicy: 'retry',
    });
    expect(answered.end.status).toBe('completed');
    expect(world.marks.toSorted()).toEqual(['after', 'free', 'one', 'one', 'two', 'two']);
  });
});

describe('a process that dies with a node of one branch under way', () => {
  it('fails that node with what ended the process, and no other', async () => {
    const spec: FileSpec = {
      nodes: {
        fork: ['ForkNode', { paired_join_id: 'join' }],
        one: ['GiveNode'],
        two: ['GiveNode'],
        join: ['JoinNode'],
      },
      connect: ['fork.branch_1 -> one', 'fork.branch_2 -> two'],
    };
    const journal = new TestJournal();
    journal.beforeCommit = () => {
      if (journal.entries.some((entry) => entry.kind === 'intent' && entry.node_id === 'two')) throw new Error('died');
    };
    await runFile(spec, { journal });
    journal.beforeCommit = () => undefined;
    const intent = journal.entries.find((entry) => entry.kind === 'intent' && entry.node_id === 'two');
    const run = await runFile(spec, {
      journal,
      interruption: {
        step: intent?.kind === 'intent' ? intent.step : null,
        treatment: 'fail',
        error: {
          code: 'JOB_PROCESS_DIED',
          category: 'unknown',
          message: 'It died.',
          errorType: 'ProcessError',
          details: {},
        },
      },
    });
    expect(run.end).toMatchObject({ status: 'failed', error: { code: 'JOB_PROCESS_DIED', node_id: 'two' } });
    expect(run.errors).toHaveLength(1);
  });
});
