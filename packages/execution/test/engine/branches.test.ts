import { describe, expect, it } from 'vitest';
import type { JsonObject, JsonValue } from '../../src/json.ts';
import { type FileSpec, runFile } from './harness.ts';

const mark = ['MarkNode'] as const;

function iff(config: JsonObject, variables: JsonObject = {}): FileSpec {
  return {
    nodes: { i: ['IfNode', config], yes: mark, no: mark },
    connect: ['i.true -> yes', 'i.false -> no'],
    variables,
  };
}

describe('IfNode', () => {
  it.each<[JsonObject, string]>([
    [{ expression: '{{n}} > 10' }, 'yes'],
    [{ expression: 'n < 10' }, 'no'],
    [{ condition: true }, 'yes'],
    [{ condition: false }, 'no'],
    [{ condition: '{{flag}}' }, 'no'],
    [{ condition: '{{word}}' }, 'no'],
    [{ condition: '{{n}} == 11 and not {{flag}}' }, 'yes'],
    [{ condition: 'false' }, 'no'],
    [{ condition: '0', expression: 'true' }, 'no'],
    [{ condition: '', expression: 'true' }, 'yes'],
    [{ condition: '' }, 'no'],
    [{ condition: '{{list}}' }, 'no'],
  ])('by %j takes %s', async (config, branch) => {
    const run = await runFile(iff(config, { n: 11, flag: false, word: 'no', list: [] }));
    expect(run.world.marks).toEqual([branch]);
  });

  it('that cannot be evaluated fails: it is never taken as false', async () => {
    const run = await runFile(iff({ expression: '1 / 0' }));
    expect(run.end).toMatchObject({ status: 'failed', error: { code: 'EXPRESSION_ERROR', node_id: 'i' } });
    expect(run.world.marks).toEqual([]);
  });

  it('with neither condition nor expression fails', async () => {
    const { nodes, connect = [] } = iff({});
    const run = await runFile({
      nodes: { s: ['StartNode'], ...nodes, never: ['GiveNode'] },
      connect: ['s -> i', 'never.value => i.condition', ...connect],
    });
    expect(run.end).toMatchObject({ status: 'failed', error: { code: 'INVALID_INPUT' } });
  });

  it.each<[JsonValue, string]>([
    ['1 / 0', 'yes'],
    ['False', 'no'],
    [0, 'no'],
    [{}, 'no'],
    [null, 'no'],
    [[0], 'yes'],
  ])('weighs a connected value (%j) as data, never as an expression', async (value, branch) => {
    const { nodes, connect = [] } = iff({ expression: '' });
    const run = await runFile({
      nodes: { g: ['GiveNode', { value }], ...nodes },
      connect: ['g -> i', 'g.value => i.condition', ...connect],
    });
    expect(run.world.marks).toEqual([branch]);
  });

  it('references bound into an expression cannot change it', async () => {
    const run = await runFile(iff({ expression: '"{{name}}" == "x"' }, { name: '" == "" or "1" == "1' }));
    expect(run.world.marks).toEqual(['no']);
  });
});

function switched(config: JsonObject, exits: readonly string[], variables: JsonObject = {}): FileSpec {
  return {
    nodes: { s: ['SwitchNode', config], ...Object.fromEntries(exits.map((exit) => [`to_${exit}`, mark])) },
    connect: exits.map((exit) => `s.${exit} -> to_${exit}`),
    variables,
  };
}

describe('SwitchNode', () => {
  it.each<[string, JsonObject, string[], string]>([
    ['case_<value>', { cases: ['a', 'b'], value: 'b' }, ['case_a', 'case_b', 'default'], 'case_b'],
    ['case_<index>', { cases: ['a', 'b'], value: 'b' }, ['case_0', 'case_1', 'default'], 'case_1'],
    ['default', { cases: ['a', 'b'], value: 'c' }, ['case_a', 'default'], 'default'],
    ['a number as text', { cases: ['1', '2'], value: 2 }, ['case_1', 'case_2'], 'case_2'],
    ['indexes of number cases', { cases: [1, 2], value: 1 }, ['case_0', 'case_1'], 'case_0'],
    ['values that look like indexes', { cases: [1, 0], value: 1 }, ['case_1', 'case_0'], 'case_1'],
    ["Python's True", { cases: ['True', 'False'], value: true }, ['case_True', 'case_False'], 'case_True'],
    ['an expression', { cases: ['5'], expression: '{{n}} + 1' }, ['case_5', 'default'], 'case_5'],
    ['a template', { cases: ['x'], value: '{{word}}' }, ['case_x'], 'case_x'],
    ['cases as JSON text', { cases: '["x","y"]', value: 'y' }, ['case_x', 'case_y'], 'case_y'],
  ])('follows %s', async (_name, config, exits, taken) => {
    const run = await runFile(switched(config, exits, { n: 4, word: 'x' }));
    expect(run.errors).toEqual([]);
    expect(run.world.marks).toEqual([`to_${taken}`]);
  });

  it.each<[string, JsonObject, string]>([
    ['default', { cases: ['a', 'null'] }, 'default'],
    ['the case without text', { cases: ['a', ''] }, 'case_'],
    ['what its expression says, if it has one', { cases: ['5'], expression: '5' }, 'case_5'],
  ])('takes a value that turns out to be null to %s', async (_name, config, taken) => {
    const exits = ['case_a', 'case_', 'case_5', 'default'].filter(
      (exit) => exit === 'default' || (config.cases as string[]).includes(exit.slice('case_'.length)),
    );
    const viaTemplate = await runFile(switched({ ...config, value: '{{nothing}}' }, exits, { nothing: null }));
    expect(viaTemplate.world.marks).toEqual([`to_${taken}`]);
    const { nodes, connect = [] } = switched(config, exits);
    const connected = await runFile({
      nodes: { g: ['GiveNode', { value: null }], ...nodes },
      connect: ['g -> s', 'g.value => s.value', ...connect],
    });
    expect(connected.world.marks).toEqual([`to_${taken}`]);
  });

  it('fails for a connection that brings no value at all', async () => {
    const { nodes, connect = [] } = switched({ cases: ['a'] }, ['case_a', 'default']);
    const run = await runFile({
      nodes: { start: ['StartNode'], never: ['GiveNode'], ...nodes },
      connect: ['start -> s', 'never.value => s.value', ...connect],
    });
    expect(run.end).toMatchObject({ status: 'failed', error: { code: 'INVALID_INPUT' } });
  });

  it('ends the path at a case that is not connected', async () => {
    const run = await runFile(switched({ cases: ['a', 'b'], value: 'b' }, ['case_a', 'default']));
    expect(run.end.status).toBe('completed');
    expect(run.world.marks).toEqual([]);
  });

  it('fails on an expression that cannot be evaluated, instead of taking default', async () => {
    const run = await runFile(switched({ cases: ['a'], expression: '[1][7]' }, ['case_a', 'default']));
    expect(run.end).toMatchObject({ status: 'failed', error: { code: 'EXPRESSION_ERROR' } });
  });
});

describe('AssertNode and ThrowErrorNode', () => {
  it.each<[JsonObject, boolean]>([
    [{}, true],
    [{ condition: true }, true],
    [{ condition: 'yes' }, true],
    [{ condition: '1' }, true],
    [{ condition: '{{n}} == 4' }, true],
    [{ condition: 'false' }, false],
    [{ condition: '{{n}} == 5' }, false],
  ])('assert %j', async (config, passes) => {
    const run = await runFile({
      nodes: { a: ['AssertNode', { message: 'n is off', ...config }] },
      variables: { n: 4 },
    });
    if (passes) expect(run.outputs.a).toEqual({ passed: true });
    else expect(run.end).toMatchObject({ status: 'failed', error: { code: 'ASSERTION_FAILED', message: 'n is off' } });
  });

  it('throw with a resolved message', async () => {
    const run = await runFile({
      nodes: { t: ['ThrowErrorNode', { error_message: 'no {{what}}' }] },
      variables: { what: 'luck' },
    });
    expect(run.end).toMatchObject({
      status: 'failed',
      error: {
        code: 'CUSTOM_ERROR',
        message: 'no luck',
        node_id: 't',
        node_type: 'ThrowErrorNode',
        error_type: 'CustomError',
      },
    });
  });
});
