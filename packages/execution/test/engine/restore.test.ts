/** Live objects across restarts, and how many there may be. */
import { expect, test } from 'vitest';
import { z } from 'zod';
import type { JsonObject, JsonValue } from '../../src/json.ts';
import { defineNode, type NodeType } from '../../src/node-contract.ts';
import { type FileSpec, type RunSetup, runFile, TestJournal, type TestRun } from './harness.ts';

/** Connections of a job: opened, used, closed, and cut off with the process that had them. */
class Lines {
  opened: string[] = [];
  closed: string[] = [];
  restores = 0;
  failRestore = false;
  stop = new AbortController();

  types(): readonly NodeType[] {
    const connect = (name: string) => ({ name, said: [] as string[] });
    const closing = (name: string) => async (): Promise<void> => void this.closed.push(name);
    const params = z.object({ name: z.string().default('line'), secret: z.string().default('') });
    return [
      defineNode({
        type: 'OpenNode',
        category: 'test',
        description: 'Opens a connection.',
        params,
        outputs: ['line'],
        effect: () => 'pure',
        run: async (ctx) => {
          const { name } = ctx.params;
          this.opened.push(name);
          return {
            outputs: { line: ctx.resources.put('line', connect(name), closing(name), name, { name, place: 'start' }) },
          };
        },
        restore: async (lost, ctx) => {
          this.restores += 1;
          if (this.failRestore) throw new Error('the other side is gone');
          for (const { evidence, bringBack } of lost) {
            const name = `${String(evidence.name)} again at ${String(evidence.place)}${ctx.params.secret}`;
            bringBack(connect(name), closing(name));
          }
        },
      }),
      defineNode({
        type: 'UseNode',
        category: 'test',
        description: 'Uses a connection and moves it.',
        params: z.object({ line: z.unknown().optional(), place: z.string().default('') }),
        outputs: ['name'],
        effect: () => 'pure',
        run: async (ctx) => {
          const ref = (ctx.params.line ?? null) as JsonValue;
          const line = await ctx.resources.find<{ name: string }>('line', ref);
          if (ctx.params.place !== '') ctx.resources.note(ref, { name: line?.name ?? '', place: ctx.params.place });
          return { outputs: { name: line?.name ?? null } };
        },
      }),
      defineNode({
        type: 'CloseNode',
        category: 'test',
        description: 'Closes the newest connection.',
        params: z.object({}),
        outputs: ['found'],
        effect: () => 'pure',
        run: async (ctx) => ({ outputs: { found: await ctx.resources.close('line') } }),
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
}

async function runTwice(
  lines: Lines,
  spec: FileSpec,
  setup: RunSetup = {},
  journal = new TestJournal(),
): Promise<TestRun> {
  const types = lines.types();
  const first = await runFile(spec, { types, journal, signal: lines.stop.signal, ...setup });
  expect(first.end.status).toBe('suspended');
  lines.stop = new AbortController();
  return runFile(spec, { types, journal, ...setup });
}

const spec = (use: JsonObject = {}, connect: readonly string[] = []): FileSpec => ({
  nodes: { open: ['OpenNode'], cut: ['CutNode'], use: ['UseNode', use], again: ['UseNode', use] },
  connect: ['open -> cut -> use -> again', ...connect],
});

test('a resource from before a restart is restored once, for whoever asks first, under its old reference', async () => {
  const lines = new Lines();
  const run = await runTwice(lines, spec({}, ['open.line => use.line', 'open.line => again.line']));
  expect(run.outputs.use).toEqual({ name: 'line again at start' });
  expect(run.outputs.again).toEqual({ name: 'line again at start' });
  expect([lines.opened, lines.restores]).toEqual([['line'], 1]);
  expect(lines.closed).toEqual(['line', 'line again at start']);
});

test('without a reference the newest one is found, and what was noted about it is known', async () => {
  const lines = new Lines();
  const moving: FileSpec = {
    nodes: { open: ['OpenNode'], move: ['UseNode', { place: 'the end' }], cut: ['CutNode'], use: ['UseNode'] },
    connect: ['open -> move -> cut -> use', 'open.line => move.line'],
  };
  expect((await runTwice(lines, moving)).outputs.use).toEqual({ name: 'line again at the end' });
});

test('it survives snapshots, and its node parameters are read anew, secrets included', async () => {
  const lines = new Lines();
  const secret: FileSpec = {
    nodes: { open: ['OpenNode', { secret: '{{$secret:key}}' }], cut: ['CutNode'], use: ['UseNode'] },
    connect: ['open -> cut -> use'],
  };
  const journal = new TestJournal([], 1);
  const secrets = { get: async () => ' with the key' };
  const run = await runTwice(lines, secret, { secrets }, journal);
  expect(run.outputs.use).toEqual({ name: 'line again at start with the key' });
  const stored = journal.entries.filter(({ kind }) => kind !== 'result');
  expect(JSON.stringify(stored)).not.toContain('with the key');
});

test('what was closed is not restored, and closing what was lost only forgets it', async () => {
  const closed = new Lines();
  const before: FileSpec = {
    nodes: { open: ['OpenNode'], close: ['CloseNode'], cut: ['CutNode'], use: ['UseNode'] },
    connect: ['open -> close -> cut -> use'],
  };
  expect((await runTwice(closed, before)).outputs.use).toEqual({ name: null });
  const lost = new Lines();
  const after: FileSpec = {
    nodes: { open: ['OpenNode'], cut: ['CutNode'], close: ['CloseNode'], use: ['UseNode'] },
    connect: ['open -> cut -> close -> use'],
  };
  const run = await runTwice(lost, after);
  expect(run.outputs).toMatchObject({ close: { found: true }, use: { name: null } });
  expect(lost.restores).toBe(0);
});

test('a restore that fails fails the node that asked, naming the node that had opened it', async () => {
  const lines = new Lines();
  lines.failRestore = true;
  const run = await runTwice(lines, spec());
  expect(run.end).toMatchObject({ status: 'failed', error: { code: 'RESTORE_FAILED', node_id: 'use' } });
  expect((run.end as { error: { message: string } }).error.message).toMatch(/"open" .*the other side is gone/);
});

test('a job holds no more of a kind than it may; what is closed makes room', async () => {
  const lines = new Lines();
  const nodes: FileSpec['nodes'] = { a: ['OpenNode', { name: 'a' }], b: ['OpenNode', { name: 'b' }] };
  const limits = { line: 1, '*': 5 };
  const run = await runFile({ nodes, connect: ['a -> b'] }, { types: lines.types(), limits });
  expect(run.end).toMatchObject({
    status: 'failed',
    error: { code: 'RESOURCE_LIMIT', node_id: 'b', details: { kind: 'line', limit: 1 } },
  });
  expect(lines.closed.toSorted()).toEqual(['a', 'b']);
  const room = new Lines();
  const closing: FileSpec = { nodes: { ...nodes, close: ['CloseNode'] }, connect: ['a -> close -> b'] };
  expect((await runFile(closing, { types: room.types(), limits })).end.status).toBe('completed');
});
