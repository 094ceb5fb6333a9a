/** The rules of the format page's part on flow, one by one. */
import { ManualClock } from '@casare/testing';
import { describe, expect, it } from 'vitest';
import { advanceUntil, type FileSpec, runFile } from '../engine/harness.ts';
import { codesOf, file, findingsOf } from '../model/sample-nodes.ts';

const mark = ['MarkNode'] as const;

async function marksOf(spec: FileSpec) {
  const clock = new ManualClock();
  return (await advanceUntil(clock, 250, runFile(spec, { clock }))).world.marks;
}

describe('ports', () => {
  it('a connection between a control and a data port is an error', () => {
    expect(codesOf(file({ a: ['StartNode'], b: ['LogNode'] }, ['a -> b', 'a.exec_out -> b.message']))).toContain(
      'EXEC_DATA_MISMATCH',
    );
  });

  it('exits are named: true, false, body, completed, case_<x>, default, try_body, catch_body', () => {
    const spec = file(
      {
        if: ['IfNode', { condition: true }],
        each: ['ForLoopStartNode', { items: [1] }],
        which: ['SwitchNode', { value: 'x', cases: ['x'] }],
        try: ['TryNode', { paired_catch_id: 'catch' }],
        catch: ['CatchNode', { paired_try_id: 'try' }],
        log: ['LogNode'],
      },
      [
        ...['if.true -> each', 'if.false -> which', 'each.body -> log', 'each.completed -> try'],
        ...['which.case_x -> log', 'which.default -> log', 'try.try_body -> log', 'catch.catch_body -> log'],
      ],
    );
    expect(findingsOf(spec)).toEqual([]);
  });
});

describe('entry', () => {
  it('is the StartNode, if there is one; what it does not lead to is not run', async () => {
    expect(await marksOf({ nodes: { a: mark, start: ['StartNode'], b: mark }, connect: ['start -> b'] })).toEqual([
      'b',
    ]);
  });

  it('without one is every node whose exec_in nothing connects to, in file order', async () => {
    expect(await marksOf({ nodes: { b: mark, c: mark, a: mark }, connect: ['b -> c'] })).toEqual(['b', 'a', 'c']);
  });

  it.each(['ManualTriggerNode', 'WebhookTriggerNode'])('is never a trigger: %s is refused with a message', (type) => {
    expect(findingsOf(file({ a: [type] }))).toMatchObject([{ code: 'TRIGGER_NODE', node: 'a' }]);
  });
});

describe('the walk', () => {
  it('is first in, first out, in the order of the connections in the file', async () => {
    const spec: FileSpec = {
      nodes: { start: ['StartNode'], a: mark, b: mark, a1: mark, b1: mark },
      connect: ['start -> b', 'start -> a', 'a -> a1', 'b -> b1'],
    };
    expect(await marksOf(spec)).toEqual(['b', 'a', 'b1', 'a1']);
  });

  it('follows only the exit that the node chose', async () => {
    const spec: FileSpec = {
      nodes: { if: ['IfNode', { condition: false }], yes: mark, no: mark },
      connect: ['if.true -> yes', 'if.false -> no'],
    };
    expect(await marksOf(spec)).toEqual(['no']);
  });
});

describe('regions', () => {
  it('have a queue of their own: what waits outside goes on when they are over', async () => {
    const spec: FileSpec = {
      nodes: { start: ['StartNode'], each: ['ForLoopStartNode', { items: [1, 2] }], in: mark, beside: mark },
      connect: ['start -> each', 'start -> beside', 'each.body -> in'],
    };
    expect(await marksOf(spec)).toEqual(['in', 'in', 'beside']);
  });

  it('a path that simply ends in a loop body ends that iteration, never the loop', async () => {
    const spec: FileSpec = {
      nodes: {
        each: ['ForLoopStartNode', { items: [1, 2, 3] }],
        odd: ['IfNode', { condition: '{{each.current_item}} == 2' }],
        in: ['MarkNode', { mark: '{{each.current_item}}' }],
        after: mark,
      },
      connect: ['each.body -> odd.false -> in', 'each.completed -> after'],
    };
    expect(await marksOf(spec)).toEqual([1, 3, 'after']);
  });
});

describe('loops', () => {
  const counted = (end: string | null): FileSpec => ({
    nodes: {
      each: ['ForLoopStartNode', { items: ['a', 'b'] }],
      in: ['MarkNode', { mark: '{{each.current_item}}' }],
      ...(end === null ? {} : { end: [end, { paired_start_id: 'each' }] as const }),
      after: mark,
    },
    connect: ['each.body -> in', ...(end === null ? ['each.completed -> after'] : ['in -> end -> after'])],
  });

  it('take body for every element, then completed', async () => {
    expect(await marksOf(counted(null))).toEqual(['a', 'b', 'after']);
  });

  it("an End node's own exec_out runs once after the loop, like completed", async () => {
    expect(await marksOf(counted('ForLoopEndNode'))).toEqual(['a', 'b', 'after']);
  });

  it('a while loop takes body while its condition holds', async () => {
    const spec: FileSpec = {
      nodes: {
        while: ['WhileLoopStartNode', { condition: '{{n}} < 2' }],
        more: ['IncrementVariableNode', { variable_name: 'n' }],
        end: ['WhileLoopEndNode', { paired_start_id: 'while' }],
        after: ['MarkNode', { mark: '{{n}}' }],
      },
      connect: ['while.body -> more -> end', 'while.completed -> after'],
      variables: { n: 0 },
    };
    expect(await marksOf(spec)).toEqual([2]);
  });

  it('break and continue name their loop, or act on the innermost one', async () => {
    const nested = (type: string, config: object): FileSpec => ({
      nodes: {
        outer: ['ForLoopStartNode', { items: [1, 2] }],
        inner: ['ForLoopStartNode', { items: ['x', 'y'] }],
        in: ['MarkNode', { mark: '{{outer.current_item}}{{inner.current_item}}' }],
        jump: [type, config as Record<string, string>],
      },
      connect: ['outer.body -> inner.body -> in -> jump'],
    });
    expect(await marksOf(nested('BreakNode', {}))).toEqual(['1x', '2x']);
    expect(await marksOf(nested('BreakNode', { paired_loop_start_id: 'outer' }))).toEqual(['1x']);
    expect(await marksOf(nested('ContinueNode', {}))).toEqual(['1x', '1y', '2x', '2y']);
    expect(await marksOf(nested('ContinueNode', { paired_loop_start_id: 'outer' }))).toEqual(['1x', '2x']);
  });

  it('max_iterations reached is an error, not a success', async () => {
    const run = await runFile({
      nodes: { while: ['WhileLoopStartNode', { condition: true, max_iterations: 3 }], in: mark },
      connect: ['while.body -> in'],
    });
    expect(run.end).toMatchObject({ status: 'failed', error: { code: 'MAX_ITERATIONS', node_id: 'while' } });
    expect(run.world.marks).toHaveLength(3);
  });

  it('range loops exclude the end', async () => {
    const spec: FileSpec = {
      nodes: {
        each: ['ForLoopStartNode', { mode: 'range', start: 1, end: 6, step: 2 }],
        in: ['MarkNode', { mark: '{{each.current_item}}' }],
      },
      connect: ['each.body -> in'],
    };
    expect(await marksOf(spec)).toEqual([1, 3, 5]);
  });
});

describe('errors', () => {
  const tried: FileSpec = {
    nodes: {
      try: ['TryNode', { paired_catch_id: 'catch', paired_finally_id: 'finally' }],
      fail: ['FailNode', { message: 'broken' }],
      catch: ['CatchNode'],
      told: ['MarkNode', { mark: '{{catch.error_type}}: {{catch.error_message}} | {{catch.stack_trace}}' }],
      finally: ['FinallyNode'],
      last: ['MarkNode', { mark: 'finally' }],
    },
    connect: ['try.try_body -> fail', 'catch.catch_body -> told', 'finally.finally_body -> last'],
  };

  it('go to the innermost try region, whose catch publishes message, type and trace; finally always runs', async () => {
    const marks = await marksOf(tried);
    expect(marks[1]).toContain('BrokenError: broken | BrokenError: broken');
    expect(marks.at(-1)).toBe('finally');
  });

  it('pairs may be named from the other side, too (paired_try_id)', async () => {
    const { nodes, connect = [] } = tried;
    const reversed = {
      ...nodes,
      try: ['TryNode'] as const,
      catch: ['CatchNode', { paired_try_id: 'try' }] as const,
      finally: ['FinallyNode', { paired_try_id: 'try' }] as const,
    };
    expect(await marksOf({ nodes: reversed, connect })).toEqual(await marksOf(tried));
  });

  it('a node is retried as its config says (retry_count, retry_interval in ms) before its error goes anywhere', async () => {
    const clock = new ManualClock();
    const from = clock.monotonic();
    const run = await advanceUntil(
      clock,
      50,
      runFile(
        { ...tried, nodes: { ...tried.nodes, fail: ['FailNode', { retry_count: 2, retry_interval: 500, times: 2 }] } },
        { clock },
      ),
    );
    expect(run.world.marks).toEqual(['fail#1', 'fail#2', 'fail#3', 'finally']);
    expect(clock.monotonic() - from).toBeGreaterThanOrEqual(1_000);
  });

  it('the interval grows when the config asks for it (retry_backoff)', async () => {
    const clock = new ManualClock();
    const from = clock.monotonic();
    await advanceUntil(
      clock,
      50,
      runFile({ nodes: { f: ['FailNode', { retry_count: 3, retry_interval: 100, retry_backoff: 10 }] } }, { clock }),
    );
    expect(clock.monotonic() - from).toBeGreaterThanOrEqual(11_100);
    expect(clock.monotonic() - from).toBeLessThan(12_000);
  });

  it.each(['ThrowErrorNode', 'AssertNode'])('that holds for control-flow nodes, too: %s', async (type) => {
    const clock = new ManualClock();
    const from = clock.monotonic();
    const config = { retry_count: 2, retry_interval: 1_000, condition: false };
    const run = await advanceUntil(clock, 100, runFile({ nodes: { node: [type, config] } }, { clock }));
    expect(run.end.status).toBe('failed');
    expect(clock.monotonic() - from).toBeGreaterThanOrEqual(2_000);
  });

  const plain: FileSpec = { nodes: { fail: ['FailNode'], after: mark }, connect: ['fail -> after'] };

  it('without a region: stop_on_error true fails the job', async () => {
    const run = await runFile({ ...plain, settings: { stop_on_error: true } });
    expect(run.end).toMatchObject({ status: 'failed', error: { node_id: 'fail' } });
    expect(run.world.marks).toEqual(['fail#1']);
  });

  it("without a region: stop_on_error false records the error and follows the node's normal exit", async () => {
    const run = await runFile({ ...plain, settings: { stop_on_error: false } });
    expect(run.end.status).toBe('completed');
    expect(run.world.marks).toEqual(['fail#1', 'after']);
    expect(run.errors).toMatchObject([{ node_id: 'fail', code: 'BROKEN' }]);
  });

  it('finally runs on cancel, too', async () => {
    const clock = new ManualClock();
    const controller = new AbortController();
    const running = runFile(
      { ...tried, nodes: { ...tried.nodes, fail: ['HangNode'] } },
      { clock, signal: controller.signal },
    );
    for (let turn = 0; turn < 20; turn += 1) await clock.advance(1);
    controller.abort({ kind: 'cancel', reason: 'enough' });
    const run = await advanceUntil(clock, 100, running);
    expect(run.end.status).toBe('cancelled');
    expect(run.world.marks).toEqual(['finally']);
  });
});

describe('disabled nodes', () => {
  it('pass control on and copy inputs to outputs of the same name', async () => {
    const run = await runFile({
      nodes: {
        give: ['GiveNode', { value: 7 }],
        off: ['GiveNode', { _disabled: true }],
        keep: ['MarkNode', { mark: '{{off.value}}' }],
      },
      connect: ['give -> off -> keep', 'give.value => off.value'],
    });
    expect(run.world.marks).toEqual([7]);
  });

  it.each([
    ['ForLoopNode', 'loop_body', 'completed'],
    ['WhileLoopStartNode', 'body', 'completed'],
    ['RetryNode', 'retry_body', 'success'],
    ['SubflowNode', 'error', 'exec_out'],
  ])('that are a %s lead behind it, never by %s', async (type, never, behind) => {
    const nodes = { start: ['StartNode'], off: [type, { _disabled: true }], in: mark, after: mark } as const;
    const into = `start -> off.${never} -> in`;
    expect(await marksOf({ nodes, connect: [into] })).toEqual([]);
    expect(await marksOf({ nodes, connect: [into, `off.${behind} -> after`] })).toEqual(['after']);
  });

  it('may be of a type that cannot run here', async () => {
    const spec: FileSpec = {
      nodes: { a: mark, off: ['ExcelOpenNode', { _disabled: true }], b: mark },
      connect: ['a -> off -> b'],
    };
    expect(await marksOf(spec)).toEqual(['a', 'b']);
  });
});

describe('the end', () => {
  it('is completed when the walk is empty; nodes never reached are counted as skipped and listed', async () => {
    const run = await runFile({
      nodes: { if: ['IfNode', { condition: true }], a: mark, b: mark },
      connect: ['if.true -> a', 'if.false -> b'],
    });
    expect(run.end).toMatchObject({ status: 'completed', nodes_total: 3, nodes_executed: 2, nodes_skipped: 1 });
    expect(run.skipped).toEqual(['b']);
  });
});
