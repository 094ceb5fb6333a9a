import { ManualClock } from '@casare/testing';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { JournalEntry } from '../../src/engine/journal.ts';
import type { InDoubtPolicy } from '../../src/engine/run-options.ts';
import type { JsonObject } from '../../src/json.ts';
import { defineNode, type NodeType, type ProbeVerdict } from '../../src/node-contract.ts';
import { advanceUntil, type FileSpec, type RunSetup, runFile, TestJournal, type TestRun, World } from './harness.ts';

const mark = ['MarkNode'] as const;

/** A run that died right behind the effect of `nodeId`: its intent is there, its result is not. */
async function crashedBehind(
  nodeId: string,
  spec: FileSpec,
  setup: RunSetup = {},
): Promise<{ journal: TestJournal; world: World }> {
  const world = new World();
  const journal = new TestJournal();
  journal.beforeCommit = () => {
    const before = journal.entries.at(-1);
    if (before?.kind === 'intent' && before.node_id === nodeId) throw new Error('the process died');
  };
  const run = await runFile(spec, { world, journal, ...setup });
  expect(run.end.status).toBe('suspended');
  journal.beforeCommit = () => undefined;
  return { journal, world };
}

const line: FileSpec = { nodes: { a: mark, b: mark, c: mark }, connect: ['a -> b -> c'] };

async function resumed(
  policy: InDoubtPolicy,
  config: JsonObject = {},
): Promise<{ run: TestRun; journal: TestJournal }> {
  const spec = { ...line, nodes: { ...line.nodes, b: ['MarkNode', config] as const } };
  const { journal, world } = await crashedBehind('b', spec);
  return { run: await runFile(spec, { journal, world, inDoubtPolicy: policy }), journal };
}

describe('an effect between intent and result, without a probe,', () => {
  it('retry: runs again, under the same idempotency key', async () => {
    const { run, journal } = await resumed('retry');
    expect(run.end.status).toBe('completed');
    expect(run.world.marks).toEqual(['a', 'b', 'b', 'c']);
    const intents = journal.entries.filter((entry) => entry.kind === 'intent' && entry.node_id === 'b');
    expect(intents).toMatchObject([
      { step: 2, attempt: 1 },
      { step: 2, attempt: 2 },
    ]);
    expect(intents[0]).toHaveProperty('idempotency_key', (intents[1] as { idempotency_key: string }).idempotency_key);
  });

  it('skip: goes on by its normal exit, without outputs', async () => {
    const { run, journal } = await resumed('skip');
    expect(run.end.status).toBe('completed');
    expect(run.world.marks).toEqual(['a', 'b', 'c']);
    expect(run.outputs.b).toEqual({});
    expect(journal.entries).toContainEqual(expect.objectContaining({ kind: 'result', node_id: 'b', settled: true }));
  });

  it('fail: fails with IN_DOUBT', async () => {
    const { run } = await resumed('fail');
    expect(run.end).toMatchObject({ status: 'failed', error: { code: 'IN_DOUBT', node_id: 'b' } });
    expect(run.world.marks).toEqual(['a', 'b']);
  });

  it('fail: goes to a try region like any error', async () => {
    const spec: FileSpec = {
      nodes: {
        try: ['TryNode', { paired_catch_id: 'catch' }],
        b: mark,
        catch: ['CatchNode'],
        handler: ['MarkNode', { mark: '{{error_type}}' }],
      },
      connect: ['try.try_body -> b', 'catch.catch_body -> handler'],
    };
    const { journal, world } = await crashedBehind('b', spec);
    const run = await runFile(spec, { journal, world });
    expect(run.end.status).toBe('completed');
    expect(world.marks).toEqual(['b', 'InDoubtError']);
  });

  it('ask: ends in doubt, naming the node, asks once, and waits for another policy', async () => {
    const { run, journal } = await resumed('ask');
    expect(run.end).toMatchObject({ status: 'in_doubt', nodes: [{ node_id: 'b' }] });
    const before = journal.entries.length;
    const again = await runFile(line, { journal, world: run.world, inDoubtPolicy: 'ask' });
    expect(again.end.status).toBe('in_doubt');
    expect(journal.entries.length).toBe(before);
    expect(journal.entries.at(-1)).toMatchObject({ kind: 'in_doubt', node_id: 'b', step: 2 });
    const answered = await runFile(line, { journal, world: run.world, inDoubtPolicy: 'skip' });
    expect(answered.end.status).toBe('completed');
    expect(run.world.marks).toEqual(['a', 'b', 'c']);
  });

  it("its own in_doubt counts more than the run's policy", async () => {
    const { run } = await resumed('ask', { in_doubt: 'retry' });
    expect(run.world.marks).toEqual(['a', 'b', 'b', 'c']);
  });

  it('is not asked about when the run is cancelled meanwhile', async () => {
    const { journal, world } = await crashedBehind('b', line);
    const run = await runFile(line, { journal, world, inDoubtPolicy: 'ask', signal: AbortSignal.abort() });
    expect(run.end.status).toBe('cancelled');
    expect(journal.entries).toContainEqual(expect.objectContaining({ kind: 'stop', node_id: 'b', step: 2 }));
  });
});

describe('an effect with a probe', () => {
  interface Asked {
    params: unknown;
    evidence: unknown;
  }
  const probing = (verdict: ProbeVerdict | Error, asked: Asked[] = []): NodeType =>
    defineNode({
      type: 'ProbeNode',
      category: 'test',
      description: 'Can be asked afterwards.',
      params: z.object({ path: z.string() }),
      outputs: ['size'],
      effect: () => 'effect',
      prepare: async (ctx) => ({ sizeBefore: ctx.params.path.length }),
      run: async () => ({ outputs: { size: 1 } }),
      probe: async ({ params, evidence }) => {
        asked.push({ params, evidence });
        if (verdict instanceof Error) throw verdict;
        return verdict;
      },
    });
  const spec: FileSpec = {
    nodes: { p: ['ProbeNode', { path: '{{file}}' }], m: ['MarkNode', { mark: '{{p.size}}' }] },
    connect: ['p -> m'],
    variables: { file: 'out.txt' },
  };

  async function answered(
    verdict: ProbeVerdict | Error,
    asked: Asked[] = [],
  ): Promise<TestRun & { journal: TestJournal }> {
    const { journal, world } = await crashedBehind('p', spec, { types: [probing(verdict)] });
    return { ...(await runFile(spec, { journal, world, types: [probing(verdict, asked)] })), journal };
  }

  it('that was done goes on with the result that the probe gives', async () => {
    const asked: Asked[] = [];
    const run = await answered({ state: 'done', result: { outputs: { size: 42 } } }, asked);
    expect(run.end.status).toBe('completed');
    expect(run.world.marks).toEqual([42]);
    expect(asked).toEqual([{ params: { path: 'out.txt' }, evidence: { sizeBefore: 7 } }]);
    expect(run.journal.entries).toContainEqual(
      expect.objectContaining({ kind: 'result', node_id: 'p', settled: true }),
    );
  });

  it('that was not done runs again', async () => {
    const run = await answered({ state: 'not-done' });
    expect(run.world.marks).toEqual([1]);
    expect(run.journal.entries).toContainEqual(expect.objectContaining({ kind: 'intent', node_id: 'p', attempt: 2 }));
  });

  it.each([
    [{ state: 'unknown', reason: 'the disk is gone' } as const, /the disk is gone/],
    [new Error('no answer'), /no answer/],
  ])('that stays unknown (%o) is settled by policy', async (verdict, reason) => {
    const run = await answered(verdict);
    expect(run.end).toMatchObject({ status: 'failed', error: { code: 'IN_DOUBT', node_id: 'p' } });
    expect(run.errors[0]?.message).toMatch(reason);
  });
});

describe('what may be repeated', () => {
  it.each(['pure', 'idempotent'])('(%s) runs again without a question', async (effect) => {
    const world = new World();
    const journal = new TestJournal();
    const spec: FileSpec = { nodes: { f: ['FailNode', { effect, times: 1 }] } };
    journal.beforeCommit = (commit) => {
      if (commit === 2) throw new Error('the process died');
    };
    await runFile(spec, { world, journal });
    journal.beforeCommit = () => undefined;
    const run = await runFile(spec, { world, journal, inDoubtPolicy: 'ask' });
    expect(run.end.status).toBe('completed');
    expect(world.marks).toEqual(['f#1', 'f#2']);
  });
});

describe('a run as a whole', () => {
  const began = async (): Promise<TestJournal> => {
    const { journal } = await crashedBehind('b', line);
    return journal;
  };
  const changed: FileSpec = { nodes: { ...line.nodes, d: mark }, connect: ['a -> b -> c -> d'] };

  it.each<InDoubtPolicy>(['ask', 'retry', 'skip'])(
    'whose workflow has changed is asked about under %s',
    async (policy) => {
      const journal = await began();
      const run = await runFile(changed, { journal, inDoubtPolicy: policy });
      expect(run.end).toMatchObject({
        status: 'in_doubt',
        nodes: [{ node_id: null, reason: expect.stringContaining('workflow'), answers: ['restart', 'fail'] }],
      });
      expect(run.world.marks).toEqual([]);
      const before = journal.entries.length;
      await runFile(changed, { journal, inDoubtPolicy: policy });
      expect(journal.entries.length).toBe(before);
    },
  );

  it.each<[string, FileSpec]>([
    ['a node more', changed],
    ['the node removed that was under way', { nodes: { a: mark, c: mark }, connect: ['a -> c'] }],
    ['another type for it', { nodes: { ...line.nodes, b: ['GiveNode'] }, connect: line.connect ?? [] }],
    [
      'another policy for it',
      { nodes: { ...line.nodes, b: ['MarkNode', { in_doubt: 'retry' }] }, connect: line.connect ?? [] },
    ],
    ['another order', { nodes: line.nodes, connect: ['b -> a -> c'] }],
  ])('whose workflow has changed fails under fail, naming what was under way: %s', async (_what, other) => {
    const journal = await began();
    const run = await runFile(other, { journal, inDoubtPolicy: 'fail' });
    const error = {
      code: 'WORKFLOW_CHANGED',
      message: expect.stringContaining('The effect of node "b" (step 2) may or may not have happened'),
      may_have_happened: [{ node_id: 'b', step: 2, attempt: 1 }],
    };
    expect(run.end).toMatchObject({ status: 'failed', error });
    expect(run.world.marks).toEqual([]);
    expect((await runFile(other, { journal })).end).toEqual(run.end);
  });

  it('whose node library has another effect for the node that was under way settles it by what it was then', async () => {
    const as = (effect: 'pure' | 'effect') => [
      defineNode({
        type: 'TwoFacedNode',
        category: 'test',
        description: 'Says what it is told to say of itself.',
        params: z.object({}),
        outputs: [],
        effect: () => effect,
        run: async () => ({}),
      }),
    ];
    const spec: FileSpec = { nodes: { p: ['TwoFacedNode'] } };
    for (const [then, now, status] of [
      ['effect', 'pure', 'in_doubt'],
      ['pure', 'effect', 'completed'],
    ] as const) {
      const { journal } = await crashedBehind('p', spec, { types: as(then) });
      expect((await runFile(spec, { journal, types: as(now), inDoubtPolicy: 'ask' })).end.status).toBe(status);
    }
  });

  it.each([
    [null, 'the probe answered null, which is none of "done", "not-done" and "unknown"'],
    [{ state: 'Done' }, 'the probe answered Done, which is none of'],
    [{ state: 'done' }, 'the probe says that it is done, but gives no result'],
    [{ state: 'unknown' }, 'the probe gave no reason'],
    [{ state: 'unknown', reason: 'x'.repeat(5_000) }, `${'x'.repeat(1_000)}…`],
  ])('whose probe answers %j stays in doubt, with a reason', async (answer, reason) => {
    const types = [
      defineNode({
        type: 'UnclearProbeNode',
        category: 'test',
        description: 'Its probe is of no use.',
        params: z.object({}),
        outputs: [],
        effect: () => 'effect',
        run: async () => ({}),
        probe: async () => answer as ProbeVerdict,
      }),
    ];
    const spec: FileSpec = { nodes: { p: ['UnclearProbeNode'] } };
    const { journal, world } = await crashedBehind('p', spec, { types });
    const { end } = await runFile(spec, { journal, world, types, inDoubtPolicy: 'ask' });
    expect(end).toMatchObject({
      status: 'in_doubt',
      nodes: [{ node_id: 'p', reason: expect.stringContaining(reason) }],
    });
  });

  it('that hangs while its effect is looked for waits no longer than the limit of a node', async () => {
    const clock = new ManualClock();
    const types = [
      defineNode({
        type: 'SlowProbeNode',
        category: 'test',
        description: 'Its probe never ends.',
        params: z.object({}),
        outputs: [],
        effect: () => 'effect',
        run: async () => ({}),
        probe: () => new Promise<ProbeVerdict>(() => undefined),
      }),
    ];
    const spec: FileSpec = {
      nodes: { fork: ['ForkNode', { paired_join_id: 'join' }], p: ['SlowProbeNode'], a: mark, join: ['JoinNode'] },
      connect: ['fork.branch_1 -> p -> join', 'fork.branch_2 -> a -> join'],
    };
    const { journal, world } = await crashedBehind('p', spec, { types, clock });
    const running = runFile(spec, { journal, world, types, clock, nodeTimeoutMs: 1_000, inDoubtPolicy: 'ask' });
    const { end } = await advanceUntil(clock, 500, running);
    const reason = 'looking for it took too long';
    expect(end).toMatchObject({ status: 'in_doubt' });
    expect(end.status === 'in_doubt' ? end.nodes : []).toContainEqual(
      expect.objectContaining({ node_id: 'p', reason }),
    );
  });

  it('whose node library has changed is in doubt, too', async () => {
    const { journal } = await crashedBehind('b', line, { library: 'nodes@1' });
    const run = await runFile(line, { journal, library: 'nodes@2' });
    expect(run.end).toMatchObject({
      status: 'failed',
      error: { code: 'WORKFLOW_CHANGED', message: expect.stringContaining('library') },
    });
  });

  it('that has an outcome returns it again and runs nothing, whatever the workflow', async () => {
    const journal = new TestJournal();
    const first = await runFile(line, { journal, variables: { v: 1 } });
    const entries = journal.entries;
    for (const spec of [line, changed]) {
      const again = await runFile(spec, { journal, inDoubtPolicy: 'ask', signal: AbortSignal.abort() });
      expect(again.end).toEqual(first.end);
      expect(again.variables).toEqual(first.variables);
      expect(again.outputs).toEqual(first.outputs);
      expect(again.world.marks).toEqual([]);
    }
    expect(journal.entries).toEqual(entries);
  });

  it('that was refused before it began keeps that outcome', async () => {
    const outcome: JournalEntry = {
      kind: 'outcome',
      outcome: {
        status: 'failed',
        error: { code: 'WORKFLOW_INVALID', category: 'permanent', message: 'no', node_id: null },
        duration_ms: 0,
        nodes_total: 0,
        nodes_executed: 0,
        nodes_skipped: 0,
      },
      at: 0,
    };
    const run = await runFile(line, { journal: new TestJournal([outcome]) });
    expect(run.end).toMatchObject({ status: 'failed', error: { code: 'WORKFLOW_INVALID' } });
    expect(run.world.marks).toEqual([]);
  });

  it('whose journal cannot be read is suspended and runs nothing', async () => {
    const journal = new TestJournal();
    journal.load = () => Promise.reject(new Error('no such disk'));
    const run = await runFile(line, { journal });
    expect(run.end).toMatchObject({ status: 'suspended', reason: expect.stringContaining('no such disk') });
    expect(run.world.marks).toEqual([]);
  });
});
