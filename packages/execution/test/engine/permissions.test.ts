/** A refused permission ends the run, whatever node and workflow make of it. */
import { expect, test } from 'vitest';
import { z } from 'zod';
import { createAccessPolicy } from '../../src/access/access-policy.ts';
import { defineNode } from '../../src/node-contract.ts';
import { runFile, TestJournal, World } from './harness.ts';

const greedy = (world: World) =>
  defineNode({
    type: 'GreedyNode',
    category: 'test',
    description: 'Wants something forbidden, and passes over the refusal if told so.',
    params: z.object({
      want: z.enum(['path', 'command', 'host']).default('path'),
      swallow: z.boolean().default(false),
    }),
    outputs: ['got'],
    effect: () => 'effect',
    run: async (ctx) => {
      try {
        if (ctx.params.want === 'path') ctx.resolvePath('/etc/passwd');
        else if (ctx.params.want === 'command') ctx.access.requireCommand('sh');
        else ctx.access.requireNetwork({ host: '127.0.0.1', port: 80 });
        world.marks.push('got it');
      } catch (error) {
        if (!ctx.params.swallow) throw error;
      }
      return { outputs: { got: false } };
    },
  });

const denied = { status: 'failed', error: { code: 'PERMISSION_DENIED', category: 'permanent', node_id: 'greedy' } };

test.each(['path', 'command', 'host'])('a refused %s fails the node and the run', async (want) => {
  const world = new World();
  const run = await runFile({ nodes: { greedy: ['GreedyNode', { want }] } }, { world, types: [greedy(world)] });
  expect(run.end).toMatchObject(denied);
  expect(world.marks).toEqual([]);
});

test('a node that swallows the refusal has failed all the same', async () => {
  const world = new World();
  const spec = {
    nodes: { greedy: ['GreedyNode', { swallow: true }], next: ['MarkNode'] },
    connect: ['greedy -> next'],
  } as const;
  const run = await runFile(spec, { world, types: [greedy(world)] });
  expect(run.end).toMatchObject(denied);
  expect(world.marks).toEqual([]);
});

test('no catch takes it; finally bodies run', async () => {
  const world = new World();
  const spec = {
    nodes: {
      try: ['TryNode', { paired_catch_id: 'catch', paired_finally_id: 'finally' }],
      greedy: ['GreedyNode', {}],
      catch: ['CatchNode', { paired_try_id: 'try' }],
      caught: ['MarkNode', { mark: 'caught' }],
      finally: ['FinallyNode', { paired_try_id: 'try' }],
      tidied: ['MarkNode', { mark: 'tidied' }],
      after: ['MarkNode', { mark: 'after' }],
    },
    connect: ['try.try_body -> greedy', 'catch.catch_body -> caught', 'finally.finally_body -> tidied', 'try -> after'],
  } as const;
  const run = await runFile(spec, { world, types: [greedy(world)] });
  expect(run.end).toMatchObject(denied);
  expect(world.marks).toEqual(['tidied']);
});

test.each([
  ['stop_on_error: false', { settings: { stop_on_error: false } }, {}],
  ['settings.retry_count', { settings: { retry_count: 3 } }, {}],
  ['its own retry_count', {}, { retry_count: 3, retry_interval: 1 }],
])('%s does not pass over it', async (_name, parts, config) => {
  const world = new World();
  const spec = {
    nodes: { greedy: ['GreedyNode', config], next: ['MarkNode'] },
    connect: ['greedy -> next'],
    ...parts,
  } as const;
  const journal = new TestJournal();
  const run = await runFile(spec, { world, types: [greedy(world)], journal });
  expect(run.end).toMatchObject(denied);
  expect(world.marks).toEqual([]);
  expect(journal.entries.filter(({ kind }) => kind === 'intent')).toHaveLength(1);
});

test('what the operator allows is allowed', async () => {
  const world = new World();
  const access = createAccessPolicy({ allowPaths: ['/etc'], allowCommands: ['sh'], allowNet: ['127.0.0.1'] });
  const spec = {
    nodes: {
      a: ['GreedyNode', { want: 'path' }],
      b: ['GreedyNode', { want: 'command' }],
      c: ['GreedyNode', { want: 'host' }],
    },
    connect: ['a -> b -> c'],
  } as const;
  const run = await runFile(spec, { world, types: [greedy(world)], access });
  expect(run.end.status).toBe('completed');
  expect(world.marks).toEqual(['got it', 'got it', 'got it']);
});

test('a refusal is final for a resumed run, too', async () => {
  const world = new World();
  const journal = new TestJournal();
  const spec = { nodes: { greedy: ['GreedyNode', {}] } } as const;
  await runFile(spec, { world, types: [greedy(world)], journal });
  const again = await runFile(spec, { world, types: [greedy(world)], journal });
  expect(again.end).toMatchObject(denied);
});

test('a branch that is refused ends its siblings, too', async () => {
  const world = new World();
  const spec = {
    nodes: {
      fork: ['ForkNode', { branch_count: 2, paired_join_id: 'join' }],
      hang: ['HangNode'],
      greedy: ['GreedyNode', {}],
      join: ['JoinNode', { paired_fork_id: 'fork' }],
      after: ['MarkNode'],
    },
    connect: ['fork.branch_1 -> hang -> join', 'fork.branch_2 -> greedy -> join', 'join -> after'],
  } as const;
  const run = await runFile(spec, { world, types: [greedy(world)] });
  expect(run.end).toMatchObject(denied);
  expect(world.running.size).toBe(0);
  expect(world.marks).toEqual([]);
});
