/** What is known of a run where a node fails, and that looking at it changes nothing. */
import { ManualClock } from '@casare/testing';
import { expect, it } from 'vitest';
import { z } from 'zod';
import type { FailureView } from '../../src/engine/run-evidence.ts';
import { defineNode } from '../../src/node-contract.ts';
import { advanceUntil, type FileSpec, runFile, TestJournal } from './harness.ts';

const opener = defineNode({
  type: 'OpenNode',
  category: 'test',
  description: 'Opens something that the run has to close.',
  params: z.object({ key: z.string().default('') }),
  outputs: [],
  effect: () => 'pure',
  run: async (ctx) => {
    ctx.resources.put('thing', 'open', async () => undefined);
    return {};
  },
});

const closer = defineNode({
  type: 'CloseNode',
  category: 'test',
  description: 'Closes it.',
  params: z.object({}),
  outputs: [],
  effect: () => 'pure',
  run: async (ctx) => {
    await ctx.resources.close('thing');
    return {};
  },
});

const spec: FileSpec = {
  nodes: {
    start: ['StartNode'],
    open: ['OpenNode', { key: '{{$secret:api}}' }],
    try: ['TryNode', { paired_finally_id: 'finally' }],
    fail: ['FailNode', { message: 'refused {{$secret:api}}' }],
    finally: ['FinallyNode', { paired_try_id: 'try' }],
    close: ['CloseNode'],
    end: ['EndNode'],
  },
  connect: ['start -> open -> try.try_body -> fail', 'finally.finally_body -> close', 'close -> end'],
};
const setup = { types: [opener, closer], secrets: { get: async () => 'planted' } };

it('a failure is looked at while what the run holds is open, without secrets, and when it is durable', async () => {
  const journal = new TestJournal();
  const views: (FailureView & { readonly recorded: boolean })[] = [];
  const evidence = {
    nodeFailed: async (view: FailureView) => {
      views.push({ ...view, recorded: journal.entries.some(({ kind }) => kind === 'failure') });
    },
  };
  const run = await runFile(spec, { ...setup, journal, evidence });
  expect(run.end).toMatchObject({ status: 'failed', error: { node_id: 'fail' } });
  expect(views).toMatchObject([
    {
      jobId: 'job-1',
      recorded: true,
      error: { node_id: 'fail', message: 'refused [redacted]' },
      causes: [{ message: 'refused [redacted]' }],
      lastNodes: [
        { node_id: 'start' },
        { node_id: 'open', inputs: { key: '{{$secret:api}}' } },
        { node_id: 'try' },
        { node_id: 'fail', inputs: { message: 'refused {{$secret:api}}' } },
      ],
      resources: [{ kind: 'thing', name: null, value: 'open' }],
    },
  ]);
});

it.each([
  ['throws', async () => Promise.reject(new Error('no disk'))],
  ['never answers', () => new Promise<void>(() => undefined)],
])('who looks at it and %s changes neither the outcome nor what is recorded', async (_how, nodeFailed) => {
  const kinds = async (evidence?: { nodeFailed: () => Promise<void> }) => {
    const journal = new TestJournal();
    const clock = new ManualClock();
    const options = { ...setup, journal, clock, ...(evidence === undefined ? {} : { evidence }) };
    const run = await advanceUntil(clock, 1_000, runFile(spec, options));
    return { end: run.end.status, entries: journal.entries.map(({ kind }) => kind) };
  };
  expect(await kinds({ nodeFailed })).toEqual(await kinds());
});

it('errors that a region takes are looked at a few times only', async () => {
  let looks = 0;
  const loop: FileSpec = {
    nodes: {
      start: ['StartNode'],
      loop: ['ForLoopStartNode', { items: Array.from({ length: 50 }, (_, index) => index) }],
      try: ['TryNode'],
      fail: ['FailNode'],
      catch: ['CatchNode', { paired_try_id: 'try' }],
      end: ['EndNode'],
    },
    connect: ['start -> loop.body -> try.try_body -> fail', 'try.catch -> catch', 'loop.completed -> end'],
  };
  const nodeFailed = async (): Promise<void> => {
    looks += 1;
  };
  const run = await runFile(loop, { evidence: { nodeFailed } });
  expect(run.end.status).toBe('completed');
  expect(looks).toBe(3);
});

it('after a restart, what earlier processes ran is told from the journal, and the node that failed is always named', async () => {
  const nodes = (mark: string): FileSpec => ({
    nodes: { start: ['StartNode'], pay: ['MarkNode', { mark }], end: ['EndNode'] },
    connect: ['start -> pay -> end'],
  });
  const views: FailureView[] = [];
  const evidence = { nodeFailed: async (view: FailureView) => void views.push(view) };
  const journal = new TestJournal();
  journal.beforeCommit = () => {
    const before = journal.entries.at(-1);
    if (before?.kind === 'intent' && before.node_id === 'pay') throw new Error('the process died');
  };
  await runFile(nodes('42 EUR'), { journal, evidence });
  journal.beforeCommit = () => undefined;
  await runFile(nodes('42 EUR'), { journal, evidence, inDoubtPolicy: 'fail' });
  await runFile(nodes('{{$secret:missing}}'), { evidence, secrets: { get: async () => undefined } });
  expect(views.map(({ lastNodes }) => lastNodes)).toMatchObject([
    [
      { node_id: 'start', node_type: 'StartNode', inputs: null },
      { node_id: 'pay', node_type: 'MarkNode', step: 2, attempt: 1, inputs: { mark: '42 EUR' } },
    ],
    [{ node_id: 'start' }, { node_id: 'pay', attempt: 0, inputs: null }],
  ]);
});
