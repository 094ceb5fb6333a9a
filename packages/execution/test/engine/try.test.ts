import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/json.ts';
import { type FileSpec, type NodeSpec, runFile } from './harness.ts';

const mark = ['MarkNode'] as const;
const fail: NodeSpec = ['FailNode', { message: 'it broke', code: 'BROKEN', error_type: 'BrokenError' }];
const pass = mark;

interface Region {
  readonly body?: NodeSpec;
  readonly handler?: NodeSpec;
  readonly cleanup?: NodeSpec;
  readonly catchConfig?: JsonObject;
  readonly catches?: boolean;
  readonly finallys?: boolean;
}

/** start -> try(body) catch(handler) finally(cleanup), then after. */
function region(parts: Region): FileSpec {
  const { body = pass, handler = mark, cleanup = mark, catchConfig = {}, catches = true, finallys = true } = parts;
  return {
    nodes: {
      start: ['StartNode'],
      try: [
        'TryNode',
        { ...(catches ? { paired_catch_id: 'catch' } : {}), ...(finallys ? { paired_finally_id: 'finally' } : {}) },
      ],
      body,
      rest: mark,
      ...(catches ? { catch: ['CatchNode', { paired_try_id: 'try', ...catchConfig }], handler } : {}),
      ...(finallys ? { finally: ['FinallyNode', { paired_try_id: 'try' }], cleanup } : {}),
      after: mark,
    },
    connect: [
      'start -> try',
      'try.try_body -> body -> rest',
      'try -> after',
      ...(catches ? ['catch.catch_body -> handler'] : []),
      ...(finallys ? ['finally.finally_body -> cleanup'] : []),
    ],
  };
}

describe('a try region', () => {
  it('without an error runs its body, then finally, then what follows the try', async () => {
    const run = await runFile(region({}));
    expect(run.end.status).toBe('completed');
    expect(run.world.marks).toEqual(['body', 'rest', 'cleanup', 'after']);
    expect(run.outputs.finally).toEqual({ had_error: false });
  });

  it('takes an error to the catch, drops the rest of the body, then runs finally and goes on', async () => {
    const run = await runFile(region({ body: fail }));
    expect(run.end.status).toBe('completed');
    expect(run.world.marks).toEqual(['body#1', 'handler', 'cleanup', 'after']);
    expect(run.outputs.finally).toEqual({ had_error: true });
    expect(run.errors).toEqual([]);
  });

  it('publishes the error as ports and variables of the catch', async () => {
    const run = await runFile(
      region({ body: fail, handler: ['MarkNode', { mark: '{{error_type}}: {{catch.error_message}}' }] }),
    );
    expect(run.world.marks[1]).toBe('BrokenError: it broke');
    expect(run.outputs.catch).toEqual({
      error_message: 'it broke',
      error_type: 'BrokenError',
      stack_trace: 'BrokenError: it broke [BROKEN]\n  at body (FailNode)',
    });
    expect(run.variables).toMatchObject({ error_message: 'it broke', error_type: 'BrokenError', had_error: true });
  });

  it('catches conditions that cannot be evaluated', async () => {
    const spec = region({ body: ['IfNode', { condition: '1 / 0' }] });
    const connect = (spec.connect ?? []).map((line) => line.replace('body -> rest', 'body'));
    const run = await runFile({ ...spec, connect: [...connect, 'body.true -> rest'] });
    expect(run.world.marks).toEqual(['handler', 'cleanup', 'after']);
  });

  it.each<[string, boolean]>([
    ['', true],
    ['BrokenError', true],
    ['ValueError, BrokenError', true],
    ['BROKEN', true],
    ['Exception', true],
    ['ValueError', false],
  ])('with error_types %j takes the error: %s', async (errorTypes, takes) => {
    const run = await runFile(region({ body: fail, catchConfig: { error_types: errorTypes } }));
    expect(run.world.marks).toEqual(takes ? ['body#1', 'handler', 'cleanup', 'after'] : ['body#1', 'cleanup']);
    if (!takes) expect(run.end).toMatchObject({ status: 'failed', error: { code: 'BROKEN', node_id: 'body' } });
  });

  it('asks its catch nodes in turn', async () => {
    const spec = region({ body: fail, catchConfig: { error_types: 'ValueError' } });
    const run = await runFile({
      ...spec,
      nodes: {
        ...spec.nodes,
        second: ['CatchNode', { paired_try_id: 'try', error_types: 'BrokenError' }],
        other: mark,
      },
      connect: [...(spec.connect ?? []), 'second.catch_body -> other'],
    });
    expect(run.world.marks).toEqual(['body#1', 'other', 'cleanup', 'after']);
  });

  it('without a catch runs finally, then the error goes on', async () => {
    const run = await runFile(region({ body: fail, catches: false }));
    expect(run.end).toMatchObject({ status: 'failed', error: { code: 'BROKEN' } });
    expect(run.world.marks).toEqual(['body#1', 'cleanup']);
    expect(run.outputs.finally).toEqual({ had_error: true });
  });

  it('without a finally goes on behind the try', async () => {
    const run = await runFile(region({ body: fail, finallys: false }));
    expect(run.world.marks).toEqual(['body#1', 'handler', 'after']);
  });

  it('runs finally when the catch body fails, and then fails with the new error', async () => {
    const run = await runFile(region({ body: fail, handler: ['FailNode', { code: 'WORSE' }] }));
    expect(run.end).toMatchObject({ status: 'failed', error: { code: 'WORSE', node_id: 'handler' } });
    expect(run.world.marks).toEqual(['body#1', 'handler#1', 'cleanup']);
  });

  it('that fails in its finally body fails with that error', async () => {
    const run = await runFile(region({ body: fail, cleanup: ['FailNode', { code: 'WORST' }] }));
    expect(run.end).toMatchObject({ status: 'failed', error: { code: 'WORST', node_id: 'cleanup' } });
  });

  it('rethrows by a ThrowErrorNode in its catch to the region around it', async () => {
    const run = await runFile({
      nodes: {
        outer: ['TryNode', { paired_catch_id: 'outerCatch' }],
        outerCatch: ['CatchNode'],
        outerHandler: ['MarkNode', { mark: '{{error_message}}' }],
        inner: ['TryNode', { paired_catch_id: 'innerCatch', paired_finally_id: 'innerFinally' }],
        innerBody: fail,
        innerCatch: ['CatchNode'],
        rethrow: ['ThrowErrorNode', { error_message: 'again: {{error_message}}' }],
        innerFinally: ['FinallyNode'],
        innerCleanup: mark,
        behindInner: mark,
      },
      connect: [
        'outer.try_body -> inner -> behindInner',
        'inner.try_body -> innerBody',
        'innerCatch.catch_body -> rethrow',
        'innerFinally.finally_body -> innerCleanup',
        'outerCatch.catch_body -> outerHandler',
      ],
    });
    expect(run.end.status).toBe('completed');
    expect(run.world.marks).toEqual(['innerBody#1', 'innerCleanup', 'again: it broke']);
  });

  it('wired as the designer draws it (try to catch, catch body to finally) runs each part once', async () => {
    const wired = (body: NodeSpec): FileSpec => ({
      nodes: {
        start: ['StartNode'],
        try: ['TryNode', {}],
        body,
        catch: ['CatchNode', { paired_try_id: 'try' }],
        handler: mark,
        finally: ['FinallyNode', { paired_try_id: 'try' }],
        after: mark,
      },
      connect: [
        'start -> try',
        'try -> catch',
        'try.try_body -> body -> finally',
        'catch.catch_body -> handler -> finally',
        'finally.finally_body -> after',
      ],
    });
    expect((await runFile(wired(pass))).world.marks).toEqual(['body', 'after']);
    expect((await runFile(wired(fail))).world.marks).toEqual(['body#1', 'handler', 'after']);
  });

  it('whose try is followed by its own finally runs finally once', async () => {
    const spec = region({});
    const run = await runFile({ ...spec, connect: [...(spec.connect ?? []), 'after -> finally'] });
    expect(run.world.marks).toEqual(['body', 'rest', 'cleanup', 'after']);
  });

  it('with a disabled catch lets the error pass', async () => {
    const run = await runFile(region({ body: fail, catchConfig: { _disabled: true } }));
    expect(run.end).toMatchObject({ status: 'failed', error: { code: 'BROKEN' } });
    expect(run.world.marks).toEqual(['body#1', 'cleanup']);
  });
});

describe('the older TryNode', () => {
  const older = (body: NodeSpec): FileSpec => ({
    nodes: {
      try: ['TryNode'],
      body,
      won: mark,
      lost: ['MarkNode', { mark: '{{try.error_type}} {{try.error_message}}' }],
    },
    connect: ['try.try_body -> body', 'try.success -> won', 'try.catch -> lost'],
  });

  it('exits by success or by catch, with the error on its own ports', async () => {
    expect((await runFile(older(pass))).world.marks).toEqual(['body', 'won']);
    expect((await runFile(older(fail))).world.marks).toEqual(['body#1', 'BrokenError it broke']);
  });

  it('without a catch lets the error go on outwards', async () => {
    const withStart = (body: NodeSpec): FileSpec['nodes'] => ({ start: ['StartNode'], ...older(body).nodes });
    const connect = ['start -> try', 'try.try_body -> body', 'try.success -> won'];
    expect((await runFile({ nodes: withStart(pass), connect })).world.marks).toEqual(['body', 'won']);
    const { end, world } = await runFile({ nodes: withStart(fail), connect });
    expect(end).toMatchObject({ status: 'failed', error: { code: 'BROKEN', node_id: 'body' } });
    expect(world.marks).toEqual(['body#1']);
  });
});

describe('try regions and loops', () => {
  const inLoop = (jump: NodeSpec, extra: Partial<FileSpec> = {}): FileSpec => ({
    nodes: {
      loop: ['ForLoopStartNode', { items: [1, 2] }],
      try: ['TryNode', { paired_catch_id: 'catch', paired_finally_id: 'finally' }],
      jump,
      catch: ['CatchNode'],
      handler: ['MarkNode', { mark: 'caught {{item}}' }],
      finally: ['FinallyNode'],
      cleanup: ['MarkNode', { mark: 'cleanup {{item}}' }],
      behind: ['MarkNode', { mark: 'behind {{item}}' }],
      after: mark,
      ...extra.nodes,
    },
    connect: [
      'loop.body -> try -> behind',
      'try.try_body -> jump',
      'catch.catch_body -> handler',
      'finally.finally_body -> cleanup',
      'loop.completed -> after',
      ...(extra.connect ?? []),
    ],
  });

  it('break out of a try region runs its finally first', async () => {
    expect((await runFile(inLoop(['BreakNode']))).world.marks).toEqual(['cleanup 1', 'after']);
  });

  it('continue out of a try region runs its finally first', async () => {
    expect((await runFile(inLoop(['ContinueNode']))).world.marks).toEqual(['cleanup 1', 'cleanup 2', 'after']);
  });

  it('an error in each iteration is caught in each iteration', async () => {
    const run = await runFile(inLoop(fail));
    expect(run.world.marks).toEqual([
      'jump#1',
      'caught 1',
      'cleanup 1',
      'behind 1',
      'jump#1',
      'caught 2',
      'cleanup 2',
      'behind 2',
      'after',
    ]);
  });

  it('a loop end inside the try body ends the iteration through finally', async () => {
    const spec = inLoop(['MergeNode'], {
      nodes: { end: ['ForLoopEndNode', { paired_start_id: 'loop' }] },
      connect: ['jump -> end'],
    });
    const run = await runFile({
      ...spec,
      connect: (spec.connect ?? []).map((line) =>
        line.replace(' -> behind', '').replace('loop.completed -> after', 'loop.completed -> after -> behind'),
      ),
    });
    expect(run.world.marks).toEqual(['cleanup 1', 'cleanup 2', 'after', 'behind 2']);
  });

  it('break inside a catch body and inside a finally body leave the loop', async () => {
    const fromCatch = inLoop(fail, { nodes: { leave: ['BreakNode'] }, connect: ['handler -> leave'] });
    expect((await runFile(fromCatch)).world.marks).toEqual(['jump#1', 'caught 1', 'cleanup 1', 'after']);
    const fromFinally = inLoop(fail, { nodes: { leave: ['BreakNode'] }, connect: ['cleanup -> leave'] });
    expect((await runFile(fromFinally)).world.marks).toEqual(['jump#1', 'caught 1', 'cleanup 1', 'after']);
  });

  it('break runs the finally bodies of all regions on its way, innermost first', async () => {
    const run = await runFile({
      nodes: {
        loop: ['ForLoopStartNode', { items: [1, 2] }],
        t1: ['TryNode', { paired_finally_id: 'f1' }],
        t2: ['TryNode', { paired_finally_id: 'f2' }],
        leave: ['BreakNode'],
        f1: ['FinallyNode'],
        m1: mark,
        f2: ['FinallyNode'],
        m2: mark,
        after: mark,
      },
      connect: [
        'loop.body -> t1',
        't1.try_body -> t2',
        't2.try_body -> leave',
        'f1.finally_body -> m1',
        'f2.finally_body -> m2',
        'loop.completed -> after',
      ],
    });
    expect(run.world.marks).toEqual(['m2', 'm1', 'after']);
  });

  it('an error inside loops inside a try closes the loops', async () => {
    const run = await runFile({
      nodes: {
        try: ['TryNode', { paired_catch_id: 'catch' }],
        outer: ['ForLoopStartNode', { items: [1, 2], item_var: 'o' }],
        inner: ['ForLoopStartNode', { items: [1, 2], item_var: 'i' }],
        f: fail,
        catch: ['CatchNode'],
        handler: ['MarkNode', { mark: 'caught at {{o}}{{i}}' }],
        after: mark,
      },
      connect: [
        'try.try_body -> outer',
        'outer.body -> inner',
        'inner.body -> f',
        'catch.catch_body -> handler',
        'try -> after',
      ],
    });
    expect(run.end.status).toBe('completed');
    expect(run.world.marks).toEqual(['f#1', 'caught at 11', 'after']);
  });

  it('a loop that fails on entry or by its condition is caught like any node', async () => {
    const spec = region({ body: ['WhileLoopStartNode', { condition: true, max_iterations: 1 }] });
    const connect = (spec.connect ?? []).map((line) => line.replace('body -> rest', 'body'));
    const run = await runFile({ ...spec, connect: [...connect, 'body.body -> rest'] });
    expect(run.world.marks).toEqual(['rest', 'handler', 'cleanup', 'after']);
    expect(run.variables.error_type).toBe('MaxIterationsError');
  });
});

describe('stop_on_error', () => {
  const broken: FileSpec = {
    nodes: { a: mark, f: fail, b: mark },
    connect: ['a -> f -> b'],
  };

  it('true fails the run at the first error', async () => {
    const run = await runFile(broken);
    expect(run.end).toMatchObject({ status: 'failed', error: { code: 'BROKEN', message: 'it broke', node_id: 'f' } });
    expect(run.world.marks).toEqual(['a', 'f#1']);
    expect(run.errors).toHaveLength(1);
    expect(run.skipped).toEqual(['b']);
  });

  it("false records the error, logs it once and follows the node's normal exit", async () => {
    const lines: unknown[] = [];
    const observer = { log: (line: unknown) => lines.push(line) };
    const run = await runFile({ ...broken, settings: { stop_on_error: false } }, { observer });
    expect(lines).toEqual([{ level: 'error', node_id: 'f', message: 'it broke' }]);
    expect(run.end.status).toBe('completed');
    expect(run.world.marks).toEqual(['a', 'f#1', 'b']);
    expect(run.errors).toMatchObject([{ code: 'BROKEN', node_id: 'f' }]);
  });

  it('false logs an error that a try lets pass, and none that is caught or fails the run', async () => {
    const nodes: FileSpec['nodes'] = {
      try: ['TryNode', { paired_catch_id: 'catch', paired_finally_id: 'finally' }],
      body: fail,
      catch: ['CatchNode', { error_types: 'OtherError' }],
      finally: ['FinallyNode'],
      cleanup: mark,
    };
    const connect = ['try.try_body -> body', 'finally.finally_body -> cleanup'];
    const settings = { stop_on_error: false };
    const passed = await runFile({ nodes, connect, settings });
    expect(passed.lines).toEqual(['error: it broke']);
    const caught = await runFile({ nodes: { ...nodes, catch: ['CatchNode'] }, connect, settings });
    expect(caught.lines).toEqual([]);
    expect((await runFile({ nodes, connect })).lines).toEqual([]);
  });

  it('false goes on inside a loop, behind a loop that fails, and behind a try that lets the error pass', async () => {
    const run = await runFile({
      nodes: {
        loop: ['ForLoopStartNode', { items: [1, 2] }],
        f: fail,
        m: ['MarkNode', { mark: '{{item}}' }],
        endless: ['WhileLoopStartNode', { condition: true, max_iterations: 1 }],
        bad: ['ForLoopStartNode', { items: '{{nobody}}' }],
        try: ['TryNode', { paired_finally_id: 'finally' }],
        g: fail,
        finally: ['FinallyNode'],
        after: mark,
      },
      connect: [
        'loop.body -> f -> m',
        'loop.completed -> endless',
        'endless.completed -> bad',
        'bad.completed -> try',
        'try.try_body -> g',
        'try -> after',
      ],
      settings: { stop_on_error: false },
    });
    expect(run.end.status).toBe('completed');
    expect(run.world.marks).toEqual(['f#1', 1, 'f#1', 2, 'g#1', 'after']);
    expect(run.errors.map((error) => error.code)).toEqual([
      'BROKEN',
      'BROKEN',
      'MAX_ITERATIONS',
      'INVALID_INPUT',
      'BROKEN',
    ]);
  });

  it('false does not take a branch for an If that cannot be evaluated', async () => {
    const run = await runFile({
      nodes: { i: ['IfNode', { condition: '1 / 0' }], yes: mark, no: mark },
      connect: ['i.true -> yes', 'i.false -> no'],
      settings: { stop_on_error: false },
    });
    expect(run.end.status).toBe('completed');
    expect(run.world.marks).toEqual([]);
  });
});
