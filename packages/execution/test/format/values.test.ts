/** The rules of the format page's part on values, one by one. */
import { ManualClock } from '@casare/testing';
import { describe, expect, it } from 'vitest';
import type { JsonObject, JsonValue } from '../../src/json.ts';
import { type FileSpec, runFile } from '../engine/harness.ts';
import { file, findingsOf } from '../model/sample-nodes.ts';

/** What a MarkNode makes of a config value. */
async function resolved(mark: JsonValue, variables: JsonObject = {}): Promise<JsonValue | undefined> {
  const run = await runFile(
    {
      nodes: { give: ['GiveNode', { value: { a: [{ b: 'deep' }] } }], see: ['MarkNode', { mark }] },
      connect: ['give -> see'],
      variables,
    },
    {
      clock: new ManualClock({ startAtMs: new Date(2025, 2, 9, 8, 5, 0).getTime() }),
    },
  );
  return run.world.marks[0];
}

async function truth(condition: JsonValue, variables: JsonObject = {}): Promise<boolean | string> {
  const run = await runFile({
    nodes: { if: ['IfNode', { condition }], yes: ['MarkNode', { mark: 'yes' }] },
    connect: ['if.true -> yes'],
    variables,
  });
  return run.end.status === 'failed' ? run.end.error.code : run.world.marks.length > 0;
}

describe('an input', () => {
  it('is taken from its connection, else from config, else from the default; any may be given in config', async () => {
    const spec = (connect: string[], config: JsonObject): FileSpec => ({
      nodes: { give: ['GiveNode', { value: 5 }], add: ['IncrementVariableNode', { variable_name: 'n', ...config }] },
      connect: ['give -> add', ...connect],
    });
    const n = async (connect: string[], config: JsonObject) => (await runFile(spec(connect, config))).variables.n;
    expect(await n(['give.value => add.increment'], { increment: 3 })).toBe(5);
    expect(await n([], { increment: 3 })).toBe(3);
    expect(await n([], {})).toBe(1);
  });
});

describe('outputs', () => {
  it('of executed nodes are kept as node_id.port, in a loop the latest', async () => {
    const run = await runFile({
      nodes: {
        each: ['ForLoopStartNode', { items: [1, 2] }],
        give: ['GiveNode', { value: '{{each.current_item}}' }],
        see: ['MarkNode', { mark: '{{give.value}}' }],
      },
      connect: ['each.body -> give', 'each.completed -> see'],
    });
    expect(run.world.marks).toEqual([2]);
  });
});

describe('templates', () => {
  it.each<[string, JsonValue, JsonValue]>([
    ['{{name}}', '{{who}}', 'Ada'],
    ['{{node_id.port}} and paths', '{{give.value.a[0].b}}', 'deep'],
    ['${name} where such a variable exists', 'hi ${who}, not ${nobody}', 'hi Ada, not ${nobody}'],
    ['%name% where such a variable exists', 'hi %who%, not %nobody%', 'hi Ada, not %nobody%'],
    ['keep the type of a value that is all there is', '{{list}}', [1, { x: null }]],
    [
      'write values into text as text, structures as JSON',
      'l={{list}} f={{yes}} n={{nil}}',
      'l=[1,{"x":null}] f=true n=',
    ],
    ['leave an unknown reference as it is written', 'a {{nobody}} b', 'a {{nobody}} b'],
    ['are found inside of lists and objects', { k: ['{{who}}'] }, { k: ['Ada'] }],
    ['know $currentDate', '{{$currentDate}}', '2025-03-09'],
    ['know $currentTime', '{{$currentTime}}', '08:05:00'],
    ['know $currentDateTime', '{{$currentDateTime}}', '2025-03-09T08:05:00'],
    ['know $timestamp, as a number', '{{$timestamp}}', Math.floor(new Date(2025, 2, 9, 8, 5, 0).getTime() / 1_000)],
  ])('%s', async (_words, written, meant) => {
    expect(await resolved(written, { who: 'Ada', list: [1, { x: null }], yes: true, nil: null })).toEqual(meant);
  });

  it('report an unknown reference once, as a warning', async () => {
    const run = await runFile({
      nodes: { each: ['ForLoopStartNode', { items: [1, 2] }], see: ['MarkNode', { mark: '{{nobody}} {{nobody}}' }] },
      connect: ['each.body -> see'],
    });
    expect(run.lines.filter((line) => line.includes('nobody'))).toHaveLength(1);
    expect(run.lines[0]).toMatch(/^warning/);
  });

  it('take secrets by reference', async () => {
    const spec: FileSpec = { nodes: { see: ['MarkNode', { mark: 'key {{$secret:api}}' }] } };
    const run = await runFile(spec, { secrets: { get: async (id) => (id === 'api' ? 's3cret' : undefined) } });
    expect(run.world.marks).toEqual(['key s3cret']);
  });

  it('with an unknown port of a known node are a validation error with the nearest name', () => {
    const source = file(
      { a: ['WriteFileNode', { file_path: 'x' }], b: ['LogNode', { message: '{{a.byte_written}}' }] },
      ['a -> b'],
    );
    expect(findingsOf(source)).toMatchObject([{ code: 'UNKNOWN_REFERENCE', suggestion: 'bytes_written' }]);
  });
});

describe('conditions and expressions', () => {
  const variables = {
    n: 3,
    list: [1, 2, 3],
    who: 'Ada',
    evil: '__import__("os")',
    quote: '" or true or "',
    flag: 'no',
  };

  it.each<[JsonValue, boolean | string]>([
    [true, true],
    [false, false],
    ['{{n}} > 2 and not {{n}} > 3', true],
    ['{{n}} > 2 && !({{n}} > 3)', true],
    ['{{n}} == 4 || {{n}} == 3', true],
    ['{{n}} * 2 + 1 == 7', true],
    ['2 in {{list}}', true],
    ['5 not in {{list}}', true],
    ['{{list}}[0] == 1', true],
    ['{{list}}[-1] == 3', true],
    ['len({{who}}) == 3 and lower({{who}}) == "ada"', true],
    ['contains(upper({{who}}), "DA")', true],
    ['int("7") == 7 and float("0.5") == 0.5 and str(7) == "7"', true],
    ['True and not False and None == null', true],
    ['true and not false', true],
    ['{{flag}}', false],
    ['false', false],
    ['0', false],
    ['no', false],
    ['', false],
    ['{{who}}', true],
    // Bound, not pasted: what a value holds is never read as an expression.
    ['{{quote}} == "x"', false],
    ['{{evil}} == "x"', false],
    // An evaluation error fails the node; it is never taken as false.
    ['{{n}} / 0 > 1', 'EXPRESSION_ERROR'],
    ['{{who}} < 3', 'EXPRESSION_ERROR'],
  ])('%j is %j', async (condition, meant) => {
    expect(await truth(condition, variables)).toBe(meant);
  });

  it.each(['constructor.constructor("return 1")()', 'process.exit()', '__import__("os")', 'x => x'])(
    'nothing but the listed functions can be called: %s',
    async (text) => {
      const found = findingsOf(file({ a: ['IfNode', { condition: text }] }));
      expect(found.length === 0 ? await truth(text) : found[0]?.code).toMatch(/EXPRESSION/);
    },
  );

  it('slices are as in Python, negative from the end', async () => {
    expect(await truth('{{list}}[-2:] == [2, 3] and {{who}}[:2] == "Ad"', variables)).toBe(true);
  });
});
