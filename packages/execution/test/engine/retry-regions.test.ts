import { ManualClock } from '@casare/testing';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/json.ts';
import { advanceUntil, type FileSpec, runFile, TestJournal, World } from './harness.ts';

/** A body that fails until the run has marked `times` attempts. */
function flaky(retry: JsonObject, fail: JsonObject = {}): FileSpec {
  return {
    nodes: {
      retry: ['RetryNode', retry],
      count: ['IncrementVariableNode', { variable_name: 'n' }],
      enough: ['IfNode', { condition: '{{n}} >= 3' }],
      fail: ['FailNode', { effect: 'pure', ...fail }],
      good: ['MarkNode', { mark: 'success {{retry.attempt}}' }],
      bad: ['MarkNode', { mark: 'failed {{retry.attempt}} {{retry.last_error}}' }],
    },
    connect: ['retry.retry_body -> count -> enough.false -> fail', 'retry.success -> good', 'retry.failed -> bad'],
    variables: { n: 0 },
  };
}

async function runWithTime(spec: FileSpec, setup: Parameters<typeof runFile>[1] = {}) {
  const clock = new ManualClock();
  const from = clock.monotonic();
  const run = await advanceUntil(clock, 250, runFile(spec, { clock, ...setup }));
  return { ...run, tookMs: clock.monotonic() - from };
}

describe('a retry region', () => {
  it('repeats its body until it comes to its end, then takes `success`', async () => {
    const run = await runWithTime(flaky({ initial_delay: 1, backoff_multiplier: 2 }));
    expect(run.end.status).toBe('completed');
    expect(run.world.marks).toEqual(['fail#1', 'fail#1', 'success 3']);
    // 1 s before the second attempt, 2 s before the third.
    expect(run.tookMs).toBeGreaterThanOrEqual(3_000);
    expect(run.tookMs).toBeLessThan(4_500);
  });

  it('takes `failed` with the last error when no attempt is left', async () => {
    const run = await runWithTime(flaky({ max_attempts: 2, initial_delay: 0 }));
    expect(run.end.status).toBe('completed');
    expect(run.world.marks).toEqual(['fail#1', 'fail#1', 'failed 2 it broke']);
  });

  it('fails like any node when its `failed` leads nowhere', async () => {
    const run = await runWithTime({
      nodes: { retry: ['RetryNode', { max_attempts: 2, initial_delay: 0 }], fail: ['FailNode', { effect: 'pure' }] },
      connect: ['retry.retry_body -> fail'],
    });
    expect(run.end).toMatchObject({ status: 'failed', error: { code: 'BROKEN', node_id: 'fail' } });
    expect(run.world.marks).toHaveLength(2);
  });

  it('does not repeat an effect that may have happened', async () => {
    const run = await runWithTime(flaky({ initial_delay: 0 }, { effect: 'effect', ambiguous: true }));
    expect(run.world.marks).toEqual(['fail#1', 'failed 1 it broke']);
    expect(run.outputs.retry).toMatchObject({ attempt: 1 });
  });

  it.each([
    ['its own config asks for it', { retry_ambiguous: true }, {}],
    ["the node's own in_doubt says so", {}, { in_doubt: 'retry' }],
  ])('repeats it when %s', async (_why, retry, fail) => {
    const run = await runWithTime(
      flaky({ initial_delay: 0, ...retry }, { effect: 'effect', ambiguous: true, ...fail }),
    );
    expect(run.world.marks).toEqual(['fail#1', 'fail#1', 'success 3']);
  });

  it('repeats an effect that surely did not happen', async () => {
    const run = await runWithTime(flaky({ initial_delay: 0 }, { effect: 'effect', ambiguous: false }));
    expect(run.world.marks).toEqual(['fail#1', 'fail#1', 'success 3']);
  });

  it('ends at a RetrySuccessNode, whatever else waits, through loops and finally bodies', async () => {
    const run = await runWithTime({
      nodes: {
        retry: ['RetryNode'],
        each: ['ForLoopStartNode', { items: [1, 2, 3] }],
        try: ['TryNode', { paired_finally_id: 'finally' }],
        won: ['RetrySuccessNode'],
        finally: ['FinallyNode', { paired_try_id: 'try' }],
        last: ['MarkNode', { mark: 'finally {{each.current_item}}' }],
        good: ['MarkNode', { mark: 'success' }],
        never: ['MarkNode', { mark: 'never' }],
      },
      connect: [
        'retry.retry_body -> each.body -> try.try_body -> won',
        'finally.finally_body -> last',
        'each.completed -> never',
        'retry.success -> good',
      ],
    });
    expect(run.world.marks).toEqual(['finally 1', 'success']);
  });

  it('fails an attempt at a RetryFailNode, past the catches inside', async () => {
    const run = await runWithTime({
      nodes: {
        retry: ['RetryNode', { max_attempts: 2, initial_delay: 0 }],
        try: ['TryNode', { paired_catch_id: 'catch' }],
        lost: ['RetryFailNode', { error_message: 'not yet' }],
        catch: ['CatchNode', { paired_try_id: 'try' }],
        caught: ['MarkNode', { mark: 'caught' }],
        bad: ['MarkNode', { mark: '{{retry.last_error}}' }],
      },
      connect: ['retry.retry_body -> try.try_body -> lost', 'catch.catch_body -> caught', 'retry.failed -> bad'],
    });
    expect(run.world.marks).toEqual(['not yet']);
  });

  it('inside a retry region hands its failure to the outer one', async () => {
    const run = await runWithTime({
      nodes: {
        outer: ['RetryNode', { max_attempts: 2, initial_delay: 0 }],
        inner: ['RetryNode', { max_attempts: 3, initial_delay: 0 }],
        fail: ['FailNode', { effect: 'pure' }],
        bad: ['MarkNode', { mark: 'failed' }],
      },
      connect: ['outer.retry_body -> inner.retry_body -> fail', 'outer.failed -> bad'],
    });
    expect(run.world.marks).toEqual([...Array(6).fill('fail#1'), 'failed']);
  });

  it('may be wired back to its RetryNode, as older files are', async () => {
    const run = await runWithTime({
      nodes: { retry: ['RetryNode'], mark: ['MarkNode', { mark: 'body' }], good: ['MarkNode', { mark: 'success' }] },
      connect: ['retry.retry_body -> mark -> retry', 'retry.success -> good'],
    });
    expect(run.world.marks).toEqual(['body', 'success']);
  });

  it('waits in a way that a cancel ends at once', async () => {
    const controller = new AbortController();
    const world = new World();
    const clock = new ManualClock();
    const running = runFile(flaky({ initial_delay: 3_600 }), { world, clock, signal: controller.signal });
    while (world.marks.length === 0) await clock.advance(1);
    for (let turn = 0; turn < 20; turn += 1) await clock.advance(1);
    const before = clock.monotonic();
    controller.abort({ kind: 'cancel', reason: 'enough' });
    const run = await running;
    expect(run.end).toMatchObject({ status: 'cancelled' });
    expect(clock.monotonic()).toBe(before);
  });

  it('goes on with its attempts after a crash at any step', async () => {
    const spec = flaky({ initial_delay: 1 });
    const journal = new TestJournal();
    const straight = await runWithTime(spec, { journal });
    const { entries } = journal;
    for (let length = 1; length < entries.length; length += 1) {
      const resumed = await runWithTime(spec, {
        journal: new TestJournal(entries.slice(0, length)),
        inDoubtPolicy: 'retry',
      });
      expect({ variables: resumed.variables, outputs: resumed.outputs.retry }).toEqual({
        variables: straight.variables,
        outputs: straight.outputs.retry,
      });
    }
  });
});
