import { ManualClock } from '@casare/testing';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/json.ts';
import { advanceUntil, type FileSpec, runFile, World } from './harness.ts';

const guarded: FileSpec = {
  nodes: {
    guard: ['OnErrorNode'],
    fail: ['FailNode', { message: 'broken' }],
    handle: ['MarkNode', { mark: '{{guard.error_type}} at {{guard.error_node}}: {{guard.error_message}}' }],
    last: ['MarkNode', { mark: 'finally' }],
  },
  connect: ['guard.protected_body -> fail', 'guard.on_error -> handle', 'guard.finally -> last'],
};

describe('an OnErrorNode', () => {
  it('leads an error of its body to `on_error`, with what went wrong in its ports, then to `finally`', async () => {
    const run = await runFile(guarded);
    expect(run.end.status).toBe('completed');
    expect(run.world.marks).toEqual(['fail#1', 'BrokenError at fail: broken', 'finally']);
  });

  it('takes `finally` without an error, too', async () => {
    const run = await runFile({ ...guarded, nodes: { ...guarded.nodes, fail: ['MarkNode', { mark: 'body' }] } });
    expect(run.world.marks).toEqual(['body', 'finally']);
  });

  it('without a way for errors runs `finally`, and lets the error go on outwards', async () => {
    const run = await runFile({ ...guarded, connect: ['guard.protected_body -> fail', 'guard.finally -> last'] });
    expect(run.end).toMatchObject({ status: 'failed', error: { message: 'broken' } });
    expect(run.world.marks).toEqual(['fail#1', 'finally']);
  });

  it('lets an error of `on_error` go on outwards, after `finally`', async () => {
    const run = await runFile({ ...guarded, nodes: { ...guarded.nodes, handle: ['FailNode', { message: 'worse' }] } });
    expect(run.end).toMatchObject({ status: 'failed', error: { message: 'worse' } });
    expect(run.world.marks).toEqual(['fail#1', 'handle#1', 'finally']);
  });

  it('in a loop runs `finally` on the way of a break', async () => {
    const run = await runFile({
      nodes: {
        each: ['ForLoopStartNode', { items: [1, 2] }],
        guard: ['OnErrorNode'],
        leave: ['BreakNode'],
        last: ['MarkNode', { mark: 'finally' }],
        after: ['MarkNode', { mark: 'after' }],
      },
      connect: ['each.body -> guard.protected_body -> leave', 'guard.finally -> last', 'each.completed -> after'],
    });
    expect(run.world.marks).toEqual(['finally', 'after']);
  });

  it('runs `finally` when the run is cancelled', async () => {
    const controller = new AbortController();
    const world = new World();
    const clock = new ManualClock();
    const running = runFile(
      { ...guarded, nodes: { ...guarded.nodes, fail: ['HangNode'] } },
      { world, clock, signal: controller.signal },
    );
    while (!world.running.has('fail')) await clock.advance(1);
    controller.abort({ kind: 'cancel', reason: 'enough' });
    const run = await advanceUntil(clock, 100, running);
    expect(run.end.status).toBe('cancelled');
    expect(world.marks).toEqual(['finally']);
  });
});

function recovering(config: JsonObject, rest: Partial<FileSpec> = {}): FileSpec {
  return {
    nodes: {
      try: ['TryNode', { paired_catch_id: 'catch', paired_finally_id: 'finally' }],
      count: ['IncrementVariableNode', { variable_name: 'n' }],
      few: ['IfNode', { condition: '{{n}} < 3' }],
      fail: ['FailNode', { effect: 'pure' }],
      catch: ['CatchNode', { paired_try_id: 'try' }],
      recover: ['ErrorRecoveryNode', config],
      on: ['MarkNode', { mark: 'went on' }],
      back: ['MarkNode', { mark: 'fell back' }],
      finally: ['FinallyNode', { paired_try_id: 'try' }],
      last: ['MarkNode', { mark: 'finally' }],
      after: ['MarkNode', { mark: 'after' }],
    },
    connect: [
      'try.try_body -> count -> few.true -> fail',
      'catch.catch_body -> recover -> on',
      'recover.fallback -> back',
      'finally.finally_body -> last',
      'try -> after',
    ],
    variables: { n: 0 },
    ...rest,
  };
}

describe('an ErrorRecoveryNode in a catch body', () => {
  it.each([
    ['continue', 'completed', ['fail#1', 'went on', 'finally', 'after']],
    ['fallback', 'completed', ['fail#1', 'fell back', 'finally', 'after']],
    ['stop', 'failed', ['fail#1', 'finally']],
    ['retry', 'completed', ['fail#1', 'fail#1', 'finally', 'after']],
  ])('with the strategy %s', async (strategy, status, marks) => {
    const run = await runFile(recovering({ strategy }));
    expect({ status: run.end.status, marks: run.world.marks }).toEqual({ status, marks });
  });

  it('gives up repeating after `max_retries`, with the error itself', async () => {
    const run = await runFile(recovering({ strategy: 'retry', max_retries: 1 }));
    expect(run.end).toMatchObject({ status: 'failed', error: { code: 'BROKEN' } });
    expect(run.world.marks).toEqual(['fail#1', 'fail#1', 'finally']);
  });
});

describe('an ErrorRecoveryNode outside of a catch', () => {
  const policy = (strategy: string, settings: JsonObject): FileSpec => ({
    nodes: {
      start: ['StartNode'],
      policy: ['ErrorRecoveryNode', { strategy, max_retries: 2 }],
      fail: ['FailNode', { category: 'transient', times: 2 }],
      after: ['MarkNode', { mark: 'after' }],
    },
    connect: ['start -> policy -> fail -> after'],
    settings,
  });

  it('with `continue` has errors recorded and passed over', async () => {
    const spec = policy('continue', {});
    const run = await runFile({ ...spec, nodes: { ...spec.nodes, fail: ['FailNode'] } });
    expect(run.end.status).toBe('completed');
    expect(run.world.marks).toEqual(['fail#1', 'after']);
    expect(run.errors).toHaveLength(1);
  });

  it('with `stop` has them fail the run', async () => {
    const run = await runFile(policy('stop', { stop_on_error: false }));
    expect(run.end.status).toBe('failed');
  });

  it('with `retry` has nodes tried again, as far as that is safe', async () => {
    const clock = new ManualClock();
    const run = await advanceUntil(clock, 1_000, runFile(policy('retry', {}), { clock }));
    expect(run.end.status).toBe('completed');
    expect(run.world.marks).toEqual(['fail#1', 'fail#2', 'fail#3', 'after']);
  });
});

it('a LogErrorNode in a catch body writes down the error at hand', async () => {
  const run = await runFile({
    nodes: {
      try: ['TryNode', { paired_catch_id: 'catch' }],
      fail: ['FailNode', { message: 'broken' }],
      catch: ['CatchNode', { paired_try_id: 'try' }],
      log: ['LogErrorNode', { context: { order: 7 }, level: 'warning' }],
    },
    connect: ['try.try_body -> fail', 'catch.catch_body -> log'],
  });
  expect(run.lines).toContain('warning: BrokenError: broken');
  expect(run.outputs.log?.log_entry).toMatchObject({
    message: 'broken',
    error_type: 'BrokenError',
    context: { order: 7 },
  });
});
