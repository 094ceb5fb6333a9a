import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { defineNode } from '../../src/node-contract.ts';
import { type FileSpec, runFile } from './harness.ts';

const portsNode = defineNode({
  type: 'PortsNode',
  category: 'test',
  description: 'Shows what it is given.',
  params: z.object({
    text: z.string().default('default'),
    nullable: z.unknown().optional(),
    raw: z.string().optional(),
    size: z.number(),
    mode: z.enum(['fast', 'slow']).default('fast'),
  }),
  rawParams: ['raw'],
  outputs: ['params', 'given'],
  effect: () => 'pure',
  run: async (ctx) => ({
    outputs: {
      params: Object.fromEntries(Object.entries(ctx.params).filter(([, value]) => value !== undefined)) as never,
      given: ['text', 'nullable', 'raw', 'size'].filter((name) => ctx.given(name)),
    },
  }),
});

function ports(config: Record<string, never | unknown>, spec: Partial<FileSpec> = {}): ReturnType<typeof runFile> {
  return runFile(
    {
      ...spec,
      nodes: { ...spec.nodes, p: ['PortsNode', { size: 1, ...config } as never] },
      connect: spec.connect ?? [],
    },
    { types: [portsNode] },
  );
}

describe('parameters', () => {
  it('come from the connection, else from config, else from the default', async () => {
    const give = (value: unknown): Partial<FileSpec> => ({
      nodes: { g: ['GiveNode', { value } as never] },
      connect: ['g -> p', 'g.value => p.text'],
    });
    expect((await ports({ text: 'config' }, give('port'))).outputs.p?.params).toMatchObject({ text: 'port' });
    expect((await ports({ text: 'config' }, give(null))).outputs.p?.params).toMatchObject({ text: 'config' });
    expect((await ports({}, give(null))).outputs.p?.params).toMatchObject({ text: 'default' });
    expect((await ports({})).outputs.p?.params).toMatchObject({ text: 'default' });
  });

  it('of a port whose source has not run come from config', async () => {
    const run = await ports(
      { text: 'config' },
      { nodes: { s: ['StartNode'], never: ['GiveNode'] }, connect: ['s -> p', 'never.value => p.text'] },
    );
    expect(run.outputs.p?.params).toMatchObject({ text: 'config' });
  });

  it('know whether the workflow gives them, and a null is not given', async () => {
    const run = await ports({ nullable: null, raw: '{{size}}' });
    expect(run.outputs.p).toMatchObject({ given: ['raw', 'size'], params: { raw: '{{size}}' } });
  });

  it('keep the type of a single reference and write text into text', async () => {
    const run = await ports(
      { nullable: '{{list}}', text: 'n is {{n}}, g is {{g.value}}', size: '{{n}}' },
      { nodes: { g: ['GiveNode', { value: { a: 1 } }] }, connect: ['g -> p'], variables: { list: [1], n: 3 } },
    );
    expect(run.outputs.p?.params).toMatchObject({ nullable: [1], text: 'n is 3, g is {"a":1}', size: 3 });
  });

  it('that do not fit fail the node in a plain sentence that names the field', async () => {
    const run = await ports({ size: '{{word}}', mode: '{{word}}' }, { variables: { word: 'many' } });
    expect(run.end).toMatchObject({
      status: 'failed',
      error: { code: 'INVALID_INPUT', category: 'permanent', node_id: 'p', node_type: 'PortsNode' },
    });
    expect(run.errors[0]?.message).toMatch(/"size" must be a number.*"mode" must be/);
    expect(run.errors[0]?.details).toEqual({ fields: ['size', 'mode'] });
  });

  it('an unknown reference stays as it is written and is reported once', async () => {
    const run = await runFile({
      nodes: { l: ['ForLoopStartNode', { items: [1, 2, 3] }], m: ['MarkNode', { mark: '{{nobody}} {{item}}' }] },
      connect: ['l.body -> m'],
    });
    expect(run.world.marks).toEqual(['{{nobody}} 1', '{{nobody}} 2', '{{nobody}} 3']);
    expect(run.lines).toEqual(['warning: Nothing has set "nobody"; it is left as it is written.']);
  });

  it('may use system values', async () => {
    const run = await ports({ nullable: '{{$timestamp}}' });
    expect(run.outputs.p?.params).toMatchObject({ nullable: Date.UTC(2026, 0, 1) / 1000 });
  });

  it('take secrets from their source and never put them into the journal', async () => {
    const seen: string[] = [];
    const login = defineNode({
      type: 'LoginNode',
      category: 'test',
      description: 'Takes a password.',
      params: z.object({ password: z.string() }),
      outputs: [],
      effect: () => 'effect',
      run: async (ctx) => {
        seen.push(ctx.params.password);
        return {};
      },
    });
    const { TestJournal } = await import('./harness.ts');
    const journal = new TestJournal();
    const spec: FileSpec = { nodes: { l: ['LoginNode', { password: '{{$secret:bank}}' }] } };
    const secrets = { get: async (id: string) => (id === 'bank' ? 'hunter2' : undefined) };
    expect((await runFile(spec, { types: [login], secrets, journal })).end.status).toBe('completed');
    expect(seen).toEqual(['hunter2']);
    expect(JSON.stringify(journal.entries)).not.toContain('hunter2');
    const without = await runFile(spec, { types: [login] });
    expect(without.end).toMatchObject({ status: 'failed', error: { code: 'SECRET_UNAVAILABLE' } });
  });
});

describe('results', () => {
  const give = (value: unknown) =>
    defineNode({
      type: 'OddNode',
      category: 'test',
      description: 'Gives what it should not.',
      params: z.object({}),
      outputs: ['odd', 'fine'],
      effect: () => 'pure',
      run: async () => ({ outputs: { odd: value, fine: 1 } as never }),
    });

  it('that are no JSON fail nothing: the journal has their names (more in unstorable.test.ts)', async () => {
    const circle: unknown[] = [];
    circle.push(circle);
    for (const value of [new Date(0), () => 1, Number.NaN, 1n, { deep: [new Map()] }, circle]) {
      const run = await runFile({ nodes: { o: ['OddNode'] } }, { types: [give(value)] });
      expect(run.end.status).toBe('completed');
      expect(JSON.stringify(run.outputs.o)).toMatch(/"\$unstorable":"1 output odd.*"fine":1/);
    }
  });

  it('and variables that are undefined: a property is left out, a variable fails the node by its name', async () => {
    const hole = await runFile({ nodes: { o: ['OddNode'] } }, { types: [give({ deep: undefined, kept: 1 })] });
    expect(hole.outputs.o).toEqual({ odd: { kept: 1 }, fine: 1 });
    const unset = defineNode({
      ...give(1),
      run: async (ctx) => {
        ctx.variables.set('nothing', undefined);
        return {};
      },
    });
    const run = await runFile({ nodes: { o: ['OddNode'] } }, { types: [unset] });
    expect(run.end).toMatchObject({ status: 'failed', error: { code: 'OUTPUT_NOT_JSON', node_id: 'o' } });
    expect(run.errors[0]?.message).toContain('the variable "nothing"');
  });

  it('that are big are kept as they are, and an output that is undefined is left out', async () => {
    const big = 'x'.repeat(5_000_000);
    expect((await runFile({ nodes: { o: ['OddNode'] } }, { types: [give(big)] })).outputs.o).toEqual({
      odd: big,
      fine: 1,
    });
    expect((await runFile({ nodes: { o: ['OddNode'] } }, { types: [give(undefined)] })).outputs.o).toEqual({ fine: 1 });
  });

  it('with an exit that the type does not have fail the node', async () => {
    const lost = defineNode({ ...give(1), run: async () => ({ exit: 'nowhere' }) });
    const run = await runFile({ nodes: { o: ['OddNode'] } }, { types: [lost] });
    expect(run.end).toMatchObject({ status: 'failed', error: { code: 'INVALID_EXIT' } });
  });

  it.each([
    ['nothing', undefined],
    ['null', null],
    ['a text', 'done'],
    ['outputs that are a list', { outputs: [1] }],
  ])('or no result (%s) fail the node, which is not run again', async (_what, given) => {
    let runs = 0;
    const odd = defineNode({
      ...give(1),
      run: async () => {
        runs += 1;
        return given as never;
      },
    });
    const run = await runFile({ nodes: { o: ['OddNode'] }, settings: { retry_count: 3 } }, { types: [odd] });
    expect(run.end).toMatchObject({ status: 'failed', error: { code: 'INVALID_RESULT' } });
    expect(runs).toBe(1);
  });

  it("and variables named like JavaScript's own are plain values", async () => {
    const run = await runFile({
      nodes: {
        a: ['SetVariableNode', { variable_name: '__proto__', value: { polluted: true } }],
        m: ['MarkNode', { mark: '{{constructor}}' }],
      },
      connect: ['a -> m'],
    });
    expect(Object.hasOwn(run.variables, '__proto__')).toBe(true);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
    expect(run.world.marks).toEqual(['{{constructor}}']);
  });

  it('of a node that fails leave no trace in the variables', async () => {
    const half = defineNode({
      ...give(1),
      run: async (ctx) => {
        ctx.variables.set('half', true);
        expect(ctx.variables.get('half')).toBe(true);
        throw new Error('no');
      },
    });
    const run = await runFile({ nodes: { o: ['OddNode'] } }, { types: [half] });
    expect(run.end).toMatchObject({
      status: 'failed',
      error: { code: 'NODE_FAILED', category: 'unknown', message: 'no' },
    });
    expect(run.variables).toEqual({});
  });
});

describe('SetVariableNode', () => {
  const set = (config: Record<string, unknown>): ReturnType<typeof runFile> =>
    runFile({ nodes: { s: ['SetVariableNode', { variable_name: 'v', ...config } as never] } });

  it.each([
    [{ value: 75 }, 75],
    [{ value: 75, variable_type: 'String' }, 75],
    [{ value: ['a'] }, ['a']],
    [{ value: '12', variable_type: 'Int32' }, 12],
    [{ value: 3.9, variable_type: 'Int32' }, 3],
    [{ value: '1.5', variable_type: 'Float' }, 1.5],
    [{ value: 'Yes', variable_type: 'Boolean' }, true],
    [{ value: 'off', variable_type: 'Boolean' }, false],
    [{ value: 0, variable_type: 'Boolean' }, false],
    [{ value: '{"a":1}', variable_type: 'Dict' }, { a: 1 }],
    [{ value: 5, variable_type: 'Object' }, { value: 5 }],
    [{ value: '[1,2]', variable_type: 'List' }, [1, 2]],
    [{ value: 'a, b', variable_type: 'Array' }, ['a', 'b']],
    [{ value: 5, variable_type: 'List' }, [5]],
    [{ value: '[{"a":1}]', variable_type: 'DataTable' }, [{ a: 1 }]],
    [{ default_value: 'd' }, 'd'],
    [{}, null],
  ])('with %j stores %j', async (config, expected) => {
    const run = await set(config);
    expect(run.variables.v).toEqual(expected);
    expect(run.outputs.s).toEqual({ value: expected });
  });

  it('keeps a value that cannot be cast, with a warning', async () => {
    const run = await set({ value: 'many', variable_type: 'Int32' });
    expect(run.variables.v).toBe('many');
    expect(run.lines).toEqual(['warning: The value for "v" is no Int32; it is kept as it is.']);
  });
});

describe('GetVariableNode and IncrementVariableNode', () => {
  it('read a variable, or the default', async () => {
    const run = await runFile({
      nodes: {
        a: ['GetVariableNode', { variable_name: 'there', default_value: 'd' }],
        b: ['GetVariableNode', { variable_name: 'missing', default_value: 'd' }],
        c: ['GetVariableNode', { variable_name: 'missing' }],
      },
      variables: { there: false },
    });
    expect(run.outputs).toEqual({ a: { value: false }, b: { value: 'd' }, c: { value: null } });
  });

  it('count from 0, keep whole numbers whole, and add to text that spells a number', async () => {
    const run = await runFile({
      nodes: {
        a: ['IncrementVariableNode', { variable_name: 'fresh' }],
        b: ['IncrementVariableNode', { variable_name: 'text', increment: '2' }],
        c: ['IncrementVariableNode', { variable_name: 'part', increment: 0.5 }],
        d: ['IncrementVariableNode', { variable_name: 'fresh', increment: -3 }],
      },
      variables: { text: '40', part: 1 },
    });
    expect(run.variables).toEqual({ fresh: -2, text: 42, part: 1.5 });
  });

  it('fail on what is no number', async () => {
    const run = await runFile({
      nodes: { a: ['IncrementVariableNode', { variable_name: 'word' }] },
      variables: { word: 'many' },
    });
    expect(run.end).toMatchObject({ status: 'failed', error: { code: 'NOT_A_NUMBER', node_id: 'a' } });
  });
});
