import { eventually, ManualClock } from '@casare/testing';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { JsonObject } from '../../src/json.ts';
import { defineNode } from '../../src/node-contract.ts';
import { advanceUntil, type FileSpec, type NodeSpec, runFile, TestJournal, World } from './harness.ts';
import { Crowd, meetNode, stubbornNode } from './side-by-side.ts';

const mark: NodeSpec = ['MarkNode'];
const set = (name: string, value: unknown): NodeSpec => [
  'SetVariableNode',
  { variable_name: name, value } as JsonObject,
];

/** A fork of two branches of one node each, joined, and a node behind that leaves `after` in the world. */
function forked(one: NodeSpec, two: NodeSpec, fork: JsonObject = {}, join: JsonObject = {}): FileSpec {
  return {
    nodes: {
      fork: ['ForkNode', { paired_join_id: 'join', ...fork }],
      one,
      two,
      join: ['JoinNode', { paired_fork_id: 'fork', ...join }],
      after: ['MarkNode', { mark: 'after' }],
    },
    connect: ['fork.branch_1 -> one -> join -> after', 'fork.branch_2 -> two -> join'],
  };
}

describe('a fork', () => {
  it('runs its branches at the same time', async () => {
    const meet: NodeSpec = ['MeetNode', { count: 3 }];
    const spec: FileSpec = {
      nodes: {
        fork: ['ForkNode', { branch_count: 3, paired_join_id: 'join' }],
        a: meet,
        b: meet,
        c: meet,
        join: ['JoinNode'],
      },
      connect: ['fork.branch_1 -> a -> join', 'fork.branch_2 -> b -> join', 'fork.branch_3 -> c -> join'],
    };
    const { end, outputs } = await runFile(spec, { types: [meetNode()] });
    expect(end.status).toBe('completed');
    expect(outputs.join?.branch_count).toBe(3);
  });

  it('has ten branches at most, each with an exit of its own', async () => {
    const branches = Array.from({ length: 10 }, (_, index) => index + 1);
    const spec: FileSpec = {
      nodes: {
        fork: ['ForkNode', { branch_count: '10', paired_join_id: 'join' }],
        ...Object.fromEntries(branches.map((branch) => [`b${branch}`, ['MeetNode', { count: 10 }]])),
        join: ['JoinNode'],
      },
      connect: branches.map((branch) => `fork.branch_${branch} -> b${branch} -> join`),
    };
    expect((await runFile(spec, { types: [meetNode()] })).end.status).toBe('completed');
  });

  it('goes on with its join once, when all branches have ended', async () => {
    const { end, world, outputs } = await runFile(forked(mark, mark));
    expect(end).toMatchObject({ status: 'completed', nodes_executed: 5, nodes_skipped: 0 });
    expect(world.marks.toSorted()).toEqual(['after', 'one', 'two']);
    expect(world.marks.at(-1)).toBe('after');
    expect(outputs.join).toEqual({ results: { branch_1: {}, branch_2: {} }, branch_count: 2 });
  });

  it('goes on with its join when no branch is connected to anything', async () => {
    const spec: FileSpec = {
      nodes: { fork: ['ForkNode', { paired_join_id: 'join' }], join: ['JoinNode'], after: mark },
      connect: ['join -> after'],
    };
    const { end, world } = await runFile(spec);
    expect(end.status).toBe('completed');
    expect(world.marks).toEqual(['after']);
  });

  it('goes on with its join when the paths of the branches end before it', async () => {
    const spec: FileSpec = {
      nodes: { fork: ['ForkNode', { paired_join_id: 'join' }], a: mark, b: mark, join: ['JoinNode'], after: mark },
      connect: ['fork.branch_1 -> a', 'fork.branch_2 -> b', 'join -> after'],
    };
    const { world } = await runFile(spec);
    expect(world.marks.at(-1)).toBe('after');
    expect(world.marks).toHaveLength(3);
  });

  it('lets what waits beside it wait until it is over', async () => {
    const spec: FileSpec = {
      nodes: { start: ['StartNode'], ...forked(mark, mark).nodes, beside: mark },
      connect: ['start -> fork', 'start -> beside', ...(forked(mark, mark).connect ?? [])],
    };
    const { world } = await runFile(spec);
    expect(world.marks.slice(2)).toEqual(['beside', 'after']);
  });
});

describe('a branch', () => {
  it('sees the variables as they were at the fork, and its own writes', async () => {
    const spec: FileSpec = {
      nodes: {
        fork: ['ForkNode', { paired_join_id: 'join' }],
        one: set('x', 1),
        meet1: ['MeetNode'],
        seen1: ['MarkNode', { mark: 'one sees {{x}} {{y}}' }],
        two: set('y', 2),
        meet2: ['MeetNode'],
        seen2: ['MarkNode', { mark: 'two sees {{x}} {{y}}' }],
        join: ['JoinNode'],
        after: ['MarkNode', { mark: 'after: {{x}} {{y}}' }],
      },
      connect: [
        'fork.branch_1 -> one -> meet1 -> seen1 -> join',
        'fork.branch_2 -> two -> meet2 -> seen2 -> join',
        'join -> after',
      ],
      variables: { x: 0, y: 0 },
    };
    const { world, variables } = await runFile(spec, { types: [meetNode()] });
    expect(world.marks.toSorted()).toEqual(['after: 1 2', 'one sees 1 0', 'two sees 0 2']);
    expect(variables).toMatchObject({ x: 1, y: 2 });
  });

  it('sees the outputs as they were at the fork, and those of its own nodes', async () => {
    const spec: FileSpec = {
      nodes: {
        before: ['GiveNode', { value: 'before' }],
        fork: ['ForkNode', { paired_join_id: 'join' }],
        give1: ['GiveNode', { value: 'one' }],
        meet1: ['MeetNode'],
        seen1: ['MarkNode', { mark: '{{before.value}} {{give1.value}} {{give2.value}}' }],
        give2: ['GiveNode', { value: 'two' }],
        meet2: ['MeetNode'],
        seen2: ['MarkNode', { mark: '{{before.value}} {{give1.value}} {{give2.value}}' }],
        join: ['JoinNode'],
        after: ['MarkNode', { mark: 'after: {{give1.value}} {{give2.value}}' }],
      },
      connect: [
        'before -> fork',
        'fork.branch_1 -> give1 -> meet1 -> seen1 -> join',
        'fork.branch_2 -> give2 -> meet2 -> seen2 -> join',
        'join -> after',
      ],
    };
    const { world } = await runFile(spec, { types: [meetNode()] });
    expect(world.marks.toSorted()).toEqual([
      'after: one two',
      'before one {{give2.value}}',
      'before {{give1.value}} two',
    ]);
  });

  it('has loops of its own that end inside of it', async () => {
    const spec = forked(['ForLoopStartNode', { items: [1, 2, 3] }], ['ForLoopStartNode', { items: ['a', 'b'] }]);
    const nodes = {
      ...spec.nodes,
      m1: ['MarkNode', { mark: '{{item}}' }] as const,
      m2: ['MarkNode', { mark: '{{item}}' }] as const,
    };
    const connect = [
      'fork.branch_1 -> one',
      'one.body -> m1',
      'one.completed -> join',
      'fork.branch_2 -> two',
      'two.body -> m2',
      'two.completed -> join',
      'join -> after',
    ];
    const { world, end } = await runFile({ nodes, connect });
    expect(end.status).toBe('completed');
    expect(world.marks.toSorted()).toEqual([1, 2, 3, 'a', 'after', 'b']);
  });

  it('that leads back to the loop around its fork ends there; the loop goes on once', async () => {
    const spec: FileSpec = {
      nodes: {
        loop: ['ForLoopStartNode', { items: [1, 2] }],
        fork: ['ForkNode', { paired_join_id: 'join' }],
        a: ['MarkNode', { mark: 'a{{item}}' }],
        b: ['MarkNode', { mark: 'b{{item}}' }],
        join: ['JoinNode'],
        end: ['ForLoopEndNode', { paired_start_id: 'loop' }],
        after: mark,
      },
      connect: [
        'loop.body -> fork',
        'fork.branch_1 -> a -> end',
        'fork.branch_2 -> b -> loop',
        'loop.completed -> after',
      ],
    };
    const { world, end } = await runFile(spec);
    expect(end.status).toBe('completed');
    expect(world.marks.toSorted()).toEqual(['a1', 'a2', 'after', 'b1', 'b2']);
  });

  it('catches its own errors', async () => {
    const spec: FileSpec = {
      nodes: {
        ...forked(['TryNode', { paired_catch_id: 'catch' }], mark).nodes,
        fail: ['FailNode'],
        catch: ['CatchNode', { paired_try_id: 'one' }],
        handler: mark,
      },
      connect: [
        'fork.branch_1 -> one -> join -> after',
        'one.try_body -> fail',
        'catch.catch_body -> handler',
        'fork.branch_2 -> two -> join',
      ],
    };
    const { end, world } = await runFile(spec);
    expect(end.status).toBe('completed');
    expect(world.marks).toContain('handler');
    expect(world.marks.at(-1)).toBe('after');
  });
});

describe('a fork in a loop', () => {
  it('runs its branches anew for each element', async () => {
    const spec: FileSpec = {
      nodes: {
        loop: ['ForLoopStartNode', { items: [1, 2, 3] }],
        fork: ['ForkNode', { paired_join_id: 'join' }],
        a: ['IncrementVariableNode', { variable_name: 'a', increment: '{{item}}' }],
        b: ['IncrementVariableNode', { variable_name: 'b' }],
        join: ['JoinNode'],
        after: ['MarkNode', { mark: '{{a}} {{b}}' }],
      },
      connect: [
        'loop.body -> fork',
        'fork.branch_1 -> a -> join',
        'fork.branch_2 -> b -> join',
        'loop.completed -> after',
      ],
    };
    const { world } = await runFile(spec);
    expect(world.marks).toEqual(['6 3']);
  });
});

describe('a fork in a branch', () => {
  const meet: NodeSpec = ['MeetNode', { count: 3 }];
  const nested: FileSpec = {
    nodes: {
      outer: ['ForkNode', { paired_join_id: 'outer_join' }],
      inner: ['ForkNode', { paired_join_id: 'inner_join' }],
      a: meet,
      set_a: set('a', 'a'),
      b: meet,
      set_b: set('b', 'b'),
      inner_join: ['JoinNode'],
      seen: ['MarkNode', { mark: 'inner: {{a}} {{b}} {{c}}' }],
      c: meet,
      set_c: set('c', 'c'),
      outer_join: ['JoinNode'],
      after: ['MarkNode', { mark: 'outer: {{a}} {{b}} {{c}}' }],
    },
    connect: [
      'outer.branch_1 -> inner',
      'inner.branch_1 -> a -> set_a -> inner_join',
      'inner.branch_2 -> b -> set_b -> inner_join',
      'inner_join -> seen -> outer_join',
      'outer.branch_2 -> c -> set_c -> outer_join',
      'outer_join -> after',
    ],
  };

  it('runs beside the other branches, and its join joins its own', async () => {
    const { world, outputs } = await runFile(nested, { types: [meetNode()] });
    expect(world.marks).toEqual(['inner: a b {{c}}', 'outer: a b c']);
    expect(outputs.inner_join?.results).toEqual({ branch_1: { a: 'a' }, branch_2: { b: 'b' } });
    expect(outputs.outer_join?.results).toEqual({ branch_1: { a: 'a', b: 'b' }, branch_2: { c: 'c' } });
  });

  it('whose branches lead to the outer join ends there; its own join runs first', async () => {
    const connect = (nested.connect ?? []).map((line) => line.replace('set_a -> inner_join', 'set_a -> outer_join'));
    const { world } = await runFile({ ...nested, connect }, { types: [meetNode()] });
    expect(world.marks).toEqual(['inner: a b {{c}}', 'outer: a b c']);
  });
});

describe('a join', () => {
  it('with "all" gives the variables of each branch; the later branch wins, with a warning', async () => {
    const { outputs, variables, lines } = await runFile(forked(set('x', 'one'), set('x', 'two')));
    expect(outputs.join).toEqual({ results: { branch_1: { x: 'one' }, branch_2: { x: 'two' } }, branch_count: 2 });
    expect(variables.x).toBe('two');
    expect(lines).toEqual([
      'warning: Both branch_1 and branch_2 have set the variable "x"; it keeps the value of branch_2.',
    ]);
  });

  it('does not warn when branches have set a variable to the same value', async () => {
    const { lines } = await runFile(forked(set('x', [1, 2]), set('x', [1, 2])));
    expect(lines).toEqual([]);
  });

  it.each([
    ['first', 'branch_2', 'two'],
    ['last', 'branch_1', 'one'],
  ])('with "%s" takes what that branch to end wrote, and nothing of the other', async (strategy, branch, value) => {
    const slow = new Crowd();
    const spec: FileSpec = {
      ...forked(set('x', 'one'), set('x', 'two'), {}, { merge_strategy: strategy }),
    };
    const nodes = { ...spec.nodes, slow: ['CrowdNode', { turns: 20, mark: 'slow' }] as const };
    const connect = ['fork.branch_1 -> slow -> one -> join -> after', 'fork.branch_2 -> two -> join'];
    const { outputs, variables, lines } = await runFile({ nodes, connect }, { types: [slow.node()] });
    expect(outputs.join).toEqual({ results: { [branch]: { x: value } }, branch_count: 2 });
    expect(variables.x).toBe(value);
    expect(lines).toEqual([]);
    expect(outputs.slow).toEqual(strategy === 'last' ? { mark: 'slow' } : undefined);
  });

  it('that is reached without its fork passes control on', async () => {
    const spec: FileSpec = {
      nodes: { start: ['StartNode'], fork: ['ForkNode', { paired_join_id: 'join' }], join: ['JoinNode'], after: mark },
      connect: ['start -> join -> after'],
    };
    const { world, outputs } = await runFile(spec);
    expect(world.marks).toEqual(['after']);
    expect(outputs.join).toEqual({ results: {}, branch_count: 0 });
  });
});

describe('an error that no branch catches', () => {
  it('lets the other branches come to their end, and then fails the run', async () => {
    const spec = forked(['FailNode'], ['CrowdNode', { turns: 20, mark: 'two' }]);
    const crowd = new Crowd();
    const { end, errors, world } = await runFile(spec, { types: [crowd.node()] });
    expect(end).toMatchObject({ status: 'failed', error: { code: 'BROKEN', node_id: 'one' } });
    expect(crowd.order).toEqual(['two']);
    expect(errors).toHaveLength(1);
    expect(world.marks).toEqual(['one#1']);
  });

  it('is the one of the first branch when several fail; the others are recorded', async () => {
    const spec = forked(['FailNode', { code: 'FIRST' }], ['FailNode', { code: 'SECOND' }]);
    const nodes = { ...spec.nodes, slow: ['CrowdNode', { turns: 20 }] as const };
    const connect = ['fork.branch_1 -> slow -> one -> join -> after', 'fork.branch_2 -> two -> join'];
    const { end, errors } = await runFile({ nodes, connect }, { types: [new Crowd().node()] });
    expect(end).toMatchObject({ status: 'failed', error: { code: 'FIRST' } });
    expect(errors.map(({ code }) => code).toSorted()).toEqual(['FIRST', 'SECOND']);
  });

  it('goes to the try region around the fork', async () => {
    const spec = forked(['FailNode'], mark);
    const nodes = {
      try: ['TryNode', { paired_catch_id: 'catch' }] as const,
      ...spec.nodes,
      catch: ['CatchNode'] as const,
      handler: ['MarkNode', { mark: 'caught {{error_message}}' }] as const,
      end: ['MarkNode', { mark: 'end' }] as const,
    };
    const connect = ['try.try_body -> fork', ...(spec.connect ?? []), 'catch.catch_body -> handler', 'try -> end'];
    for (const settings of [{}, { stop_on_error: false }]) {
      const { end, world } = await runFile({ nodes, connect, settings });
      expect(end.status).toBe('completed');
      expect(world.marks.slice(-2)).toEqual(['caught it broke', 'end']);
      expect(world.marks).not.toContain('after');
    }
  });

  it('is passed over in the branch where the workflow goes on in spite of errors', async () => {
    const spec = forked(['FailNode'], mark);
    const connect = ['fork.branch_1 -> one -> behind -> join -> after', 'fork.branch_2 -> two -> join'];
    const nodes = { ...spec.nodes, behind: mark };
    const { end, world, errors } = await runFile({ nodes, connect, settings: { stop_on_error: false } });
    expect(end.status).toBe('completed');
    expect(world.marks).toContain('behind');
    expect(world.marks.at(-1)).toBe('after');
    expect(errors).toMatchObject([{ code: 'BROKEN' }]);
  });
});

describe('with fail_fast, the first error', () => {
  it('aborts the nodes of the other branches at once, and fails the run', async () => {
    const world = new World();
    const spec = forked(['HangNode'], ['FailNode'], { fail_fast: true });
    const nodes = { ...spec.nodes, meet1: ['MeetNode'] as const, meet2: ['MeetNode'] as const };
    const connect = ['fork.branch_1 -> meet1 -> one -> join', 'fork.branch_2 -> meet2 -> two -> join'];
    const journal = new TestJournal();
    const { end } = await runFile({ nodes, connect }, { world, journal, types: [meetNode()] });
    expect(end).toMatchObject({ status: 'failed', error: { code: 'BROKEN', node_id: 'two' } });
    expect(world.running).toEqual(new Set());
    expect(journal.entries).toContainEqual(expect.objectContaining({ kind: 'interrupted', node_id: 'one' }));
  });

  it('counts an effect that has happened all the same, and runs nothing behind it', async () => {
    const world = new World();
    const journal = new TestJournal();
    const spec = forked(['StubbornNode'], ['FailNode'], { fail_fast: true });
    const connect = ['fork.branch_1 -> one -> behind -> join', 'fork.branch_2 -> late -> two -> join'];
    const nodes = { ...spec.nodes, behind: mark, late: ['CrowdNode', { turns: 20 }] as const };
    const types = [stubbornNode(world), new Crowd().node()];
    const { end } = await runFile({ nodes, connect }, { world, journal, types });
    expect(end.status).toBe('failed');
    expect(world.marks).toEqual(['two#1', 'one heard']);
    expect(journal.entries).toContainEqual(
      expect.objectContaining({ kind: 'result', node_id: 'one', variables: { heard: true } }),
    );
  });

  it('lets finally bodies of the other branches run, within the grace', async () => {
    const world = new World();
    const nodes: FileSpec['nodes'] = {
      fork: ['ForkNode', { paired_join_id: 'join', fail_fast: true }],
      try: ['TryNode', { paired_finally_id: 'finally' }],
      hang: ['HangNode'],
      finally: ['FinallyNode', { paired_try_id: 'try' }],
      cleanup: mark,
      stuck: ['HangNode'],
      late: ['CrowdNode', { turns: 30 }],
      fail: ['FailNode'],
      join: ['JoinNode'],
    };
    const connect = [
      'fork.branch_1 -> try',
      'try.try_body -> hang',
      'finally.finally_body -> cleanup -> stuck',
      'fork.branch_2 -> late -> fail',
    ];
    const clock = new ManualClock();
    const types = [new Crowd().node()];
    const run = runFile({ nodes, connect }, { world, clock, types, finallyGraceMs: 500, nodeTimeoutMs: 60_000 });
    await eventually('the cleanup hangs', () => world.running.has('stuck'), { intervalMs: 1 });
    expect(world.marks).toEqual(['fail#1', 'cleanup']);
    const { end } = await advanceUntil(clock, 100, run);
    expect(end).toMatchObject({ status: 'failed', error: { code: 'BROKEN' } });
    expect(world.running).toEqual(new Set());
    expect(clock.monotonic()).toBeLessThan(1_000);
  });

  it('is told apart from the end of a stopped branch: a catch around the fork takes it once', async () => {
    const world = new World();
    const nodes: FileSpec['nodes'] = {
      try: ['TryNode', { paired_catch_id: 'catch' }],
      fork: ['ForkNode', { paired_join_id: 'join', fail_fast: true, branch_count: 3 }],
      a: ['HangNode'],
      b: ['HangNode'],
      late: ['CrowdNode', { turns: 20 }],
      c: ['FailNode'],
      join: ['JoinNode'],
      catch: ['CatchNode'],
      handler: ['MarkNode', { mark: '{{error_type}}' }],
    };
    const connect = [
      'try.try_body -> fork',
      'fork.branch_1 -> a',
      'fork.branch_2 -> b',
      'fork.branch_3 -> late -> c',
      'catch.catch_body -> handler',
    ];
    const { end, errors } = await runFile({ nodes, connect }, { world, types: [new Crowd().node()] });
    expect(end.status).toBe('completed');
    expect(world.marks).toEqual(['c#1', 'BrokenError']);
    expect(errors).toEqual([]);
  });

  it('lets a node that is not yet ready to run not begin', async () => {
    const world = new World();
    const secret = Promise.withResolvers<string>();
    const nodes: FileSpec['nodes'] = {
      fork: ['ForkNode', { paired_join_id: 'join', fail_fast: true }],
      try: ['TryNode', { paired_finally_id: 'finally' }],
      body: ['MarkNode', { mark: '{{$secret:token}}' }],
      finally: ['FinallyNode', { paired_try_id: 'try' }],
      cleanup: mark,
      late: ['CrowdNode', { turns: 20 }],
      fail: ['FailNode'],
      join: ['JoinNode'],
    };
    const connect = [
      'fork.branch_1 -> try',
      'try.try_body -> body',
      'finally.finally_body -> cleanup',
      'fork.branch_2 -> late -> fail',
    ];
    const secrets = { get: () => secret.promise };
    const run = runFile({ nodes, connect }, { world, secrets, types: [new Crowd().node()] });
    await eventually('the branch has failed', () => world.marks.length > 0, { intervalMs: 1 });
    secret.resolve('s3cret');
    expect((await run).end).toMatchObject({ status: 'failed', error: { code: 'BROKEN' } });
    expect(world.marks).toEqual(['fail#1', 'cleanup']);
  });

  it('suspends the run when a node of another branch does not end', async () => {
    const clock = new ManualClock();
    const world = new World();
    const journal = new TestJournal();
    const nodes = {
      ...forked(['HangNode', { deaf: true }], ['FailNode'], { fail_fast: true }).nodes,
      late: ['CrowdNode', { turns: 20 }] as const,
    };
    const spec: FileSpec = { nodes, connect: ['fork.branch_1 -> one -> join', 'fork.branch_2 -> late -> two -> join'] };
    const types = [new Crowd().node()];
    const run = runFile(spec, { clock, world, journal, types });
    await eventually('the branch has failed', () => world.marks.length > 0, { intervalMs: 1 });
    const { end } = await advanceUntil(clock, 1_000, run);
    expect(end).toMatchObject({ status: 'suspended', cause: 'node-still-running' });
    const again = await runFile(spec, { journal, types });
    expect(again.end).toMatchObject({ status: 'failed', error: { code: 'BROKEN' } });
  });
});

describe('what is disabled', () => {
  it('as a fork goes on with its join', async () => {
    const { world, end } = await runFile(forked(mark, mark, { _disabled: true }));
    expect(end.status).toBe('completed');
    expect(world.marks).toEqual(['after']);
  });

  it('as a join joins all the same', async () => {
    const { world, variables } = await runFile(forked(set('x', 1), set('y', 2), {}, { _disabled: true }));
    expect(world.marks).toEqual(['after']);
    expect(variables).toMatchObject({ x: 1, y: 2 });
  });
});

describe('what a branch opens', () => {
  const open = (name: string): NodeSpec => ['OpenNode', { name }];

  it('is what its own nodes find, and not what the branch beside it has opened since', async () => {
    const held = defineNode({
      type: 'OpenNode',
      category: 'test',
      description: 'Opens a thing.',
      params: z.object({ name: z.string() }),
      outputs: [],
      effect: () => 'pure',
      run: async (ctx) => {
        ctx.resources.put('thing', ctx.params.name, async () => undefined);
        return {};
      },
    });
    const newest = defineNode({
      type: 'NewestNode',
      category: 'test',
      description: 'Gives the newest thing.',
      params: z.object({}),
      outputs: ['name'],
      effect: () => 'pure',
      run: async (ctx) => ({ outputs: { name: ctx.resources.get<string>('thing') ?? null } }),
    });
    const spec: FileSpec = {
      nodes: {
        outer: open('outer'),
        fork: ['ForkNode', { paired_join_id: 'join' }],
        early: ['NewestNode'],
        one: open('one'),
        meet1: ['MeetNode'],
        seen1: ['NewestNode'],
        two: open('two'),
        meet2: ['MeetNode'],
        seen2: ['NewestNode'],
        join: ['JoinNode'],
        after: ['NewestNode'],
      },
      connect: [
        'outer -> fork',
        'fork.branch_1 -> early -> one -> meet1 -> seen1 -> join',
        'fork.branch_2 -> two -> meet2 -> seen2 -> join',
        'join -> after',
      ],
    };
    const { outputs } = await runFile(spec, { types: [held, newest, meetNode()] });
    expect([outputs.early, outputs.seen1, outputs.seen2]).toEqual([
      { name: 'outer' },
      { name: 'one' },
      { name: 'two' },
    ]);
    expect(['one', 'two']).toContain(outputs.after?.name);
  });
});
