/** What becomes of secrets in a run: they work, and wherever they or what is made of them is recorded, it is marked. */
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { JournalEntry } from '../../src/engine/journal.ts';
import { HIDDEN, withHidden } from '../../src/engine/secrecy/secret-path.ts';
import { NodeError } from '../../src/errors.ts';
import type { JsonObject, JsonValue } from '../../src/json.ts';
import { defineNode, type NodeType } from '../../src/node-contract.ts';
import { type FileSpec, runFile, TestJournal, type TestRun } from './harness.ts';

const secret = 'pa$$ "w/rd" 271828';
const base64 = Buffer.from(secret).toString('base64');
const reversed = [...secret].reverse().join('');

/** What it makes of its text. */
const shapes: Readonly<Record<string, (text: string) => JsonValue>> = {
  same: (text) => text,
  base64: (text) => Buffer.from(text).toString('base64'),
  hex: (text) => Buffer.from(text).toString('hex'),
  reversed: (text) => [...text].reverse().join(''),
  length: (text) => text.length,
};

const makeNode: NodeType = defineNode({
  type: 'MakeNode',
  category: 'test',
  description: 'Makes a value of a text.',
  params: z.object({ text: z.string().default(''), shape: z.string().default('reversed') }),
  outputs: ['value', 'done'],
  effect: () => 'pure',
  run: async ({ params }) => ({ outputs: { value: shapes[params.shape]?.(params.text) ?? null, done: true } }),
});

const askNode: NodeType = defineNode({
  type: 'AskNode',
  category: 'test',
  description: 'Asks somebody, who answers with open data and an echo of the header.',
  params: z.object({ header: z.string().default('') }),
  outputs: ['answer', 'echo', 'status'],
  outputsFrom: 'world',
  effect: () => 'effect',
  prepare: async ({ params }) => ({ header: params.header }),
  run: async ({ params }) => ({
    outputs: { answer: { invoices: ['2026-001'] }, echo: { headers: [params.header] }, status: 2_000 },
  }),
});

const refuseNode: NodeType = defineNode({
  type: 'RefuseNode',
  category: 'test',
  description: 'Fails with its text, and logs it.',
  params: z.object({ text: z.string() }),
  outputs: [],
  effect: () => 'pure',
  run: async (ctx) => {
    ctx.log.log('info', `using ${ctx.params.text}`, { text: ctx.params.text });
    throw new NodeError(`refused ${ctx.params.text}`, { code: 'REFUSED', details: { text: ctx.params.text } });
  },
});

const credentialNode: NodeType = defineNode({
  type: 'CredentialNode',
  category: 'test',
  description: 'Fetches a secret itself.',
  params: z.object({ name: z.string() }),
  outputs: ['login'],
  effect: () => 'pure',
  run: async (ctx) => ({ outputs: { login: `user:${await ctx.secrets.get(ctx.params.name)}` } }),
});

const types = [makeNode, askNode, refuseNode, credentialNode];
const secrets = { get: async (id: string) => (id === 'key' ? secret : undefined) };

function run(spec: FileSpec, journal = new TestJournal(), rest: JsonObject = {}): Promise<TestRun> {
  return runFile(spec, { types, secrets, journal, ...rest });
}

/** What a store writes in the open. */
function openText(entries: readonly JournalEntry[]): string {
  return JSON.stringify(entries.map((entry) => withHidden(entry, entry.secret)));
}

function expectSealed(entries: readonly JournalEntry[]): void {
  const text = openText(entries);
  for (const form of [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret), base64, reversed]) {
    expect(text).not.toContain(form);
  }
  expect(text).not.toContain(Buffer.from(secret).toString('hex'));
}

const flow: FileSpec = {
  nodes: {
    auth: ['SetVariableNode', { variable_name: 'auth', value: 'Bearer {{$secret:key}}' }],
    url: ['SetVariableNode', { variable_name: 'url', value: 'http://127.0.0.1/?a={{auth}}&b=1' }],
    turn: ['MakeNode', { text: '{{auth}}', shape: 'reversed' }],
    pack: ['MakeNode', { text: '{{$secret:key}}', shape: 'base64' }],
    digits: ['MakeNode', { text: '{{turn.value}}', shape: 'hex' }],
    count: ['MakeNode', { text: '{{auth}}', shape: 'length' }],
    keep: ['SetVariableNode', { variable_name: 'kept', value: ['{{turn.value}}', 'open'], variable_type: 'List' }],
    upper: ['EvalExpressionNode', { expression: 'upper(auth) + "!"' }],
    login: ['CredentialNode', { name: 'key' }],
    ask: ['AskNode', { header: '{{auth}}' }],
    plain: ['SetVariableNode', { variable_name: 'invoices', value: '{{ask.answer.invoices}}', variable_type: 'List' }],
    mark: ['MarkNode', { mark: '{{kept}}' }],
  },
  connect: ['auth -> url -> turn -> pack -> digits -> count -> keep -> upper -> login -> ask -> plain -> mark'],
};

describe('a secret and what is made of it', () => {
  it('is nowhere open in the journal, and the workflow works with the values', async () => {
    const journal = new TestJournal([], 3);
    const { end, world, outputs, variables } = await run(flow, journal);
    expect(end.status).toBe('completed');
    expect(journal.entries.some(({ kind }) => kind === 'snapshot')).toBe(true);
    expectSealed(journal.entries);
    const turned = [...`Bearer ${secret}`].reverse().join('');
    expect(world.marks).toEqual([[turned, 'open']]);
    expect(outputs.upper?.result).toBe(`BEARER ${secret.toUpperCase()}!`);
    expect(openText(journal.entries)).not.toContain(secret.toUpperCase());
    expect(openText(journal.entries)).not.toContain(turned);
    expect(variables.auth).toBe(`Bearer ${secret}`);
  });

  it('is told apart from what is not: answers, lists beside it, truth values and counts stay open', async () => {
    const journal = new TestJournal();
    const report = await run(flow, journal);
    const shown = withHidden({ variables: report.variables, outputs: report.outputs }, report.secret);
    expect(shown.variables).toEqual({ auth: HIDDEN, url: HIDDEN, kept: [HIDDEN, 'open'], invoices: ['2026-001'] });
    expect(shown.outputs.ask).toEqual({
      answer: { invoices: ['2026-001'] },
      echo: { headers: [HIDDEN] },
      status: 2_000,
    });
    expect(shown.outputs.count).toEqual({ value: secret.length + 7, done: true });
    expect(shown.outputs.login).toEqual({ login: HIDDEN });
    expect(openText(journal.entries)).toContain('2026-001');
  });

  it('is hidden whether a key of its path is a number or its text', () => {
    const value = { list: ['a', 'b'], 5: 'c' };
    const hidden = withHidden(value, [['list', '1'], [5], ['list', 'length']]);
    expect(hidden).toEqual({ list: ['a', HIDDEN], 5: HIDDEN });
  });

  it('is still known after a restart, before it is resolved again', async () => {
    for (let dies = 2; dies < 13; dies += 1) {
      const journal = new TestJournal([], dies % 2 === 0 ? 2 : undefined);
      journal.afterCommit = (commit) => {
        if (commit === dies) throw new Error('the process died');
      };
      expect((await run(flow, journal)).end.status).toBe('suspended');
      journal.afterCommit = () => undefined;
      const resumed = await run(flow, journal, { inDoubtPolicy: 'retry' });
      expect(resumed.end.status).toBe('completed');
      expectSealed(journal.entries);
      const shown = withHidden({ variables: resumed.variables }, resumed.secret);
      expect(shown.variables).toMatchObject({ auth: HIDDEN, url: HIDDEN, kept: [HIDDEN, 'open'] });
    }
  });

  it('goes through loops, branches and sub-workflows without being lost sight of', async () => {
    const journal = new TestJournal([], 4);
    const spec: FileSpec = {
      nodes: {
        list: ['SetVariableNode', { variable_name: 'list', value: ['{{$secret:key}}', 'open'], variable_type: 'List' }],
        loop: ['ForLoopStartNode', { items: '{{list}}' }],
        turn: ['MakeNode', { text: '{{item}}', shape: 'reversed' }],
        each: ['ParallelForEachNode', { items: '{{list}}', item_var: 'one' }],
        hex: ['MakeNode', { text: '{{one}}', shape: 'hex' }],
        mark: ['MarkNode', { mark: '{{each.results}}' }],
      },
      connect: ['list -> loop.body -> turn', 'loop.completed -> each.body -> hex', 'each.completed -> mark'],
    };
    const { end } = await run(spec, journal);
    expect(end.status).toBe('completed');
    expectSealed(journal.entries);
    const turns = journal.entries.flatMap((entry) =>
      entry.kind === 'result' && entry.node_id === 'turn' ? [withHidden(entry, entry.secret).outputs.value] : [],
    );
    expect(turns).toEqual([HIDDEN, 'nepo']);
  });

  it('is in no error, log line or outcome', async () => {
    const journal = new TestJournal();
    const spec: FileSpec = {
      nodes: { turn: ['MakeNode', { text: '{{$secret:key}}' }], fail: ['RefuseNode', { text: 'x {{turn.value}}' }] },
      connect: ['turn -> fail'],
    };
    const report = await run(spec, journal);
    expect(report.end).toMatchObject({ status: 'failed', error: { message: `refused x ${HIDDEN}`, code: 'REFUSED' } });
    expect(report.lines).toEqual([`info: using x ${HIDDEN}`]);
    expectSealed(journal.entries);
    expect(JSON.stringify(report.errors)).not.toContain(reversed);
  });

  it('is in no name: of a variable, in the code or type of an error, or of its causes', async () => {
    const journal = new TestJournal([], 2);
    const spec: FileSpec = {
      nodes: {
        named: ['SetVariableNode', { variable_name: 'for {{$secret:key}}', value: 'open' }],
        name: ['GiveNode', { value: { '{{$secret:key}}': 1 } }],
        fail: ['FailNode', { message: 'no', code: 'E{{$secret:key}}', error_type: 'T{{$secret:key}}' }],
      },
      connect: ['named -> name -> fail'],
    };
    const report = await run(spec, journal);
    expect(report.end).toMatchObject({ status: 'failed', error: { code: `E${HIDDEN}`, error_type: `T${HIDDEN}` } });
    expect(report.variables).toEqual({ [`for ${secret}`]: 'open' });
    expect(withHidden({ variables: report.variables }, report.secret)).toEqual({ variables: HIDDEN });
    expectSealed(journal.entries);
    expect(JSON.stringify(report.errors)).not.toContain('271828');
  });

  it('is known as long as the state holds it, however many texts were derived since', async () => {
    const journal = new TestJournal();
    const spec: FileSpec = {
      nodes: {
        early: ['MakeNode', { text: '{{$secret:key}}', shape: 'reversed' }],
        loop: ['ForLoopStartNode', { end: 1_100 }],
        turn: ['MakeNode', { text: '{{item}} {{$secret:key}}', shape: 'reversed' }],
        late: ['SetVariableNode', { variable_name: 'late', value: '{{early.value}}!' }],
      },
      connect: ['early -> loop.body -> turn', 'loop.completed -> late'],
    };
    const report = await run(spec, journal);
    expect(report.variables.late).toBe(`${reversed}!`);
    expect(withHidden({ variables: report.variables }, report.secret).variables.late).toBe(HIDDEN);
    expectSealed(journal.entries);
  });
});

it('a run without secrets marks nothing', async () => {
  const journal = new TestJournal();
  await run(
    { nodes: { a: ['MakeNode', { text: 'abcdef' }], b: ['MarkNode', { mark: '{{a.value}}' }] }, connect: ['a -> b'] },
    journal,
  );
  expect(journal.entries.filter((entry) => 'secret' in entry)).toEqual([]);
});
