import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/json.ts';
import { type FileSpec, runFile } from './harness.ts';

const mark = ['MarkNode'] as const;
const markItem = ['MarkNode', { mark: '{{item}}' }] as const;

/** What the designer writes into every ForLoopStartNode. */
const designed = { mode: 'items', list_var: '', item_var: 'item', start: 0, end: 10, step: 1 };

/** loop -> body (marks) -> end; after the loop: after. */
function loop(config: JsonObject, markConfig: JsonObject = { mark: '{{loop.current_item}}' }): FileSpec {
  return {
    nodes: {
      loop: ['ForLoopStartNode', config],
      body: ['MarkNode', markConfig],
      end: ['ForLoopEndNode', { paired_start_id: 'loop' }],
      after: mark,
    },
    connect: ['loop.body -> body -> end', 'loop.completed -> after'],
  };
}

describe('ForLoopStartNode', () => {
  it.each<[string, JsonObject, unknown[]]>([
    ['items in config', { items: ['a', 'b'] }, ['a', 'b']],
    ['a reference in items', { items: '{{list}}' }, [7, 8]],
    ['list_var', { list_var: 'list' }, [7, 8]],
    ['the characters of a text', { items: 'hé!' }, ['h', 'é', '!']],
    ['the values of an object', { items: { x: 1, y: 2 } }, [1, 2]],
    ['a JSON list given as text', { items: ' [1, "b"]' }, [1, 'b']],
    ['a JSON object given as text', { items: '{"x": 1, "y": [2]}' }, [1, [2]]],
    ['a JSON list in a variable', { list_var: 'json' }, [3]],
    ['the characters of text that is no JSON', { items: '[1,' }, ['[', '1', ',']],
    ['the characters of JSON that is no list or object', { items: '12' }, ['1', '2']],
    ['a single value', { items: 5 }, [5]],
    ['items, beside all defaults of the designer', { ...designed, items: ['a'] }, ['a']],
    [
      'list_var, beside all defaults of the designer and empty items',
      { ...designed, items: '', list_var: 'list' },
      [7, 8],
    ],
    ['a range, without its end', { mode: 'range', start: 1, end: 4 }, [1, 2, 3]],
    ['a range with a step', { mode: 'range', start: 0, end: 10, step: 4 }, [0, 4, 8]],
    ['a range downwards', { mode: 'range', start: 3, end: 0, step: -1 }, [3, 2, 1]],
    ['range bounds as text and reference', { mode: 'range', start: '0', end: '{{two}}' }, [0, 1]],
    ['start and end without items, as older files have them', { start: 0, end: 2 }, [0, 1]],
    ['an empty list', { items: [] }, []],
    ['an empty text', { items: '{{empty}}' }, []],
    ['an empty object', { items: {} }, []],
    ['an empty range', { mode: 'range', start: 5, end: 5 }, []],
    ['a range the wrong way', { mode: 'range', start: 5, end: 0 }, []],
  ])('goes over %s, then takes completed', async (_name, config, marks) => {
    const run = await runFile({ ...loop(config), variables: { list: [7, 8], two: 2, empty: '', json: '[3]' } });
    expect(run.errors).toEqual([]);
    expect(run.world.marks).toEqual([...marks, 'after']);
  });

  it('takes items from a connection', async () => {
    const { nodes, connect = [] } = loop({ items: ['config'] });
    const run = await runFile({
      nodes: { g: ['GiveNode', { value: ['port'] }], ...nodes },
      connect: ['g -> loop', 'g.value => loop.items', ...connect],
    });
    expect(run.world.marks).toEqual(['port', 'after']);
  });

  it('sets the item, index and key variables and ports', async () => {
    const run = await runFile(
      loop(
        { items: { k: 'v' }, item_var: 'row' },
        { mark: '{{row}} {{row_index}} {{row_key}} {{loop.current_index}} {{loop.current_key}}' },
      ),
    );
    expect(run.world.marks).toEqual(['v 0 k 0 k', 'after']);
    expect(run.variables).toEqual({ row: 'v', row_index: 0, row_key: 'k' });
    expect(run.outputs.loop).toEqual({ current_item: 'v', current_index: 0, current_key: 'k' });
  });

  it('reads what it goes over once, when it is entered', async () => {
    const run = await runFile({
      nodes: {
        loop: ['ForLoopStartNode', { items: '{{list}}' }],
        m: markItem,
        clear: ['SetVariableNode', { variable_name: 'list', value: [9, 9, 9, 9] }],
      },
      connect: ['loop.body -> m -> clear'],
      variables: { list: [1, 2] },
    });
    expect(run.world.marks).toEqual([1, 2]);
  });

  it.each<[string, JsonObject, RegExp]>([
    ['a step that turns out to be 0', { mode: 'range', step: '{{zero}}' }, /"step" must not be 0/],
    ['items that are null', { items: '{{nothing}}', end: 3 }, /"items" is not set/],
    [
      'a list_var that turns out to be empty',
      { ...designed, list_var: '{{empty}}' },
      /"items" or "list_var", and has neither/,
    ],
    ['a reference that nothing has set', { items: '{{nobody}}' }, /\{\{nobody\}\}/],
    ['a list_var that is not set', { list_var: 'nobody' }, /"nobody"/],
    ['a bound that is no whole number', { mode: 'range', end: '{{half}}' }, /"end" must be a whole number/],
  ])('fails for %s', async (_name, config, message) => {
    const run = await runFile({ ...loop(config), variables: { nothing: null, half: 0.5, zero: 0, empty: '' } });
    expect(run.end).toMatchObject({ status: 'failed', error: { code: 'INVALID_INPUT', node_id: 'loop' } });
    expect(run.errors[0]?.message).toMatch(message);
    expect(run.world.marks).toEqual([]);
  });

  it('fails for a connection that brings nothing, instead of going over something else', async () => {
    const run = await runFile({
      nodes: { s: ['StartNode'], never: ['GiveNode'], ...loop({}).nodes },
      connect: ['s -> loop', 'never.value => loop.items', ...(loop({}).connect ?? [])],
    });
    expect(run.end).toMatchObject({ status: 'failed', error: { code: 'INVALID_INPUT', node_id: 'loop' } });
  });

  it('runs again from its beginning when it is entered again', async () => {
    const run = await runFile({
      nodes: {
        outer: ['ForLoopStartNode', { items: ['a', 'b'], item_var: 'o' }],
        inner: ['ForLoopStartNode', { items: [1, 2], item_var: 'i' }],
        m: ['MarkNode', { mark: '{{o}}{{i}}' }],
        after: mark,
      },
      connect: ['outer.body -> inner', 'inner.body -> m', 'outer.completed -> after'],
    });
    expect(run.world.marks).toEqual(['a1', 'a2', 'b1', 'b2', 'after']);
  });
});

describe('the body of a loop', () => {
  it('that simply ends its path ends the iteration', async () => {
    const run = await runFile({
      nodes: { loop: ['ForLoopStartNode', { items: [1, 2] }], m: markItem, after: mark },
      connect: ['loop.body -> m', 'loop.completed -> after'],
    });
    expect(run.world.marks).toEqual([1, 2, 'after']);
  });

  it('that ends only at an If without an else goes on with the next element', async () => {
    const run = await runFile({
      nodes: {
        loop: ['ForLoopStartNode', { items: [1, 2, 3] }],
        i: ['IfNode', { condition: '{{item}} != 2' }],
        m: markItem,
      },
      connect: ['loop.body -> i', 'i.true -> m'],
    });
    expect(run.world.marks).toEqual([1, 3]);
  });

  it('that leads back to the start by a connection ends the iteration', async () => {
    const run = await runFile({
      nodes: { s: ['StartNode'], loop: ['ForLoopStartNode', { items: [1, 2] }], m: markItem, after: mark },
      connect: ['s -> loop', 'loop.body -> m -> loop', 'loop.completed -> after'],
    });
    expect(run.world.marks).toEqual([1, 2, 'after']);
  });

  it('whose end node leads back to the start by a connection ends the iteration, and the loop ends', async () => {
    const { nodes, connect = [] } = loop({ items: [1, 2] });
    const run = await runFile({
      nodes: { s: ['StartNode'], ...nodes },
      connect: ['s -> loop', ...connect, 'end -> loop'],
    });
    expect(run.world.marks).toEqual([1, 2, 'after']);
  });

  it('with several paths runs all of them before the next iteration', async () => {
    const run = await runFile({
      nodes: {
        loop: ['ForLoopStartNode', { items: [1, 2] }],
        a: ['MarkNode', { mark: 'a{{item}}' }],
        b: ['MarkNode', { mark: 'b{{item}}' }],
        c: ['MarkNode', { mark: 'c{{item}}' }],
        end: ['ForLoopEndNode', { paired_start_id: 'loop' }],
      },
      connect: ['loop.body -> a -> end', 'loop.body -> b -> c'],
    });
    expect(run.world.marks).toEqual(['a1', 'b1', 'c1', 'a2', 'b2', 'c2']);
  });

  it('runs to its end before what waits beside the loop', async () => {
    const run = await runFile({
      nodes: {
        s: ['StartNode'],
        loop: ['ForLoopStartNode', { items: [1, 2] }],
        m: markItem,
        beside: mark,
        after: mark,
      },
      connect: ['s -> loop', 's -> beside', 'loop.body -> m', 'loop.completed -> after'],
    });
    expect(run.world.marks).toEqual([1, 2, 'beside', 'after']);
  });

  it('may be empty', async () => {
    const run = await runFile({
      nodes: {
        loop: ['ForLoopStartNode', { items: [1, 2] }],
        end: ['ForLoopEndNode', { paired_start_id: 'loop' }],
        after: mark,
      },
      connect: ['loop.body -> end', 'loop.completed -> after'],
    });
    expect(run.world.marks).toEqual(['after']);
  });
});

describe("an end node's own exec_out", () => {
  it.each([[[1, 2]], [[]]])('runs once after the loop over %j, like completed', async (items) => {
    const { nodes, connect = [] } = loop({ items });
    const run = await runFile({ nodes: { ...nodes, behind: mark }, connect: [...connect, 'end -> behind'] });
    expect(run.world.marks).toEqual([...items, 'after', 'behind']);
  });

  it('and completed that lead to the same node run it once', async () => {
    const { nodes, connect = [] } = loop({ items: [1] });
    const run = await runFile({ nodes, connect: [...connect, 'end -> after'] });
    expect(run.world.marks).toEqual([1, 'after']);
  });
});

describe('WhileLoopStartNode', () => {
  const counting = (config: JsonObject, startType = 'WhileLoopStartNode', body = 'body'): FileSpec => ({
    nodes: {
      loop: [startType, config],
      m: ['MarkNode', { mark: '{{n}}' }],
      count: ['IncrementVariableNode', { variable_name: 'n' }],
      after: mark,
    },
    connect: [`loop.${body} -> m -> count`, 'loop.completed -> after'],
    variables: { n: 0 },
  });

  it.each<[JsonObject]>([
    [{ expression: '{{n}} < 3' }],
    [{ condition: '{{n}} < 3' }],
    [{ expression: 'n < 3', max_iterations: 3 }],
  ])('repeats its body while %j holds', async (config) => {
    const run = await runFile(counting(config));
    expect(run.world.marks).toEqual([0, 1, 2, 'after']);
  });

  it('weighs a connected condition at each iteration', async () => {
    const run = await runFile(
      {
        nodes: {
          first: ['GiveNode', { value: true }],
          loop: ['WhileLoopStartNode'],
          m: ['MarkNode', { mark: '{{loop.current_iteration}}' }],
          stop: ['SetVariableNode', { variable_name: 'x', value: false }],
        },
        connect: ['first -> loop', 'loop.body -> m', 'first.value => loop.condition'],
        settings: {},
      },
      { inDoubtPolicy: 'fail' },
    );
    expect(run.end).toMatchObject({ status: 'failed', error: { code: 'MAX_ITERATIONS' } });
    expect(run.world.marks.length).toBe(1000);
  });

  it('that reaches max_iterations fails the node: it is no success', async () => {
    const run = await runFile(counting({ expression: 'true', max_iterations: 2 }));
    expect(run.end).toMatchObject({ status: 'failed', error: { code: 'MAX_ITERATIONS', node_id: 'loop' } });
    expect(run.world.marks).toEqual([0, 1]);
  });

  it('that cannot evaluate its condition fails instead of ending', async () => {
    const run = await runFile(counting({ expression: '{{n}} < "three"' }));
    expect(run.end).toMatchObject({ status: 'failed', error: { code: 'EXPRESSION_ERROR', node_id: 'loop' } });
  });

  it('in its older form exits by loop_body and gives iteration', async () => {
    const spec = counting({ expression: 'n < 2' }, 'WhileLoopNode', 'loop_body');
    const run = await runFile({ ...spec, nodes: { ...spec.nodes, m: ['MarkNode', { mark: '{{loop.iteration}}' }] } });
    expect(run.world.marks).toEqual([0, 1, 'after']);
  });
});

describe('ForLoopNode, the older form', () => {
  it.each<[JsonObject, unknown[]]>([
    [{ items: ['a', 'b'] }, ['a 0', 'b 1']],
    [{ items: '["a", "b"]' }, ['a 0', 'b 1']],
    [{ items: 'ab' }, ['a 0', 'b 1']],
    [{ start: 5, end: 7 }, ['5 0', '6 1']],
  ])('by %j exits by loop_body and gives item and index', async (config, marks) => {
    const run = await runFile({
      nodes: { loop: ['ForLoopNode', config], m: ['MarkNode', { mark: '{{loop.item}} {{loop.index}}' }], after: mark },
      connect: ['loop.loop_body -> m', 'loop.completed -> after'],
    });
    expect(run.world.marks).toEqual([...marks, 'after']);
    expect(run.variables).toEqual({});
  });
});

describe('BreakNode and ContinueNode', () => {
  const jumping = (type: string, config: JsonObject = {}): FileSpec => ({
    nodes: {
      loop: ['ForLoopStartNode', { items: [1, 2, 3] }],
      i: ['IfNode', { condition: '{{item}} == 2' }],
      jump: [type, config],
      m: markItem,
      after: mark,
    },
    connect: ['loop.body -> i', 'i.true -> jump', 'i.false -> m', 'loop.completed -> after'],
  });

  it('break takes completed at once', async () => {
    expect((await runFile(jumping('BreakNode'))).world.marks).toEqual([1, 'after']);
    expect((await runFile(jumping('BreakNode', { paired_loop_start_id: 'loop' }))).world.marks).toEqual([1, 'after']);
  });

  it('continue goes on with the next element', async () => {
    expect((await runFile(jumping('ContinueNode'))).world.marks).toEqual([1, 3, 'after']);
  });

  const nested = (type: string, loopId: string): FileSpec => ({
    nodes: {
      outer: ['ForLoopStartNode', { items: ['a', 'b'], item_var: 'o' }],
      inner: ['WhileLoopStartNode', { condition: true, max_iterations: 5 }],
      m: ['MarkNode', { mark: '{{o}}{{inner.current_iteration}}' }],
      jump: [type, { paired_loop_start_id: loopId }],
      behind: ['MarkNode', { mark: 'behind {{o}}' }],
      after: mark,
    },
    connect: [
      'outer.body -> inner',
      'inner.body -> m -> jump',
      'inner.completed -> behind',
      'outer.completed -> after',
    ],
  });

  it('name the loop they mean, through nested loops', async () => {
    expect((await runFile(nested('BreakNode', 'outer'))).world.marks).toEqual(['a0', 'after']);
    expect((await runFile(nested('BreakNode', 'inner'))).world.marks).toEqual([
      'a0',
      'behind a',
      'b0',
      'behind b',
      'after',
    ]);
    expect((await runFile(nested('ContinueNode', 'outer'))).world.marks).toEqual(['a0', 'b0', 'after']);
  });

  it('an end node of an outer loop inside an inner one goes on with the outer loop', async () => {
    const spec = nested('ForLoopEndNode', 'outer');
    const nodes = { ...spec.nodes, jump: ['ForLoopEndNode', { paired_start_id: 'outer' }] as const };
    expect((await runFile({ ...spec, nodes })).world.marks).toEqual(['a0', 'b0', 'after']);
  });

  it('drop what waits in the iteration', async () => {
    const run = await runFile({
      nodes: { loop: ['ForLoopStartNode', { items: [1, 2] }], c: ['ContinueNode'], m: markItem, n: markItem },
      connect: ['loop.body -> c', 'loop.body -> m -> n'],
    });
    expect(run.world.marks).toEqual([]);
  });
});

it('a jump that fails outside of its loop ends its path, even where errors are passed over', async () => {
  const run = await runFile({
    nodes: {
      start: ['StartNode'],
      each: ['ForLoopStartNode', { items: [1] }],
      jump: ['ContinueNode', { paired_loop_start_id: 'each' }],
      after: ['MarkNode'],
    },
    connect: ['start -> jump', 'start -> each.body -> jump -> after'],
    settings: { stop_on_error: false },
  });
  expect(run.errors).toMatchObject([{ code: 'NO_OPEN_LOOP' }]);
  expect(run.world.marks).toEqual([]);
});
