/** Each of these nodes would take the robot down, or hang it, if it ran inside. */
import { eventually } from '@casare/testing';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/json.ts';
import type { FileSpec } from '../engine/harness.ts';
import { chain, isAlive, kindsOf, stopper, testRunner } from './support/runner.ts';

const MEGABYTE = 1024 * 1024;

/** The node in a try region whose catch leaves a mark. */
function caught(type: string, config = {}): FileSpec {
  return {
    nodes: {
      try: ['TryNode', { paired_catch_id: 'catch', paired_finally_id: 'finally' }],
      bad: [type, config],
      catch: ['CatchNode'],
      handler: ['MarkNode', { mark: 'caught {{error_type}}' }],
      finally: ['FinallyNode'],
      clean: ['MarkNode', { mark: 'cleaned' }],
    },
    connect: ['try.try_body -> bad', 'catch.catch_body -> handler', 'finally.finally_body -> clean'],
  };
}

describe('a process that is stopped between the intent of a node and the node', () => {
  it('does not begin it when it wakes after the time in which it might have', async () => {
    let beginBy = Number.POSITIVE_INFINITY;
    const { run, marks, journal, registered } = testRunner({
      mayBeginForMs: () => (Number.isFinite(beginBy) ? beginBy - performance.now() : null),
    });
    const awake = Promise.withResolvers<void>();
    journal.afterCommit = () => {
      const last = journal.entries.at(-1);
      if (last?.kind !== 'intent' || last.node_id !== 'b') return;
      beginBy = performance.now() + 20;
      for (const pid of registered()) process.kill(pid, 'SIGSTOP');
      // The answer goes out meanwhile, and nobody listens.
      setTimeout(() => {
        for (const pid of registered()) process.kill(pid, 'SIGCONT');
        awake.resolve();
      }, 60);
    };
    const report = await run(chain(['a', 'MarkNode', { mark: 'a' }], ['b', 'MarkNode', { mark: 'b' }]));
    await awake.promise;
    const reason = expect.stringContaining('a node was not begun');
    expect(report.end).toMatchObject({ status: 'suspended', cause: 'journal', reason });
    expect(marks()).toEqual(['a']);
  });
});

describe('a node that spins for ever', () => {
  it('is ended by its own process when the time to act is over, as if nobody else could', async () => {
    const isOver = (): boolean => lines.some(({ message }) => message.includes('gone (died)'));
    const { run, marks, lines } = testRunner({
      mayActForMs: () => {
        if (isOver()) return null;
        return marks().includes('spin') ? 0 : 60_000;
      },
    });
    const report = await run(chain(['a', 'SpinNode', { effect: 'effect' }], ['b', 'MarkNode', { mark: 'b' }]), {
      inDoubtPolicy: 'skip',
    });
    expect(report.end.status).toBe('completed');
    expect(isOver()).toBe(true);
    expect(marks()).toEqual(['spin', 'b']);
  });

  it('fails with NODE_TIMEOUT, and a try region takes it', async () => {
    const { run, marks } = testRunner({ nodeTimeoutMs: 300, cancelGraceMs: 200 });
    const report = await run(caught('SpinNode'));
    expect(report.end.status).toBe('completed');
    expect(marks()).toEqual(['spin', 'caught TimeoutError', 'cleaned']);
  });

  it('ends its job as failed when nothing takes it; an effect is not repeated', async () => {
    const { run, marks } = testRunner({ nodeTimeoutMs: 300, cancelGraceMs: 200 });
    const spec: FileSpec = { ...chain(['a', 'SpinNode', { effect: 'effect' }]), settings: { retry_count: 3 } };
    const report = await run(spec);
    expect(report.end).toMatchObject({ status: 'failed', error: { code: 'NODE_TIMEOUT', node_id: 'a' } });
    expect(marks()).toEqual(['spin']);
  });

  it('is cancelled after the grace, and the finally body still runs', async () => {
    const { run, marks, journal } = testRunner({ cancelGraceMs: 300 });
    const { signal, cancel } = stopper();
    const running = run(caught('SpinNode'), { signal });
    await eventually('the node spins', () => marks().includes('spin'));
    cancel('enough');
    expect((await running).end).toMatchObject({ status: 'cancelled', reason: 'enough' });
    expect(marks()).toEqual(['spin', 'cleaned']);
    expect(kindsOf(journal.entries).filter((kind) => kind.startsWith('stop'))).toEqual(['stop bad']);
  });

  it('in a finally body costs the grace once', async () => {
    const { run, marks } = testRunner({ cancelGraceMs: 300 });
    const { signal, cancel } = stopper();
    const spec: FileSpec = {
      nodes: {
        try: ['TryNode', { paired_finally_id: 'finally' }],
        sleep: ['SleepNode'],
        finally: ['FinallyNode'],
        spin: ['SpinNode'],
        after: ['MarkNode', { mark: 'after' }],
      },
      connect: ['try.try_body -> sleep', 'finally.finally_body -> spin -> after'],
    };
    const running = run(spec, { signal });
    await eventually('the node sleeps', () => marks().includes('sleep'));
    cancel('enough');
    expect((await running).end).toMatchObject({ status: 'cancelled' });
    expect(marks()).toEqual(['sleep', 'spin']);
  });

  it('does not outlast the time of its job', async () => {
    const { run, marks } = testRunner({ cancelGraceMs: 200 });
    const report = await run(caught('SpinNode'), { timeoutMs: 400 });
    expect(report.end).toMatchObject({ status: 'failed', error: { code: 'JOB_TIMEOUT', node_id: 'bad' } });
    expect(marks()).toEqual(['spin', 'cleaned']);
  });

  it('is left in doubt, and its job to be resumed, when the robot suspends it', async () => {
    const { run, marks, journal } = testRunner({ cancelGraceMs: 200 });
    const { signal, suspend } = stopper();
    const running = run(chain(['a', 'SpinNode', { effect: 'effect' }]), { signal });
    await eventually('the node spins', () => marks().includes('spin'));
    suspend('the robot stops');
    expect((await running).end).toMatchObject({ status: 'suspended', cause: 'asked', reason: 'the robot stops' });
    expect(kindsOf(journal.entries)).toEqual(['began', 'intent a']);
  });
});

describe('a node that ignores its signal', () => {
  it('fails with NODE_TIMEOUT, and does nothing any more when its job is over', async () => {
    const { run, marks } = testRunner({ nodeTimeoutMs: 300, cancelGraceMs: 200 });
    const report = await run(chain(['a', 'DeafNode']));
    expect(report.end).toMatchObject({ status: 'failed', error: { code: 'NODE_TIMEOUT', node_id: 'a' } });
    expect(marks()).toContain('tick');
    await expectQuiet(marks);
  });

  it('is killed at the limit of a suspend, whatever its effect, and acts no more', async () => {
    const { run, marks, journal } = testRunner({ cancelGraceMs: 60_000 });
    const { signal, suspend } = stopper();
    const running = run(chain(['a', 'DeafNode', { effect: 'effect' }]), { signal });
    await eventually('the node acts', () => marks().includes('tick'));
    suspend('its lease ends', { withinMs: 200 });
    expect((await running).end).toMatchObject({ status: 'suspended', cause: 'asked', reason: 'its lease ends' });
    expect(kindsOf(journal.entries)).toEqual(['began', 'intent a']);
    await expectQuiet(marks);
  });
});

describe('branches side by side', () => {
  const fork = (first: readonly [string, JsonObject?], second: readonly [string, JsonObject?]): FileSpec => ({
    nodes: {
      fork: ['ForkNode', { branch_count: 2, paired_join_id: 'join' }],
      one: [first[0], first[1] ?? {}],
      two: [second[0], second[1] ?? {}],
      join: ['JoinNode', { paired_fork_id: 'fork' }],
      after: ['MarkNode', { mark: 'after' }],
    },
    connect: ['fork.branch_1 -> one -> join', 'fork.branch_2 -> two -> join', 'join -> after'],
  });

  it('survive a process that dies under one of them', async () => {
    const { run, marks } = testRunner();
    const report = await run(fork(['DieNode', { times: 1 }], ['SleepNode', { ms: 300 }]));
    expect(report.end.status).toBe('completed');
    expect(marks().at(-1)).toBe('after');
  });

  it('fail with the node that ends the process each time', async () => {
    const { run } = testRunner();
    const report = await run(fork(['SleepNode', { ms: 100 }], ['DieNode']));
    expect(report.end).toMatchObject({ status: 'failed', error: { code: 'JOB_PROCESS_DIED', node_id: 'two' } });
  });

  it('are cancelled when one of them spins', async () => {
    const { run, marks } = testRunner({ cancelGraceMs: 300 });
    const { signal, cancel } = stopper();
    const running = run(fork(['SleepNode'], ['SpinNode']), { signal });
    await eventually('the node spins', () => marks().includes('spin'), { timeoutMs: 30_000 });
    cancel('enough');
    expect((await running).end).toMatchObject({ status: 'cancelled' });
  });
});

describe('a node that ends its process', () => {
  it.each([
    ['kill', { signal: 'SIGKILL', exitCode: null }],
    ['exit', { signal: null, exitCode: 3 }],
    ['throw', { signal: null, exitCode: 1 }],
  ] as const)('by %s: is tried three times, then its job fails with how it ended', async (how, details) => {
    const { run, marks } = testRunner();
    const report = await run(chain(['a', 'DieNode', { how }], ['b', 'MarkNode']));
    expect(report.end).toMatchObject({
      status: 'failed',
      error: { code: 'JOB_PROCESS_DIED', node_id: 'a', details },
    });
    if (how === 'throw')
      expect(report.end).toHaveProperty('error.message', expect.stringContaining('nobody catches this'));
    expect(marks()).toEqual(['die 1', 'die 2', 'die 3']);
  });

  it('now and then gets its job done all the same', async () => {
    const { run } = testRunner();
    const report = await run(chain(['a', 'DieNode', { times: 2 }]));
    expect(report.end.status).toBe('completed');
    expect(report.outputs.a).toEqual({ attempt: 3 });
  });

  it('in the middle of an effect leaves it in doubt, with how it ended', async () => {
    const failing = testRunner();
    const config = { effect: 'effect' };
    const failed = await failing.run(chain(['a', 'DieNode', config]), { inDoubtPolicy: 'fail' });
    expect(failed.end).toMatchObject({
      status: 'failed',
      error: { code: 'IN_DOUBT', node_id: 'a', details: { signal: 'SIGKILL' } },
    });
    expect(failing.marks()).toEqual(['die 1']);
    const asking = testRunner();
    const asked = await asking.run(chain(['a', 'DieNode', config]), { inDoubtPolicy: 'ask' });
    expect(asked.end).toMatchObject({ status: 'in_doubt', nodes: [{ reason: expect.stringContaining('SIGKILL') }] });
  });

  it('goes to a try region like any error', async () => {
    const { run, marks } = testRunner();
    expect((await run(caught('DieNode', { how: 'exit' }))).end.status).toBe('completed');
    expect(marks().slice(-2)).toEqual(['caught ProcessError', 'cleaned']);
  });
});

describe('a node that leaks', () => {
  it('is killed at the memory limit and fails with JOB_MEMORY_LIMIT', async () => {
    const { run, marks } = testRunner({ memoryLimitBytes: 400 * MEGABYTE });
    const report = await run(chain(['a', 'LeakNode', { megabytes: 1_024 }]));
    expect(report.end).toMatchObject({ status: 'failed', error: { code: 'JOB_MEMORY_LIMIT', node_id: 'a' } });
    expect(marks()).toEqual(['leak', 'leak']);
  });

  it('into its heap fails the same way', async () => {
    const { run } = testRunner({ memoryLimitBytes: 300 * MEGABYTE });
    const report = await run(chain(['a', 'DieNode', { how: 'heap' }]));
    expect(report.end).toMatchObject({ status: 'failed', error: { code: 'JOB_MEMORY_LIMIT', node_id: 'a' } });
  });
});

describe('a node that starts a process', () => {
  it.each([true, false])('leaves none behind (detached: %s), and names its job to it', async (detached) => {
    const { run } = testRunner();
    const report = await run(chain(['a', 'ChildNode', { detached }]), { jobId: 'job-7' });
    expect(report.end.status).toBe('completed');
    expect(report.outputs.a).toMatchObject({ job: 'job-7', mark: expect.stringMatching(/^test-/) });
    expect(isAlive(Number(report.outputs.a?.pid))).toBe(false);
  });

  it('leaves none behind when it then fails or hangs', async () => {
    const { run, marks } = testRunner({ nodeTimeoutMs: 300, cancelGraceMs: 200 });
    const failed = await run(chain(['a', 'ChildNode', { afterwards: 'throw' }]), { jobId: '1' });
    expect(failed.end.status).toBe('failed');
    const hung = testRunner({ nodeTimeoutMs: 300, cancelGraceMs: 200 });
    expect((await hung.run(chain(['a', 'ChildNode', { afterwards: 'spin' }]))).end.status).toBe('failed');
    const children = [...marks(), ...hung.marks()].map((line) => Number(line.replace('child ', '')));
    expect(children).toHaveLength(2);
    expect(children.filter(isAlive)).toEqual([]);
  });
});

/** Nothing more is marked, over a time in which a node that lives would have marked often. */
async function expectQuiet(marks: () => readonly string[]): Promise<void> {
  const before = marks().length;
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(marks()).toHaveLength(before);
}
