import { ManualClock } from '@casare/testing';
import { describe, expect, it } from 'vitest';
import { memoryJournal } from '../../src/engine/memory-journal.ts';
import { advanceUntil, type FileSpec, runFile, TestJournal, World } from './harness.ts';

const double: FileSpec = {
  nodes: {
    in: ['SubflowInputNode', { port_name: 'number' }],
    start: ['StartNode'],
    sum: ['SetVariableNode', { variable_name: 'sum', value: '{{in.value}}' }],
    add: ['IncrementVariableNode', { variable_name: 'sum' }],
    out: ['SubflowOutputNode', { port_name: 'twice' }],
  },
  connect: ['start -> sum -> add', 'in.value => add.increment', 'add.value => out.value'],
};

describe('a call of a sub-workflow', () => {
  it('gives it inputs from config, and takes its outputs as ports of the calling node', async () => {
    const run = await runFile({
      nodes: {
        start: ['StartNode'],
        call: ['SubflowNode', { subflow_path: 'double.json', number: 21 }],
        keep: ['SetVariableNode', { variable_name: 'answer', value: '{{call.twice}}' }],
      },
      connect: ['start -> call -> keep'],
      subworkflows: { 'double.json': double },
    });
    expect(run.end.status).toBe('completed');
    expect(run.variables).toEqual({ answer: 42 });
    expect(run.outputs.call).toMatchObject({ twice: 42, success: true });
    expect(run.skipped).toEqual(['call/in', 'call/out']);
  });

  it('gives it inputs from connections, each time anew in a loop', async () => {
    const run = await runFile({
      nodes: {
        each: ['ForLoopStartNode', { items: [1, 2, 3] }],
        call: ['CallSubworkflowNode', { subworkflow_id: 'double' }],
        mark: ['MarkNode', { mark: '{{call.twice}}' }],
      },
      connect: ['each.body -> call -> mark', 'each.current_item => call.number'],
      subworkflows: { 'double.json': double },
    });
    expect(run.world.marks).toEqual([2, 4, 6]);
    expect(run.outputs.call).toMatchObject({ job_id: 'job-1', success: true });
  });

  it('has variables of its own: neither sees those of the other, and nothing is left of an earlier call', async () => {
    const run = await runFile({
      nodes: {
        start: ['StartNode'],
        each: ['ForLoopStartNode', { mode: 'range', end: 2, item_var: 'i' }],
        call: ['SubflowNode', { subflow_id: 'sub', greeting: 'hello' }],
      },
      connect: ['start -> each.body -> call'],
      variables: { secret: 'outer' },
      subworkflows: {
        sub: {
          nodes: {
            look: ['MarkNode', { mark: '{{secret}} {{i}} {{greeting}} {{who}} {{left}}' }],
            leave: ['SetVariableNode', { variable_name: 'left', value: 'behind' }],
            over: ['SetVariableNode', { variable_name: 'secret', value: 'inner' }],
          },
          connect: ['look -> leave -> over'],
          variables: { greeting: 'hi', who: 'you' },
        },
      },
    });
    expect(run.end.status).toBe('completed');
    expect(run.world.marks).toEqual(['{{secret}} {{i}} hello you {{left}}', '{{secret}} {{i}} hello you {{left}}']);
    expect(run.variables.secret).toBe('outer');
    expect(run.variables).not.toHaveProperty('left');
  });

  it('nests, and each level has the settings of its own file', async () => {
    const run = await runFile({
      nodes: { call: ['ExecuteWorkflowNode', { workflow_path: 'a/one.json' }] },
      settings: { stop_on_error: true },
      subworkflows: {
        'a/one.json': {
          nodes: {
            call: ['SubflowNode', { subflow_path: 'two.json' }],
            fail: ['FailNode'],
            after: ['MarkNode', { mark: 'one' }],
          },
          connect: ['call -> fail -> after'],
          settings: { stop_on_error: false },
        },
        'a/two.json': { nodes: { mark: ['MarkNode', { mark: 'two' }] } },
      },
    });
    expect(run.end.status).toBe('completed');
    expect(run.world.marks).toEqual(['two', 'call/fail#1', 'one']);
    expect(run.errors).toMatchObject([{ node_id: 'call/fail' }]);
  });

  it('pairs and references inside mean the nodes of its own file, also where the caller has the same ids', async () => {
    const nodes: FileSpec['nodes'] = {
      start: ['StartNode'],
      each: ['ForLoopStartNode', { items: ['a', 'b', 'c'] }],
      is: ['IfNode', { condition: '{{each.current_item}} == "b"' }],
      stop: ['BreakNode', { paired_loop_start_id: 'each' }],
      end: ['ForLoopEndNode', { paired_start_id: 'each' }],
      mark: ['MarkNode', { mark: '{{each.current_item}}' }],
    };
    const connect = ['start -> each.body -> is.true -> stop', 'is.false -> mark -> end'];
    const run = await runFile({
      nodes: { ...nodes, call: ['SubflowNode', { subflow_path: 'same.json' }] },
      connect: [...connect, 'each.completed -> call'],
      subworkflows: { 'same.json': { nodes, connect } },
    });
    expect(run.world.marks).toEqual(['a', 'a']);
  });

  it('that fails takes `error`, with what went wrong in its ports', async () => {
    const run = await runFile({
      nodes: {
        call: ['SubflowNode', { subflow_path: 'bad.json' }],
        tell: ['MarkNode', { mark: '{{call.error_type}}: {{call.error_message}}' }],
        never: ['MarkNode', { mark: 'never' }],
      },
      connect: ['call.error -> tell', 'call -> never'],
      subworkflows: { 'bad.json': { nodes: { bad: ['FailNode', { message: 'broken' }] } } },
    });
    expect(run.end.status).toBe('completed');
    expect(run.world.marks).toEqual(['call/bad#1', 'BrokenError: broken']);
    expect(run.outputs.call).toMatchObject({ success: false });
  });

  it('that fails without an `error` exit raises at the calling node, and a try around it catches', async () => {
    const run = await runFile({
      nodes: {
        try: ['TryNode', { paired_catch_id: 'catch' }],
        call: ['SubflowNode', { subflow_path: 'bad.json' }],
        catch: ['CatchNode', { paired_try_id: 'try' }],
        tell: ['MarkNode', { mark: '{{catch.error_message}}' }],
      },
      connect: ['try.try_body -> call', 'catch.catch_body -> tell'],
      subworkflows: { 'bad.json': { nodes: { bad: ['ThrowErrorNode', { error_message: 'no' }] } } },
    });
    expect(run.end.status).toBe('completed');
    expect(run.world.marks).toEqual(['no']);
  });

  it('that fails with nothing around it fails the job, at the node inside', async () => {
    const run = await runFile({
      nodes: { call: ['SubflowNode', { subflow_path: 'bad.json' }] },
      subworkflows: { 'bad.json': { nodes: { bad: ['ThrowErrorNode'] } } },
    });
    expect(run.end).toMatchObject({ status: 'failed', error: { node_id: 'call/bad' } });
  });

  it('past its time limit fails, runs its finally bodies, and cannot catch that itself', async () => {
    const clock = new ManualClock();
    const running = runFile(
      {
        nodes: {
          call: ['CallSubworkflowNode', { subworkflow_id: 'slow', timeout_seconds: 5 }],
          tell: ['MarkNode', { mark: '{{call.error_type}}' }],
        },
        connect: ['call.error -> tell'],
        subworkflows: {
          slow: {
            nodes: {
              start: ['StartNode'],
              try: ['TryNode', { paired_catch_id: 'catch', paired_finally_id: 'finally' }],
              hang: ['HangNode'],
              catch: ['CatchNode', { paired_try_id: 'try' }],
              caught: ['MarkNode', { mark: 'caught' }],
              finally: ['FinallyNode', { paired_try_id: 'try' }],
              last: ['MarkNode', { mark: 'finally' }],
              after: ['MarkNode', { mark: 'after' }],
            },
            connect: [
              'start -> try.try_body -> hang',
              'catch.catch_body -> caught',
              'finally.finally_body -> last',
              'try -> after',
            ],
          },
        },
      },
      { clock },
    );
    const run = await advanceUntil(clock, 1_000, running);
    expect(run.end.status).toBe('completed');
    expect(run.world.marks).toEqual(['finally', 'TimeoutError']);
    expect(clock.now() - new ManualClock().now()).toBeLessThan(10_000);
  });

  it('goes on in the middle of a call after a crash at any step', async () => {
    const spec: FileSpec = {
      nodes: {
        each: ['ForLoopStartNode', { items: [1, 2] }],
        call: ['SubflowNode', { subflow_path: 'double.json' }],
        mark: ['SetVariableNode', { variable_name: 'all', value: '{{all}} {{call.twice}}' }],
      },
      connect: ['each.body -> call -> mark', 'each.current_item => call.number'],
      variables: { all: '' },
      subworkflows: { 'double.json': double },
    };
    const whole = new TestJournal();
    const straight = await runFile(spec, { journal: whole });
    expect(straight.variables.all).toBe(' 2 4');
    for (let length = 1; length < whole.entries.length; length += 1) {
      const resumed = await runFile(spec, { journal: new TestJournal(whole.entries.slice(0, length)) });
      expect(resumed.variables).toEqual(straight.variables);
      const snapshots = await runFile(spec, { journal: new TestJournal(whole.entries.slice(0, length), 2) });
      expect(snapshots.variables).toEqual(straight.variables);
    }
  });

  it('is cancelled with the run', async () => {
    const controller = new AbortController();
    const world = new World();
    const clock = new ManualClock();
    const running = runFile(
      {
        nodes: { call: ['SubflowNode', { subflow_path: 'slow.json' }], after: ['MarkNode'] },
        connect: ['call -> after', 'call.error -> after'],
        subworkflows: { 'slow.json': { nodes: { hang: ['HangNode'] } } },
      },
      { world, clock, signal: controller.signal },
    );
    while (!world.running.has('call/hang')) await clock.advance(1);
    controller.abort({ kind: 'cancel', reason: 'enough' });
    const run = await advanceUntil(clock, 1_000, running);
    expect(run.end).toMatchObject({ status: 'cancelled', reason: 'enough' });
    expect(world.marks).toEqual([]);
  });

  it('run by itself takes its inputs from its variables', async () => {
    const run = await runFile(double, { variables: { number: 4 }, journal: memoryJournal() });
    expect(run.outputs.add).toEqual({ value: 8 });
  });

  it('of a disabled node is passed over', async () => {
    const run = await runFile({
      nodes: { call: ['SubflowNode', { subflow_path: 'gone.json', _disabled: true }], after: ['MarkNode'] },
      connect: ['call -> after'],
    });
    expect(run.world.marks).toEqual(['after']);
  });
});
