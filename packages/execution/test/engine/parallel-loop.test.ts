import { eventually, ManualClock } from '@casare/testing';
import { describe, expect, it } from 'vitest';
import type { JsonObject, JsonValue } from '../../src/json.ts';
import { advanceUntil, type FileSpec, type NodeSpec, runFile, TestJournal, World } from './harness.ts';
import { Crowd, meetNode, stubbornNode } from './side-by-side.ts';

const mark: NodeSpec = ['MarkNode'];

/** A parallel loop with one node for its body, and one behind it that leaves `after` in the world. */
function each(config: JsonObject, body: NodeSpec, settings: JsonObject = {}): FileSpec {
  return {
    nodes: { each: ['ParallelForEachNode', config], body, after: ['MarkNode', { mark: 'after' }] },
    connect: ['each.body -> body', 'each.completed -> after'],
    settings,
  };
}

const resultsOf = (outputs: Readonly<Record<string, JsonObject>>): readonly JsonObject[] =>
  outputs.each?.results as readonly JsonObject[];

describe('a parallel loop', () => {
  it('runs its body for several items at the same time', async () => {
    const { end } = await runFile(each({ items: [1, 2, 3], batch_size: 3 }, ['MeetNode', { count: 3 }]), {
      types: [meetNode()],
    });
    expect(end.status).toBe('completed');
  });

  it('never runs more than batch_size, and five by default', async () => {
    for (const [config, most] of [
      [{ batch_size: 3 }, 3],
      [{}, 5],
      [{ batch_size: '2' }, 2],
    ] as const) {
      const crowd = new Crowd();
      const items = Array.from({ length: 11 }, (_, index) => index);
      const { end } = await runFile(each({ items, ...config }, ['CrowdNode']), { types: [crowd.node()] });
      expect(end.status).toBe('completed');
      expect(crowd.most).toBe(most);
      expect(crowd.order).toHaveLength(11);
    }
  });

  it('begins a batch when the one before it is over', async () => {
    const crowd = new Crowd();
    const turns = '{{item}}';
    await runFile(each({ items: [30, 1, 1, 1], batch_size: 2 }, ['CrowdNode', { turns, mark: '{{item_index}}' }]), {
      types: [crowd.node()],
    });
    expect(crowd.order).toEqual([1, 0, 2, 3]);
  });

  it('gives each item its own current_item and current_index, and the variables of item_var', async () => {
    const spec = each({ items: ['a', 'b'], item_var: 'letter' }, [
      'MarkNode',
      { mark: '{{each.current_item}}{{each.current_index}} {{letter}}{{letter_index}}' },
    ]);
    const { world, variables } = await runFile(spec);
    expect(world.marks).toEqual(['a0 a0', 'b1 b1', 'after']);
    expect(variables).toEqual({});
  });

  it.each<[string, JsonValue, unknown[]]>([
    ['a list', ['a', 'b'], [{ item: 'a' }, { item: 'b' }]],
    [
      'an object, with keys',
      { k: 1, l: 2 },
      [
        { item: 1, key: 'k' },
        { item: 2, key: 'l' },
      ],
    ],
    ['the JSON text of a list', '["x", "y"]', [{ item: 'x' }, { item: 'y' }]],
    ['a text, by its characters', 'hi', [{ item: 'h' }, { item: 'i' }]],
    ['one value', 7, [{ item: 7 }]],
    ['nothing', [], []],
  ])('goes over %s', async (_name, items, results) => {
    const { end, outputs, world } = await runFile(each({ items }, mark));
    expect(end.status).toBe('completed');
    expect(resultsOf(outputs)).toMatchObject(results);
    expect(resultsOf(outputs)).toHaveLength(results.length);
    expect(world.marks).toHaveLength(results.length + 1);
  });

  it('gives the results in the order of the items, with what each wrote and gave', async () => {
    const spec: FileSpec = {
      nodes: {
        each: ['ParallelForEachNode', { items: [20, 10, 1] }],
        slow: ['CrowdNode', { turns: '{{item}}', mark: 'm{{item}}' }],
        set: ['SetVariableNode', { variable_name: 'doubled', value: '{{item}}0' }],
        pick: ['IfNode', { condition: 'true' }],
        after: ['MarkNode', { mark: '{{each.results[1].variables.doubled}}' }],
      },
      connect: ['each.body -> slow -> set -> pick', 'each.completed -> after'],
    };
    const crowd = new Crowd();
    const { outputs, world, variables } = await runFile(spec, { types: [crowd.node()] });
    expect(crowd.order).toEqual(['m1', 'm10', 'm20']);
    expect(resultsOf(outputs)).toEqual([
      { index: 0, item: 20, success: true, variables: { doubled: '200' }, output: { value: '200' } },
      { index: 1, item: 10, success: true, variables: { doubled: '100' }, output: { value: '100' } },
      { index: 2, item: 1, success: true, variables: { doubled: '10' }, output: { value: '10' } },
    ]);
    expect(world.marks).toEqual(['100']);
    expect(variables).toEqual({});
  });

  it('keeps what an item writes from the other items', async () => {
    const spec: FileSpec = {
      nodes: {
        each: ['ParallelForEachNode', { items: [1, 2, 3], batch_size: 2 }],
        add: ['IncrementVariableNode', { variable_name: 'n', increment: '{{item}}' }],
        seen: ['MarkNode', { mark: '{{n}}' }],
        after: ['MarkNode', { mark: 'after {{n}}' }],
      },
      connect: ['each.body -> add -> seen', 'each.completed -> after'],
      variables: { n: 100 },
    };
    const { world } = await runFile(spec);
    expect(world.marks).toEqual([101, 102, 103, 'after 100']);
  });

  it('whose body leads back to it ends the item there', async () => {
    const spec = each({ items: [1, 2] }, mark);
    const { world } = await runFile({ ...spec, connect: ['each.body -> body -> each', 'each.completed -> after'] });
    expect(world.marks).toEqual(['body', 'body', 'after']);
  });

  it('without a body is over at once, however many items there are', async () => {
    const items = Array.from({ length: 5_000 }, (_, index) => index);
    const spec: FileSpec = {
      nodes: { each: ['ParallelForEachNode', { items }], after: mark },
      connect: ['each.completed -> after'],
    };
    const { world, outputs } = await runFile(spec);
    expect(world.marks).toEqual(['after']);
    expect(resultsOf(outputs)).toHaveLength(5_000);
  });

  it('runs in the body of another, and forks in it', async () => {
    const spec: FileSpec = {
      nodes: {
        outer: ['ParallelForEachNode', { items: ['a', 'b'], item_var: 'o' }],
        inner: ['ParallelForEachNode', { items: [1, 2], item_var: 'i' }],
        fork: ['ForkNode', { paired_join_id: 'join' }],
        one: ['MarkNode', { mark: '{{o}}{{i}}.1' }],
        two: ['MarkNode', { mark: '{{o}}{{i}}.2' }],
        join: ['JoinNode'],
        after: ['MarkNode', { mark: 'after' }],
      },
      connect: [
        'outer.body -> inner',
        'inner.body -> fork',
        'fork.branch_1 -> one -> join',
        'fork.branch_2 -> two -> join',
        'outer.completed -> after',
      ],
    };
    const { world } = await runFile(spec);
    expect(world.marks.toSorted()).toEqual(['a1.1', 'a1.2', 'a2.1', 'a2.2', 'after', 'b1.1', 'b1.2', 'b2.1', 'b2.2']);
    expect(world.marks.at(-1)).toBe('after');
  });

  it('disabled goes on with what follows it', async () => {
    const { world } = await runFile(each({ items: [1, 2], _disabled: true }, mark));
    expect(world.marks).toEqual(['after']);
  });
});

describe('in the body of a parallel loop', () => {
  const jump = (type: string, config: JsonObject = {}): FileSpec => ({
    nodes: {
      each: ['ParallelForEachNode', { items: [1, 2, 3, 4], batch_size: 2 }],
      try: ['TryNode', { paired_finally_id: 'finally' }],
      pick: ['IfNode', { condition: '{{item}} == 2' }],
      jump: [type, config],
      behind: ['MarkNode', { mark: '{{item}}' }],
      finally: ['FinallyNode', { paired_try_id: 'try' }],
      cleanup: ['MarkNode', { mark: 'f{{item}}' }],
      after: ['MarkNode', { mark: 'after' }],
    },
    connect: [
      'each.body -> try',
      'try.try_body -> pick',
      'pick.true -> jump',
      'pick.false -> behind',
      'finally.finally_body -> cleanup',
      'each.completed -> after',
    ],
  });

  it.each([{}, { paired_loop_start_id: 'each' }])('continue ends the item, through its finally: %o', async (config) => {
    const { world, outputs, end } = await runFile(jump('ContinueNode', config));
    expect(end.status).toBe('completed');
    expect(world.marks.toSorted()).toEqual([1, 3, 4, 'after', 'f1', 'f2', 'f3', 'f4']);
    expect(resultsOf(outputs)).toHaveLength(4);
  });

  it('break lets no further item begin; those that run come to their end', async () => {
    const { world, outputs, end } = await runFile(jump('BreakNode'));
    expect(end.status).toBe('completed');
    expect(world.marks.toSorted()).toEqual([1, 'after', 'f1', 'f2']);
    expect(resultsOf(outputs)).toMatchObject([
      { index: 0, success: true },
      { index: 1, success: true },
    ]);
  });

  it('break of a loop inside of an item is of that loop only', async () => {
    const spec: FileSpec = {
      nodes: {
        each: ['ParallelForEachNode', { items: [1, 2, 3], batch_size: 1 }],
        loop: ['ForLoopStartNode', { items: [1, 2, 3], item_var: 'i' }],
        leave: ['BreakNode'],
        after: ['MarkNode', { mark: 'after' }],
      },
      connect: ['each.body -> loop', 'loop.body -> leave', 'each.completed -> after'],
    };
    const { outputs } = await runFile(spec);
    expect(resultsOf(outputs)).toHaveLength(3);
  });
});

describe('an item that fails', () => {
  const failing: NodeSpec = ['AssertNode', { condition: '{{item}} != 2', message: 'no twos' }];
  const guarded = (config: JsonObject): FileSpec => {
    const spec = each(config, failing);
    return {
      nodes: {
        try: ['TryNode', { paired_catch_id: 'catch' }],
        ...spec.nodes,
        catch: ['CatchNode'],
        handler: ['MarkNode', { mark: '{{each.results[1].error}}: {{error_type}}' }],
      },
      connect: ['try.try_body -> each', ...(spec.connect ?? []), 'catch.catch_body -> handler'],
    };
  };

  it('lets the other items run, then fails the loop with its error', async () => {
    const { end, outputs, world } = await runFile(each({ items: [1, 2, 3], batch_size: 1 }, failing));
    expect(end).toMatchObject({ status: 'failed', error: { node_id: 'body' } });
    expect(world.marks).toEqual([]);
    expect(resultsOf(outputs)).toMatchObject([
      { success: true },
      { success: false, error: 'no twos', error_type: expect.any(String), error_code: expect.any(String) },
      { success: true },
    ]);
  });

  it('goes to the try region around the loop, whose catch sees the results', async () => {
    const { end, world } = await runFile(guarded({ items: [1, 2, 3] }));
    expect(end.status).toBe('completed');
    expect(world.marks).toEqual(['no twos: AssertionError']);
  });

  it('with fail_fast lets no further item begin', async () => {
    const { end, outputs } = await runFile(each({ items: [1, 2, 3, 4], batch_size: 2, fail_fast: true }, failing));
    expect(end.status).toBe('failed');
    expect(resultsOf(outputs).map(({ index }) => index)).toEqual([0, 1]);
  });

  it('with fail_fast stops the items that run beside it, whose effects count', async () => {
    const world = new World();
    const spec: FileSpec = {
      nodes: {
        each: ['ParallelForEachNode', { items: [1, 2], fail_fast: 'true' }],
        pick: ['IfNode', { condition: '{{item}} == 1' }],
        stubborn: ['StubbornNode'],
        late: ['CrowdNode', { turns: 20 }],
        fail: ['FailNode'],
      },
      connect: ['each.body -> pick', 'pick.true -> stubborn', 'pick.false -> late -> fail'],
    };
    const { end, outputs } = await runFile(spec, { world, types: [stubbornNode(world), new Crowd().node()] });
    expect(end.status).toBe('failed');
    expect(world.marks).toEqual(['fail#1', 'stubborn heard']);
    expect(resultsOf(outputs)).toMatchObject([
      { success: false, error_code: 'STOPPED', variables: { heard: true }, output: { heard: true } },
      { success: false, error_code: 'BROKEN' },
    ]);
  });

  it('is no success either where the workflow goes on in spite of errors', async () => {
    const settings = { stop_on_error: false };
    const { end, outputs, world, errors } = await runFile(each({ items: [1, 2, 3] }, failing, settings));
    expect(end.status).toBe('completed');
    expect(world.marks).toEqual(['after']);
    expect(errors).toHaveLength(1);
    expect(resultsOf(outputs)).toMatchObject([
      { success: true },
      { success: false, error: 'no twos' },
      { success: true },
    ]);
  });
});

describe('the time of an item', () => {
  const slow = (config: JsonObject, settings: JsonObject = {}): FileSpec => ({
    nodes: {
      each: ['ParallelForEachNode', { items: [1, 2, 3], batch_size: 1, ...config }],
      pick: ['IfNode', { condition: '{{item}} == 2' }],
      hang: ['HangNode'],
      after: mark,
    },
    connect: ['each.body -> pick', 'pick.true -> hang', 'each.completed -> after'],
    settings,
  });

  it('is 60 s by default; then its node is aborted and the item fails, as transient', async () => {
    const clock = new ManualClock();
    const world = new World();
    const run = runFile(slow({}), { clock, world });
    await eventually('the item hangs', () => world.running.has('hang'), { intervalMs: 1 });
    await clock.advance(59_999);
    expect(world.running).toContain('hang');
    await clock.advance(1);
    const { end, outputs } = await run;
    expect(world.running).toEqual(new Set());
    expect(end).toMatchObject({
      status: 'failed',
      error: { code: 'ITEM_TIMEOUT', category: 'transient', node_id: 'each', error_type: 'TimeoutError' },
    });
    expect(resultsOf(outputs)).toMatchObject([
      { success: true },
      { success: false, error_code: 'ITEM_TIMEOUT' },
      { success: true },
    ]);
  });

  it('is timeout_per_item in seconds; the loop goes on where errors are passed over', async () => {
    const clock = new ManualClock();
    const world = new World();
    const run = runFile(slow({ timeout_per_item: '2' }, { stop_on_error: false }), { clock, world });
    await eventually('the item hangs', () => world.running.has('hang'), { intervalMs: 1 });
    await clock.advance(2_000);
    const { end, errors } = await run;
    expect(end.status).toBe('completed');
    expect(world.marks).toEqual(['after']);
    expect(errors).toMatchObject([{ code: 'ITEM_TIMEOUT' }]);
  });

  it('lets its finally bodies run, within the grace', async () => {
    const clock = new ManualClock();
    const world = new World();
    const spec: FileSpec = {
      nodes: {
        each: ['ParallelForEachNode', { items: [1], timeout_per_item: 1 }],
        try: ['TryNode', { paired_finally_id: 'finally' }],
        hang: ['HangNode'],
        finally: ['FinallyNode', { paired_try_id: 'try' }],
        cleanup: mark,
        stuck: ['HangNode'],
      },
      connect: ['each.body -> try', 'try.try_body -> hang', 'finally.finally_body -> cleanup -> stuck'],
    };
    const journal = new TestJournal();
    const run = runFile(spec, { clock, world, journal, finallyGraceMs: 300 });
    await eventually('the item hangs', () => world.running.has('hang'), { intervalMs: 1 });
    await clock.advance(1_000);
    await eventually('the cleanup hangs', () => world.running.has('stuck'), { intervalMs: 1 });
    const { end } = await advanceUntil(clock, 100, run);
    expect(world.marks).toEqual(['cleanup']);
    expect(end).toMatchObject({ status: 'failed', error: { code: 'ITEM_TIMEOUT' } });
    expect(journal.entries.map(({ kind }) => kind)).toContain('lane_dropped');
  });
});
