/** Values that are no JSON: alive while the robot runs, recorded by name, brought back after a restart or missed by name. */
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { JournalEntry } from '../../src/engine/journal.ts';
import type { JsonObject } from '../../src/json.ts';
import { defineNode, type NodeType } from '../../src/node-contract.ts';
import { type FileSpec, type RunSetup, runFile, TestJournal, type TestRun } from './harness.ts';

class Connection {
  readonly to: string;
  constructor(to: string) {
    this.to = to;
  }
  ask(): string {
    return `answer of ${this.to}`;
  }
}

/** Nodes that make, pass on and use what cannot be stored. */
class Shop {
  made = 0;
  restored: string[] = [];
  closed: string[] = [];
  stop = new AbortController();

  types(options: Partial<NodeType> = {}): readonly NodeType[] {
    const make = (type: string, rest: Partial<NodeType>): NodeType =>
      defineNode({
        type,
        category: 'test',
        description: 'Gives a connection, and puts it into a variable.',
        params: z.object({ to: z.string().default('here') }),
        outputs: ['line', 'pair', 'count'],
        effect: () => 'pure',
        run: async (ctx) => {
          this.made += 1;
          const line = new Connection(String(ctx.params.to));
          ctx.variables.set('line', line);
          return { outputs: { line, pair: { first: line, more: [() => line.to] }, count: this.made } };
        },
        ...rest,
      } as NodeType);
    return [
      make('MakeNode', options),
      make('DialNode', { effect: () => 'effect' }),
      make('ResumeNode', {
        restore: async (lost) => {
          for (const { name, kind, evidence, bringBack } of lost) {
            this.restored.push(`${kind} ${name} ${String(evidence.kind)}`);
            bringBack(new Connection('restored'), async () => void this.closed.push('restored'));
          }
        },
      }),
      defineNode({
        type: 'UseNode',
        category: 'test',
        description: 'Uses a connection.',
        params: z.object({ line: z.unknown().optional(), by: z.string().default('') }),
        outputs: ['answer', 'line'],
        effect: () => 'pure',
        run: async (ctx) => {
          const line = (ctx.params.by === '' ? ctx.params.line : ctx.variables.get(ctx.params.by)) as Connection;
          return { outputs: { answer: line instanceof Connection ? line.ask() : 'no connection', line } };
        },
      }),
      defineNode({
        type: 'OddNode',
        category: 'test',
        description: 'Gives every kind of value that is no JSON.',
        params: z.object({}),
        outputs: ['all', 'circle'],
        effect: () => 'pure',
        run: async () => {
          const circle: Record<string, unknown> = { name: 'circle' };
          circle.self = circle;
          const all = {
            when: new Date(0),
            big: 12n,
            nan: Number.NaN,
            bytes: Buffer.from('abc'),
            map: new Map(),
            hole: undefined,
          };
          return { outputs: { all, circle } };
        },
      }),
      defineNode({
        type: 'LookNode',
        category: 'test',
        description: 'Tells what it is given.',
        params: z.object({ all: z.unknown().optional(), circle: z.unknown().optional() }),
        outputs: ['kinds', 'isCircle'],
        effect: () => 'pure',
        run: async ({ params }) => {
          const circle = params.circle as Record<string, unknown>;
          return { outputs: { kinds: kindsOf(params.all), isCircle: circle?.self === circle } };
        },
      }),
      defineNode({
        type: 'CutNode',
        category: 'test',
        description: 'Suspends the run behind it.',
        params: z.object({}),
        outputs: [],
        effect: () => 'effect',
        run: async () => {
          this.stop.abort({ kind: 'suspend', reason: 'restart' });
          return {};
        },
      }),
    ];
  }

  async through(spec: FileSpec, setup: RunSetup & { readonly make?: Partial<NodeType> } = {}): Promise<TestRun> {
    const { make, journal = new TestJournal(), ...rest } = setup;
    const types = this.types(make);
    const first = await runFile(spec, { types, journal, signal: this.stop.signal, ...rest });
    expect(first.end.status).toBe('suspended');
    this.stop = new AbortController();
    return runFile(spec, { types, journal, ...rest });
  }
}

function kindsOf(all: unknown): JsonObject {
  return Object.fromEntries(
    Object.entries(all as object).map(([key, value]) => [
      key,
      typeof value === 'object' && value !== null
        ? `${value.constructor.name} ${String(value)}`
        : `${typeof value} ${String(value)}`,
    ]),
  );
}

const direct: FileSpec = {
  nodes: { make: ['MakeNode', { to: '{{where}}' }], use: ['UseNode'] },
  connect: ['make -> use', 'make.line => use.line'],
  variables: { where: 'there' },
};

function cut(use: JsonObject = {}, make: JsonObject = {}, type = 'MakeNode'): FileSpec {
  return {
    nodes: { make: [type, { to: '{{where}}', ...make }], cut: ['CutNode'], use: ['UseNode', use] },
    connect: ['make -> cut -> use', 'make.line => use.line'],
    variables: { where: 'there' },
  };
}

function errorOf(run: TestRun): { readonly code: string; readonly message: string; readonly node_id: string | null } {
  if (run.end.status !== 'failed') throw new Error(`the run is ${run.end.status}`);
  return run.end.error;
}

describe('a value that cannot be stored', () => {
  it('reaches the node that reads it as it is, and stands in the journal by its name', async () => {
    const journal = new TestJournal();
    const run = await runFile(direct, { types: new Shop().types(), journal });
    expect(run.outputs.use?.answer).toBe('answer of there');
    const made = journal.entries.find((entry) => entry.kind === 'result' && entry.node_id === 'make');
    expect(made).toMatchObject({
      unstorable: true,
      outputs: {
        line: { kind: 'Connection', node: 'make', place: 'output', name: 'line', path: '' },
        pair: { first: { kind: 'Connection' }, more: [{ kind: 'function', name: 'pair', path: '.more[0]' }] },
        count: 1,
      },
    });
  });

  it('is one item of a loop, whatever it is, and is there in the loop', async () => {
    const spec: FileSpec = {
      nodes: { make: ['MakeNode'], loop: ['ForLoopStartNode', { items: '{{make.line}}' }], use: ['UseNode'] },
      connect: ['make -> loop.body -> use', 'loop.current_item => use.line'],
    };
    const journal = new TestJournal();
    const run = await runFile(spec, { types: new Shop().types(), journal });
    expect(run.outputs.use?.answer).toBe('answer of here');
    expect(journal.entries.filter((entry) => entry.kind === 'result' && entry.node_id === 'use')).toHaveLength(1);
  });

  it('keeps the name of its maker when another node passes it on', async () => {
    const journal = new TestJournal();
    await runFile(direct, { types: new Shop().types(), journal });
    const used = journal.entries.find((entry) => entry.kind === 'result' && entry.node_id === 'use');
    expect(used).toMatchObject({ outputs: { line: { node: 'make', name: 'line' } } });
  });

  it('may be of any kind, and what a text can bring back needs no node after a restart', async () => {
    const spec: FileSpec = {
      nodes: {
        odd: ['OddNode'],
        look: ['LookNode'],
        say: [
          'SetVariableNode',
          { variable_name: 'said', value: 'at {{odd.all.when}}, {{odd.all.big}}, {{odd.all.bytes}}' },
        ],
        keep: ['SetVariableNode', { variable_name: 'when', value: '{{odd.all.when}}' }],
        cut: ['CutNode'],
        late: ['LookNode', { all: { when: '{{when}}', big: '{{odd.all.big}}', nan: '{{odd.all.nan}}' } }],
      },
      connect: ['odd -> look -> say -> keep -> cut -> late', 'odd.all => look.all', 'odd.circle => look.circle'],
    };
    const { end, outputs, variables } = await new Shop().through(spec);
    expect(end.status).toBe('completed');
    const kept = { when: `Date ${String(new Date(0))}`, big: 'bigint 12', nan: 'number NaN' };
    expect(outputs.look).toEqual({ kinds: { ...kept, bytes: 'Buffer abc', map: 'Map [object Map]' }, isCircle: true });
    expect(outputs.late?.kinds).toEqual(kept);
    expect(variables.said).toBe('at 1970-01-01T00:00:00.000Z, 12, [Buffer]');
  });
});

describe('after a restart, a node that reads one', () => {
  it('fails with an error that names node, output, kind and remedy', async () => {
    const run = await new Shop().through(cut());
    expect(errorOf(run)).toMatchObject({
      code: 'VALUE_LOST',
      node_id: 'use',
      details: { node: 'make', output: 'line', kind: 'Connection' },
    });
    expect(errorOf(run).message).toMatch(/the output "line" of the node "make" \(Connection\).*"unstorable": "rerun"/);
  });

  it.each([
    ['its type', {}, { make: { unstorable: 'rerun' } as Partial<NodeType> }],
    ['its config', { unstorable: 'rerun' }, {}],
  ])('gets it from the node that made it, run again because %s says so', async (_who, config, setup) => {
    const shop = new Shop();
    const run = await shop.through(cut({}, config), setup);
    expect(run.end.status).toBe('completed');
    expect(run.outputs.use?.answer).toBe('answer of there');
    expect(shop.made).toBe(2);
    expect(run.outputs.make?.count).toBe(1);
    expect(run.lines.join()).toMatch(/"make" runs again/);
  });

  it('has no node run again that has an effect, or would be given other inputs, or whose config forbids it', async () => {
    const dial = await new Shop().through(cut({}, { unstorable: 'rerun' }, 'DialNode'));
    expect(errorOf(dial).message).toMatch(/has an effect/);
    const moved: FileSpec = {
      nodes: {
        make: ['MakeNode', { to: '{{where}}', unstorable: 'rerun' }],
        move: ['SetVariableNode', { variable_name: 'where', value: 'elsewhere' }],
        cut: ['CutNode'],
        use: ['UseNode'],
      },
      connect: ['make -> move -> cut -> use', 'make.line => use.line'],
      variables: { where: 'there' },
    };
    expect(errorOf(await new Shop().through(moved)).message).toMatch(/other inputs/);
    const forbidden = await new Shop().through(cut({}, { unstorable: 'fail' }), { make: { unstorable: 'rerun' } });
    expect(errorOf(forbidden).code).toBe('VALUE_LOST');
  });

  it('gets it from its type, if that restores it; what was restored is closed with the job', async () => {
    const shop = new Shop();
    const run = await shop.through(cut({}, {}, 'ResumeNode'));
    expect(run.outputs.use?.answer).toBe('answer of restored');
    expect(shop.restored).toEqual(['output line Connection']);
    expect([shop.made, shop.closed]).toEqual([1, ['restored']]);
  });

  it('can catch the error, and finds a variable as it finds an output', async () => {
    const spec: FileSpec = {
      nodes: {
        make: ['MakeNode'],
        cut: ['CutNode'],
        attempt: ['TryNode'],
        use: ['UseNode', { by: 'line' }],
        caught: ['CatchNode', { paired_try_id: 'attempt' }],
        say: ['MarkNode', { mark: '{{caught.error_type}}' }],
        again: ['MakeNode'],
        last: ['UseNode', { line: '{{line}}' }],
      },
      connect: [
        'make -> cut -> attempt.try_body -> use',
        'attempt.catch -> caught',
        'caught.catch_body -> say -> again -> last',
      ],
    };
    const run = await new Shop().through(spec);
    expect(run.end.status).toBe('completed');
    expect(run.world.marks).toEqual(['ValueLostError']);
    expect(run.outputs.last?.answer).toBe('answer of here');
  });

  it('gets those of the present turn of a loop, and of its own branch', async () => {
    const loop: FileSpec = {
      nodes: {
        loop: ['ForLoopStartNode', { items: ['a', 'b', 'c'] }],
        make: ['MakeNode', { to: '{{item}}', unstorable: 'rerun' }],
        cut: ['CutNode'],
        use: ['UseNode'],
        mark: ['MarkNode', { mark: '{{use.answer}}' }],
      },
      connect: ['loop.body -> make -> cut -> use -> mark', 'make.line => use.line'],
    };
    const shop = new Shop();
    const [types, journal] = [shop.types(), new TestJournal([], 4)];
    const marks: unknown[] = [];
    for (let session = 0; session < 4; session += 1) {
      shop.stop = new AbortController();
      const run = await runFile(loop, { types, journal, signal: shop.stop.signal });
      marks.push(...run.world.marks);
    }
    expect(marks).toEqual(['answer of a', 'answer of b', 'answer of c']);
    const each: FileSpec = {
      nodes: {
        each: ['ParallelForEachNode', { items: ['a', 'b', 'c'] }],
        make: ['MakeNode', { to: '{{item}}', unstorable: 'rerun' }],
        cut: ['CutNode'],
        use: ['UseNode'],
      },
      connect: ['each.body -> make -> cut -> use', 'make.line => use.line'],
    };
    const side = await new Shop().through(each);
    expect(side.end.status).toBe('completed');
    const results = side.outputs.each?.results as readonly JsonObject[];
    expect(results.map(({ output }) => (output as JsonObject).answer)).toEqual([
      'answer of a',
      'answer of b',
      'answer of c',
    ]);
  });
});

it('values that nothing names any more are let go, and those that are named are not', async () => {
  const spec: FileSpec = {
    nodes: {
      first: ['MakeNode', { to: 'first' }],
      loop: ['ForLoopStartNode', { end: 1_200 }],
      make: ['MakeNode', { to: '{{item}}' }],
      use: ['UseNode'],
    },
    connect: ['first -> loop.body -> make', 'loop.completed -> use', 'first.line => use.line'],
  };
  const journal = new TestJournal();
  const entries: JournalEntry[] = [];
  const run = await runFile(spec, {
    types: new Shop().types(),
    journal: { load: () => journal.load(), commit: async (added) => void entries.push(...added) },
  });
  expect(run.outputs.use?.answer).toBe('answer of first');
});
