import { eventually, ManualClock } from '@casare/testing';
import { describe, expect, it } from 'vitest';
import type { StopRequest } from '../../src/engine/run-options.ts';
import { advanceUntil, type FileSpec, type NodeSpec, runFile, TestJournal, type TestRun, World } from './harness.ts';
import { gateNode, stubbornNode } from './side-by-side.ts';

const mark: NodeSpec = ['MarkNode'];

/** Two branches, each in a try region with a finally, whose bodies hang. */
const guarded: FileSpec = {
  nodes: {
    outer: ['TryNode', { paired_finally_id: 'outer_finally' }],
    fork: ['ForkNode', { paired_join_id: 'join' }],
    try1: ['TryNode', { paired_finally_id: 'finally1' }],
    hang1: ['HangNode'],
    finally1: ['FinallyNode', { paired_try_id: 'try1' }],
    clean1: mark,
    try2: ['TryNode', { paired_finally_id: 'finally2' }],
    hang2: ['HangNode'],
    finally2: ['FinallyNode', { paired_try_id: 'try2' }],
    clean2: mark,
    join: ['JoinNode'],
    after: mark,
    outer_finally: ['FinallyNode', { paired_try_id: 'outer' }],
    clean_outer: mark,
  },
  connect: [
    'outer.try_body -> fork',
    'fork.branch_1 -> try1 -> join',
    'try1.try_body -> hang1',
    'finally1.finally_body -> clean1',
    'fork.branch_2 -> try2 -> join',
    'try2.try_body -> hang2',
    'finally2.finally_body -> clean2',
    'join -> after',
    'outer_finally.finally_body -> clean_outer',
  ],
};

class UnderWay {
  readonly world = new World();
  readonly clock = new ManualClock();
  readonly journal = new TestJournal();
  readonly stopper = new AbortController();
  readonly report: Promise<TestRun>;

  constructor(spec: FileSpec, setup: Parameters<typeof runFile>[1] = {}) {
    const { world, clock, journal } = this;
    this.report = runFile(spec, {
      world,
      clock,
      journal,
      signal: this.stopper.signal,
      types: [stubbornNode(world)],
      ...setup,
    });
  }

  async untilRunning(...nodeIds: readonly string[]): Promise<void> {
    const isThere = (): boolean => nodeIds.every((nodeId) => this.world.running.has(nodeId));
    await eventually(`${nodeIds.join(' and ')} run`, isThere, { intervalMs: 1 });
  }

  stop(request: Partial<StopRequest> = {}): void {
    this.stopper.abort({ kind: 'cancel', reason: 'enough', requestedBy: 'ada', ...request });
  }
}

describe('a cancel', () => {
  it('reaches the nodes of all branches, runs all finally bodies, the inner ones first, and ends the run once', async () => {
    const run = new UnderWay(guarded);
    await run.untilRunning('hang1', 'hang2');
    run.stop();
    const { end } = await run.report;
    expect(end).toMatchObject({ status: 'cancelled', reason: 'enough', requested_by: 'ada' });
    expect(run.world.running).toEqual(new Set());
    expect(run.world.marks.toSorted()).toEqual(['clean1', 'clean2', 'clean_outer']);
    expect(run.world.marks.at(-1)).toBe('clean_outer');
    const kinds = run.journal.entries.map(({ kind }) => kind);
    expect(kinds.filter((kind) => kind === 'stop')).toHaveLength(1);
    expect(kinds.filter((kind) => kind === 'interrupted')).toHaveLength(1);
    expect(kinds.at(-1)).toBe('outcome');
  });

  it('writes no outcome before every branch has ended', async () => {
    const spec: FileSpec = {
      nodes: {
        fork: ['ForkNode', { paired_join_id: 'join' }],
        quick: ['HangNode'],
        deaf: ['HangNode', { deaf: true }],
        join: ['JoinNode'],
      },
      connect: ['fork.branch_1 -> quick', 'fork.branch_2 -> deaf'],
    };
    const run = new UnderWay(spec);
    await run.untilRunning('quick', 'deaf');
    run.stop();
    const { end } = await advanceUntil(run.clock, 1_000, run.report);
    expect(end).toMatchObject({ status: 'suspended', cause: 'node-still-running' });
    expect(end).toHaveProperty('reason', expect.stringContaining('deaf'));
    expect(run.journal.entries.some(({ kind }) => kind === 'outcome')).toBe(false);
    const again = await runFile(spec, { journal: run.journal, world: run.world });
    expect(again.end.status).toBe('cancelled');
  });

  it('counts effects that have happened all the same in any branch', async () => {
    const spec: FileSpec = {
      nodes: {
        fork: ['ForkNode', { paired_join_id: 'join' }],
        s1: ['StubbornNode'],
        s2: ['StubbornNode'],
        behind: mark,
        join: ['JoinNode'],
      },
      connect: ['fork.branch_1 -> s1 -> behind', 'fork.branch_2 -> s2 -> behind'],
    };
    const run = new UnderWay(spec);
    await run.untilRunning('s1', 's2');
    run.stop();
    expect((await run.report).end.status).toBe('cancelled');
    const results = run.journal.entries.filter(({ kind }) => kind === 'result');
    expect(results).toContainEqual(expect.objectContaining({ node_id: 's1' }));
    expect(results).toContainEqual(expect.objectContaining({ node_id: 's2' }));
    expect(run.world.marks.toSorted()).toEqual(['s1 heard', 's2 heard']);
  });

  it('gives the finally bodies of all branches one grace together', async () => {
    const nodes = { ...guarded.nodes, clean1: ['HangNode'] as const, clean2: ['HangNode'] as const };
    const run = new UnderWay({ ...guarded, nodes }, { finallyGraceMs: 400 });
    await run.untilRunning('hang1', 'hang2');
    run.stop();
    await run.untilRunning('clean1', 'clean2');
    await run.clock.advance(399);
    expect(run.world.running).toEqual(new Set(['clean1', 'clean2']));
    await run.clock.advance(1);
    expect((await run.report).end.status).toBe('cancelled');
    expect(run.world.marks).toEqual([]);
  });
});

describe("the job's time limit", () => {
  it('stops all branches and fails the run', async () => {
    const run = new UnderWay(guarded, { jobTimeoutMs: 5_000 });
    await run.untilRunning('hang1', 'hang2');
    await run.clock.advance(5_000);
    expect((await run.report).end).toMatchObject({ status: 'failed', error: { code: 'JOB_TIMEOUT' } });
    expect(run.world.marks.toSorted()).toEqual(['clean1', 'clean2', 'clean_outer']);
  });

  it('counts the time of nodes that run side by side once', async () => {
    const sleeping = (seconds: number): NodeSpec => ['HangNode', { timeout: seconds }];
    const spec: FileSpec = {
      nodes: {
        fork: ['ForkNode', { paired_join_id: 'join' }],
        a: sleeping(4),
        b: sleeping(4),
        join: ['JoinNode'],
        last: ['HangNode'],
      },
      connect: ['fork.branch_1 -> a', 'fork.branch_2 -> b', 'join -> last'],
      settings: { stop_on_error: false },
    };
    const run = new UnderWay(spec, { jobTimeoutMs: 10_000 });
    await run.untilRunning('a', 'b');
    await run.clock.advance(4_000);
    await run.untilRunning('last');
    run.stop({ kind: 'suspend' });
    expect((await run.report).end.status).toBe('suspended');
    const resumed = new UnderWay(spec, { jobTimeoutMs: 10_000, journal: run.journal });
    await resumed.untilRunning('last');
    await resumed.clock.advance(5_999);
    expect(resumed.world.running).toContain('last');
    await resumed.clock.advance(1);
    expect((await resumed.report).end).toMatchObject({ status: 'failed', error: { code: 'JOB_TIMEOUT' } });
  });
});

describe('a suspend', () => {
  it('stops each branch behind its node: effects end first, and nothing is lost or done twice', async () => {
    const gate = Promise.withResolvers<void>();
    const spec: FileSpec = {
      nodes: {
        fork: ['ForkNode', { paired_join_id: 'join' }],
        hang: ['HangNode'],
        a: mark,
        slow: ['GateNode'],
        b: mark,
        join: ['JoinNode'],
        after: mark,
      },
      connect: ['fork.branch_1 -> slow -> b -> join', 'fork.branch_2 -> a -> hang -> join', 'join -> after'],
    };
    const world = new World();
    const run = new UnderWay(spec, { world, types: [gateNode(world, gate.promise)] });
    await eventually('both run', () => world.running.has('hang') && world.running.has('slow'), { intervalMs: 1 });
    run.stop({ kind: 'suspend', reason: 'restart' });
    await eventually('the pure node has stopped', () => !world.running.has('hang'), { intervalMs: 1 });
    gate.resolve();
    expect((await run.report).end).toMatchObject({ status: 'suspended', cause: 'asked', reason: 'restart' });
    expect(world.marks).toEqual(['a', 'slow']);
    const again = runFile(spec, {
      journal: run.journal,
      world,
      types: [gateNode(world, gate.promise)],
      clock: run.clock,
    });
    await eventually('the pure node runs again', () => world.running.has('hang'), { intervalMs: 1 });
    await run.clock.advance(120_000);
    expect((await again).end).toMatchObject({ status: 'failed', error: { code: 'NODE_TIMEOUT' } });
    expect(world.marks).toEqual(['a', 'slow', 'b']);
  });
});
