import { eventually, ManualClock } from '@casare/testing';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { mayHaveHappened, type NamesCutOff } from '../../src/engine/cut-off.ts';
import type { DoubtAnswer } from '../../src/engine/doubt.ts';
import { OpenIntents } from '../../src/engine/open-intents.ts';
import type { StopRequest } from '../../src/engine/run-options.ts';
import { defineNode } from '../../src/node-contract.ts';
import {
  advanceUntil,
  type FileSpec,
  type NodeSpec,
  type RunSetup,
  realClock,
  runFile,
  TestJournal,
  type TestRun,
  World,
} from './harness.ts';

const mark = ['MarkNode'] as const;
const hang: NodeSpec = ['HangNode'];
const act: NodeSpec = ['HangNode', { effect: 'effect' }];

type StopSetup = Omit<RunSetup, 'journal'> & { readonly journal?: TestJournal };

/** A run under way, with its means to be stopped. */
class Stoppable {
  readonly world = new World();
  readonly clock = new ManualClock();
  readonly journal: TestJournal;
  readonly stopper = new AbortController();
  readonly report: Promise<TestRun>;

  constructor(spec: FileSpec, setup: StopSetup = {}) {
    this.journal = setup.journal ?? new TestJournal();
    this.report = runFile(spec, {
      world: this.world,
      clock: this.clock,
      signal: this.stopper.signal,
      ...setup,
      journal: this.journal,
    });
  }

  async untilRunning(nodeId: string): Promise<void> {
    await eventually(`${nodeId} runs`, () => this.world.running.has(nodeId), { intervalMs: 1 });
  }

  stop(kind: StopRequest['kind'], reason = 'because', limits: { readonly withinMs?: number } = {}): void {
    this.stopper.abort({ kind, reason, requestedBy: 'ada', ...limits } satisfies StopRequest);
  }

  kinds(): string[] {
    return this.journal.entries.map((entry) => entry.kind);
  }
}

const guarded = (body: NodeSpec, cleanup: NodeSpec = mark): FileSpec => ({
  nodes: {
    try: ['TryNode', { paired_catch_id: 'catch', paired_finally_id: 'finally' }],
    loop: ['ForLoopStartNode', { items: [1, 2] }],
    body,
    catch: ['CatchNode'],
    handler: mark,
    finally: ['FinallyNode'],
    cleanup,
    second: mark,
    after: mark,
  },
  connect: [
    'try.try_body -> loop',
    'loop.body -> body',
    'catch.catch_body -> handler',
    'finally.finally_body -> cleanup -> second',
    'try -> after',
  ],
});

describe('a cancel', () => {
  it('aborts the node, ends the run as cancelled and names who asked', async () => {
    const run = new Stoppable({ nodes: { h: hang, after: mark }, connect: ['h -> after'] });
    await run.untilRunning('h');
    run.stop('cancel', 'no longer needed');
    const { end, world } = await run.report;
    expect(end).toMatchObject({ status: 'cancelled', reason: 'no longer needed', requested_by: 'ada' });
    expect(world.marks).toEqual([]);
    expect(run.kinds()).toEqual(['began', 'intent', 'stop', 'outcome']);
  });

  it('names the effects that it cut off, in all branches, and no other node', async () => {
    const spec: FileSpec = {
      nodes: {
        fork: ['ForkNode', { paired_join_id: 'join', branch_count: 3 }],
        done: mark,
        pay: act,
        wait: hang,
        mail: act,
        join: ['JoinNode'],
      },
      connect: ['fork.branch_1 -> done -> pay', 'fork.branch_2 -> wait', 'fork.branch_3 -> mail'],
    };
    const lines: unknown[] = [];
    const observer = { log: (line: unknown): void => void lines.push(line) };
    const run = new Stoppable(spec, { observer });
    for (const node of ['pay', 'wait', 'mail']) await run.untilRunning(node);
    run.stop('cancel');
    const { end } = await run.report;
    const named = end.status === 'cancelled' ? end.may_have_happened : undefined;
    expect(named?.map(({ node_id }) => node_id).toSorted()).toEqual(['mail', 'pay']);
    expect(lines).toHaveLength(2);
    expect(run.journal.entries.at(-1)).toMatchObject({ outcome: { may_have_happened: named } });
  });

  it('names an effect that was under way when the process died before the cancel', async () => {
    const spec: FileSpec = { nodes: { pay: act } };
    const dead = new Stoppable(spec);
    await dead.untilRunning('pay');
    const journal = new TestJournal([...dead.journal.entries]);
    dead.stop('cancel');
    await dead.report;
    const run = new Stoppable(spec, { journal });
    run.stop('cancel');
    const cutOff = [{ node_id: 'pay', step: 1, attempt: 1 }];
    expect((await run.report).end).toMatchObject({ status: 'cancelled', may_have_happened: cutOff });
  });

  it('with a reason that is no stop request is a cancel all the same', async () => {
    const run = new Stoppable({ nodes: { h: hang } });
    await run.untilRunning('h');
    run.stopper.abort();
    expect((await run.report).end).toMatchObject({ status: 'cancelled', requested_by: null });
  });

  it('before the first node runs nothing', async () => {
    const run = new Stoppable({ nodes: { a: mark } });
    run.stop('cancel');
    const { end, world, skipped } = await run.report;
    expect(end.status).toBe('cancelled');
    expect(world.marks).toEqual([]);
    expect(skipped).toEqual(['a']);
  });

  it('runs the finally bodies on its way, and no catch', async () => {
    const run = new Stoppable(guarded(hang));
    await run.untilRunning('body');
    run.stop('cancel');
    const { end, world } = await run.report;
    expect(end.status).toBe('cancelled');
    expect(world.marks).toEqual(['cleanup', 'second']);
  });

  it('lets a finally body that is under way come to its end', async () => {
    const spec = guarded(mark, hang);
    const run = new Stoppable(spec);
    await run.untilRunning('cleanup');
    run.stop('cancel');
    await run.clock.advance(9_999);
    expect(run.world.running).toContain('cleanup');
    await run.clock.advance(1);
    const { end, world } = await run.report;
    expect(end.status).toBe('cancelled');
    expect(world.marks).toEqual(['body', 'body']);
  });

  it('gives finally bodies a bounded grace', async () => {
    const run = new Stoppable(guarded(hang, hang), { finallyGraceMs: 300 });
    await run.untilRunning('body');
    run.stop('cancel');
    await run.untilRunning('cleanup');
    await run.clock.advance(300);
    const { end, world } = await run.report;
    expect(end.status).toBe('cancelled');
    expect(world.marks).toEqual([]);
  });

  it('goes through an error in a finally body', async () => {
    const run = new Stoppable(guarded(hang, ['FailNode']));
    await run.untilRunning('body');
    run.stop('cancel');
    const { end, errors } = await run.report;
    expect(end.status).toBe('cancelled');
    expect(errors).toMatchObject([{ code: 'BROKEN' }]);
  });

  it('is too late once the last node has ended: the run is completed', async () => {
    const stopper = new AbortController();
    const last = defineNode({
      type: 'LastNode',
      category: 'test',
      description: 'Is cancelled while it runs, and comes to its end all the same.',
      params: z.object({}),
      outputs: [],
      effect: () => 'effect',
      run: async () => {
        stopper.abort();
        return {};
      },
    });
    const { end } = await runFile({ nodes: { a: ['LastNode'] } }, { types: [last], signal: stopper.signal });
    expect(end.status).toBe('completed');
  });

  it('between the intent and the start of an effect keeps it from starting', async () => {
    const stopper = new AbortController();
    const run = await runFile(
      { nodes: { a: mark } },
      { signal: stopper.signal, observer: { nodeStarted: () => stopper.abort() } },
    );
    expect(run.end.status).toBe('cancelled');
    expect(run.world.marks).toEqual([]);
  });

  it('that a node outlives is recorded, but ends the run only at the next resume', async () => {
    const spec = guarded(['HangNode', { deaf: true }]);
    const run = new Stoppable(spec);
    await run.untilRunning('body');
    run.stop('cancel');
    await run.clock.advance(5_000);
    const { end, world } = await run.report;
    expect(end).toMatchObject({ status: 'suspended' });
    expect(end.status === 'suspended' && end.reason).toContain('"body" has not ended');
    expect(world.marks).toEqual([]);
    expect(run.kinds().at(-1)).toBe('stop');
    const resumed = await runFile(spec, { journal: run.journal, world });
    expect(resumed.end).toMatchObject({ status: 'cancelled', reason: 'because', requested_by: 'ada' });
    expect(world.marks).toEqual(['cleanup', 'second']);
  });

  it('stops nodes that never wait', async () => {
    const stopper = new AbortController();
    const spec: FileSpec = {
      nodes: {
        w: ['WhileLoopStartNode', { condition: true, max_iterations: 10_000_000 }],
        s: ['SetVariableNode', { variable_name: 'x', value: 1 }],
      },
      connect: ['w.body -> s'],
    };
    setImmediate(() => stopper.abort());
    const { end } = await runFile(spec, { signal: stopper.signal });
    expect(end.status).toBe('cancelled');
  });
});

describe('an effect that is cut off while its run goes on, so that nobody knows whether it happened,', () => {
  const named = { named: [{ node_id: 'pay', step: expect.any(Number), attempt: 1 }], more: 0 };
  const cases: readonly [string, NodeSpec, FileSpec['nodes'], readonly string[], number][] = [
    [
      'by another branch that fails',
      ['ForkNode', { paired_join_id: 'join', fail_fast: true }],
      { pay: act, other: ['HangNode', { timeout: 1 }], join: ['JoinNode'] },
      ['body.branch_1 -> pay', 'body.branch_2 -> other'],
      1_000,
    ],
    [
      'by the time of its item',
      ['ParallelForEachNode', { items: [1], timeout_per_item: 2 }],
      { pay: act },
      ['body.body -> pay'],
      2_000,
    ],
    [
      'by its own time limit',
      ['GiveNode'],
      { pay: ['HangNode', { effect: 'effect', timeout: 1 }] },
      ['body -> pay'],
      1_000,
    ],
  ];

  it.each(cases)('%s, is named by its end', async (_how, body, nodes, connect, limitMs) => {
    const caughtBy = (after: NodeSpec): FileSpec => ({
      nodes: { try: ['TryNode', { paired_catch_id: 'catch' }], body, ...nodes, catch: ['CatchNode'], after },
      connect: ['try.try_body -> body', 'catch.catch_body -> after', ...connect],
    });
    const caught = caughtBy(hang);
    const run = new Stoppable(caught, { journal: new TestJournal([], 2) });
    await run.untilRunning('pay');
    await run.clock.advance(limitMs);
    await run.untilRunning('after');
    run.stop('suspend');
    await run.report;
    // From a snapshot, and once more without one.
    const watched = new OpenIntents();
    watched.load(run.journal.entries);
    const unfolded = new OpenIntents();
    unfolded.follow(run.journal.entries);
    expect([watched.mayHaveHappened, unfolded.mayHaveHappened]).toEqual([named, named]);
    const lines: unknown[] = [];
    const observer = { log: (line: unknown): void => void lines.push(line) };
    const again = new Stoppable(caught, { journal: run.journal, observer });
    await again.untilRunning('after');
    await again.clock.advance(120_000);
    const { end } = await again.report;
    expect(end).toMatchObject({
      status: 'failed',
      error: {
        node_id: 'after',
        message: expect.stringMatching(/ms\. The effect of node "pay" \(step \d\) may or may not have happened\.$/),
        may_have_happened: named.named,
      },
    });
    expect(lines).toContainEqual(
      expect.objectContaining({ node_id: 'pay', message: expect.stringContaining('may or may not have happened') }),
    );

    const lucky = new Stoppable(caughtBy(mark));
    await lucky.untilRunning('pay');
    await lucky.clock.advance(limitMs);
    expect((await lucky.report).end).toMatchObject({ status: 'completed', may_have_happened: named.named });
  });

  it('is named by its number only when there are very many of them', async () => {
    const spec: FileSpec = {
      nodes: { loop: ['ForLoopStartNode', { mode: 'range', end: 103 }], pay: ['FailNode', { ambiguous: true }] },
      connect: ['loop.body -> pay'],
      settings: { stop_on_error: false },
    };
    const { end } = await runFile(spec, { journal: new TestJournal([], 10) });
    expect(end).toMatchObject({ status: 'completed', may_have_happened_more: 3 });
    const names = end as NamesCutOff;
    expect(names.may_have_happened).toHaveLength(100);
    expect(mayHaveHappened(names)).toMatch(/\(step 40\) and 83 more may or may not have happened$/);
  });

  it('is named for each attempt that an operator had run again, as long as nobody knows how the last one ended', async () => {
    const spec: FileSpec = { nodes: { pay: act } };
    let journal = new TestJournal([], 1);
    const answers: DoubtAnswer[] = [];
    for (const attempt of [1, 2, 3]) {
      const dead = new Stoppable(spec, { journal, inDoubtPolicy: 'ask', answers });
      await dead.untilRunning('pay');
      journal = new TestJournal([...journal.entries], 1);
      dead.stop('cancel');
      await dead.report;
      await runFile(spec, { journal, inDoubtPolicy: 'ask', answers });
      answers.push({ node_id: 'pay', step: 1, attempt, answer: 'retry', by: 'ada', at: 'now' });
    }
    const cancel = AbortSignal.abort({ kind: 'cancel', reason: 'enough' });
    const watched = new OpenIntents();
    watched.load(journal.entries);
    const { end } = await runFile(spec, { journal, inDoubtPolicy: 'ask', signal: cancel });
    const all = [1, 2, 3].map((attempt) => ({ node_id: 'pay', step: 1, attempt }));
    expect([(end as NamesCutOff).may_have_happened, watched.mayHaveHappened.named]).toEqual([all, all]);
    expect(mayHaveHappened(end as NamesCutOff)).toBe(
      'the effect of node "pay" (step 1, 3 attempts) may or may not have happened',
    );
  });

  it('is not named when an operator has said what happened', async () => {
    const intents = new OpenIntents();
    const spec: FileSpec = { nodes: { pay: act }, settings: { stop_on_error: false } };
    const dead = new Stoppable(spec, { inDoubtPolicy: 'ask' });
    await dead.untilRunning('pay');
    const journal = new TestJournal([...dead.journal.entries]);
    dead.stop('cancel');
    await dead.report;
    await runFile(spec, { journal, inDoubtPolicy: 'ask' });
    const answer = { node_id: 'pay', step: 1, attempt: 1, answer: 'fail', by: 'ada', at: 'now' } as const;
    const { end } = await runFile(spec, { journal, inDoubtPolicy: 'ask', answers: [answer] });
    intents.load(journal.entries);
    expect([end.status, 'may_have_happened' in end, intents.mayHaveHappened.named]).toEqual(['completed', false, []]);
  });
});

describe('the job time limit', () => {
  it('names the effect that it cut off', async () => {
    const run = new Stoppable({ nodes: { pay: act } }, { jobTimeoutMs: 500 });
    await run.untilRunning('pay');
    await run.clock.advance(500);
    const message = expect.stringContaining('. The effect of node "pay" (step 1) may or may not have happened.');
    expect((await run.report).end).toMatchObject({ error: { code: 'JOB_TIMEOUT', message, node_id: 'pay' } });
  });

  it('fails the run with JOB_TIMEOUT after its finally bodies', async () => {
    const run = new Stoppable(guarded(hang), { jobTimeoutMs: 2_000 });
    await run.untilRunning('body');
    await run.clock.advance(2_000);
    const { end, world } = await run.report;
    expect(end).toMatchObject({ status: 'failed', error: { code: 'JOB_TIMEOUT', node_id: 'body' } });
    expect(world.marks).toEqual(['cleanup', 'second']);
  });

  it('counts the time before a restart', async () => {
    const spec: FileSpec = {
      nodes: { a: ['HangNode'], b: ['HangNode'] },
      connect: ['a -> b'],
      settings: { stop_on_error: false },
    };
    const first = new Stoppable(spec, { jobTimeoutMs: 2_000, nodeTimeoutMs: 1_500 });
    await first.untilRunning('a');
    await first.clock.advance(1_500);
    await first.untilRunning('b');
    first.stop('suspend');
    expect((await first.report).end.status).toBe('suspended');
    const second = new Stoppable(spec, { jobTimeoutMs: 2_000, journal: first.journal });
    await second.untilRunning('b');
    await second.clock.advance(500);
    expect((await second.report).end).toMatchObject({ status: 'failed', error: { code: 'JOB_TIMEOUT' } });
  });
});

describe('a time limit of months', () => {
  it("is no limit of a moment, on the machine's own timers", async () => {
    const months = 90 * 24 * 3_600_000;
    const { end } = await runFile(
      { nodes: { a: ['FailNode', { times: 1, retry_count: 1, retry_interval: 20 }] } },
      { clock: realClock, jobTimeoutMs: months, nodeTimeoutMs: months },
    );
    expect(end.status).toBe('completed');
  });
});

describe('a suspend', () => {
  it('aborts a node that may run again, and the resume runs it again', async () => {
    const spec: FileSpec = { nodes: { a: mark, h: hang, b: mark }, connect: ['a -> h -> b'] };
    const run = new Stoppable(spec);
    await run.untilRunning('h');
    run.stop('suspend', 'the robot restarts');
    expect((await run.report).end).toMatchObject({ status: 'suspended', reason: 'the robot restarts' });
    expect(run.kinds()).toEqual(['began', 'intent', 'result', 'intent']);
    const again = new Stoppable(spec, { journal: run.journal });
    await again.untilRunning('h');
    again.stop('cancel');
    await again.report;
    expect(run.journal.entries).toContainEqual(
      expect.objectContaining({ kind: 'intent', node_id: 'h', step: 2, attempt: 2 }),
    );
  });

  it('lets an effect finish, and stops behind it', async () => {
    const stopper = new AbortController();
    const world = new World();
    const journal = new TestJournal();
    const spec: FileSpec = { nodes: { a: mark, b: mark }, connect: ['a -> b'] };
    const first = await runFile(spec, {
      world,
      journal,
      signal: stopper.signal,
      observer: { nodeStarted: () => stopper.abort({ kind: 'suspend', reason: 'restart' }) },
    });
    expect(first.end.status).toBe('suspended');
    expect(world.marks).toEqual(['a']);
    expect(journal.entries.map((entry) => entry.kind)).toEqual(['began', 'intent', 'result']);
    expect((await runFile(spec, { world, journal })).end.status).toBe('completed');
    expect(world.marks).toEqual(['a', 'b']);
  });

  it('with a limit aborts an effect that takes longer, which is in doubt then', async () => {
    const spec: FileSpec = { nodes: { h: ['HangNode', { effect: 'effect' }], b: mark }, connect: ['h -> b'] };
    const run = new Stoppable(spec);
    await run.untilRunning('h');
    run.stop('suspend', 'its lease ends', { withinMs: 5_000 });
    await run.clock.advance(4_999);
    expect(run.world.running.has('h')).toBe(true);
    await run.clock.advance(1);
    expect((await run.report).end).toMatchObject({ status: 'suspended', cause: 'asked', reason: 'its lease ends' });
    expect(run.kinds()).toEqual(['began', 'intent']);
    const again = await runFile(spec, { journal: run.journal, world: run.world, inDoubtPolicy: 'ask' });
    expect(again.end).toMatchObject({ status: 'in_doubt', nodes: [{ node_id: 'h' }] });
  });

  it('during the wait for a retry leaves nothing in doubt', async () => {
    const spec: FileSpec = { nodes: { f: ['FailNode', { retry_count: 2, retry_interval: 60_000, times: 1 }] } };
    const run = new Stoppable(spec);
    await eventually('the wait', () => run.kinds().includes('retry') && run.clock.sleeping > 0, { intervalMs: 1 });
    run.stop('suspend');
    expect((await run.report).end.status).toBe('suspended');
    const again = await runFile(spec, { journal: run.journal, world: run.world });
    expect(again.end.status).toBe('completed');
    expect(run.world.marks).toEqual(['f#1', 'f#2']);
  });
});

describe('time limits of nodes', () => {
  const limits = async (spec: FileSpec, setup: StopSetup = {}): Promise<{ failedAtMs: number; run: Stoppable }> => {
    const run = new Stoppable(spec, setup);
    await run.untilRunning('h');
    await advanceUntil(run.clock, 500, run.report);
    return { failedAtMs: run.clock.monotonic(), run };
  };

  it.each<[string, FileSpec, number]>([
    [
      "the node's own timeout, in seconds",
      { nodes: { h: ['HangNode', { timeout: 2 }] }, settings: { timeout: 60 } },
      2_000,
    ],
    ["the workflow's, if it is not the designer's default", { nodes: { h: hang }, settings: { timeout: 60 } }, 60_000],
    ["the robot's where the file has the designer's 30", { nodes: { h: hang }, settings: { timeout: 30 } }, 120_000],
    ["the robot's otherwise", { nodes: { h: hang } }, 120_000],
  ])('are %s', async (_name, spec, limitMs) => {
    const { failedAtMs, run } = await limits(spec);
    expect(failedAtMs).toBe(limitMs);
    expect((await run.report).end).toMatchObject({
      status: 'failed',
      error: { code: 'NODE_TIMEOUT', category: 'transient', error_type: 'TimeoutError', node_id: 'h' },
    });
  });

  it('go to the catch like any error', async () => {
    const spec = guarded(['HangNode', { timeout: 1 }]);
    const run = new Stoppable(spec);
    await run.untilRunning('body');
    await run.clock.advance(1_000);
    const { end, world, variables } = await run.report;
    expect(end.status).toBe('completed');
    expect(world.marks).toEqual(['handler', 'cleanup', 'second', 'after']);
    expect(variables.error_type).toBe('TimeoutError');
  });

  it('abandon a node that ignores its signal after a grace', async () => {
    const { failedAtMs, run } = await limits({ nodes: { h: ['HangNode', { deaf: true, timeout: 1 }] } });
    expect(failedAtMs).toBe(6_000);
    const { errors } = await run.report;
    expect(errors[0]?.message).toContain('may still be running');
  });
});
