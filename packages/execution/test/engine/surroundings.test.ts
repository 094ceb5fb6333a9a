import { eventually, ManualClock } from '@casare/testing';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createAccessPolicy } from '../../src/access/access-policy.ts';
import type { RunObserver } from '../../src/engine/run-options.ts';
import type { JsonValue } from '../../src/json.ts';
import { defineNode, type NodeContext, type NodeType } from '../../src/node-contract.ts';
import { type FileSpec, runFile, TestJournal, World } from './harness.ts';

/** A node that does what the test says. */
function acting(run: (ctx: NodeContext) => Promise<Record<string, JsonValue>>): NodeType {
  return defineNode({
    type: 'ActNode',
    category: 'test',
    description: 'Acts.',
    params: z.object({ ref: z.unknown().optional() }),
    outputs: ['ref', 'value'],
    effect: () => 'pure',
    run: async (ctx) => ({ outputs: await run(ctx) }),
  });
}

describe('variables', () => {
  it('are null for a node that has just set them to null, whatever they were', async () => {
    const seen: unknown[] = [];
    const type = acting(async (ctx) => {
      ctx.variables.set('kept', null);
      seen.push(ctx.variables.get('kept'), ctx.variables.has('kept'), ctx.variables.get('other'));
      return {};
    });
    await runFile({ nodes: { a: ['ActNode'] }, variables: { kept: 'before' } }, { types: [type] });
    expect(seen).toEqual([null, true, undefined]);
  });
});

describe('resources', () => {
  const opened: string[] = [];
  const open = (
    ctx: NodeContext,
    name: string,
    dispose = async (): Promise<void> => void opened.push(name),
  ): JsonValue => ctx.resources.put('browser', { name }, dispose, name);
  const twoNodes: FileSpec = { nodes: { a: ['ActNode'], b: ['ActNode'] }, connect: ['a -> b', 'a.ref => b.ref'] };

  it('are found by reference, by name, or the newest of the kind', async () => {
    const found: unknown[] = [];
    const type = acting(async (ctx) => {
      if (ctx.nodeId === 'a') {
        const ref = open(ctx, 'first');
        open(ctx, 'second');
        return { ref };
      }
      found.push(
        ctx.resources.get('browser', ctx.params.ref as JsonValue),
        ctx.resources.get('browser', 'first'),
        ctx.resources.get('browser'),
        ctx.resources.get('browser', { id: 'of another run' }),
        ctx.resources.get('page'),
      );
      expect(await ctx.resources.close('browser', 'second')).toBe(true);
      expect(await ctx.resources.close('browser', 'second')).toBe(false);
      found.push(ctx.resources.get('browser'));
      return {};
    });
    await runFile(twoNodes, { types: [type] });
    expect(found).toEqual([
      { name: 'first' },
      { name: 'first' },
      { name: 'second' },
      undefined,
      undefined,
      { name: 'first' },
    ]);
  });

  it.each([
    ['completed', 'none'],
    ['failed', 'fail'],
    ['cancelled', 'cancel'],
    ['suspended', 'suspend'],
  ])('are disposed, newest first, before the run is %s', async (status, how) => {
    opened.length = 0;
    const stopper = new AbortController();
    const journal = new TestJournal();
    const outcomeAtDisposal: boolean[] = [];
    const type = acting(async (ctx) => {
      for (const name of ['first', 'second']) {
        open(ctx, name, async () => {
          opened.push(name);
          outcomeAtDisposal.push(journal.entries.some((entry) => entry.kind === 'outcome'));
        });
      }
      if (how === 'fail') throw new Error('no');
      if (how !== 'none') stopper.abort({ kind: how, reason: 'r' });
      return {};
    });
    const run = await runFile(
      { nodes: { a: ['ActNode'], b: ['MarkNode'] }, connect: ['a -> b'] },
      { types: [type], journal, signal: stopper.signal },
    );
    expect(run.end.status).toBe(status);
    expect(opened).toEqual(['second', 'first']);
    expect(outcomeAtDisposal).toEqual([false, false]);
  });

  it('that cannot be disposed, or not in time, do not keep the run', async () => {
    const clock = new ManualClock();
    const logged: string[] = [];
    const type = acting(async (ctx) => {
      open(ctx, 'stuck', () => new Promise(() => undefined));
      open(ctx, 'broken', () => Promise.reject(new Error('gone')));
      return {};
    });
    const report = runFile(
      { nodes: { a: ['ActNode'] } },
      { types: [type], clock, logger: { log: (_level, message) => logged.push(message) } },
    );
    await eventually('the disposal', () => logged.length === 1 && clock.sleeping > 0, { intervalMs: 1 });
    await clock.advance(10_000);
    expect((await report).end.status).toBe('completed');
    expect(logged).toEqual(['A browser could not be closed: Error: gone', 'A browser was not closed within 10000 ms.']);
  });

  it('of an earlier session are not found by their references', async () => {
    const found: unknown[] = [];
    const type = acting(async (ctx) => {
      if (ctx.nodeId === 'a') return { ref: open(ctx, 'browser of a') };
      open(ctx, 'another');
      found.push(ctx.resources.get('browser', ctx.params.ref as JsonValue));
      return {};
    });
    const journal = new TestJournal();
    journal.beforeCommit = (commit) => {
      if (commit === 3) throw new Error('the process died');
    };
    await runFile(twoNodes, { types: [type], journal });
    journal.beforeCommit = () => undefined;
    await runFile(twoNodes, { types: [type], journal });
    expect(found).toEqual([{ name: 'browser of a' }, undefined]);
  });
});

describe('observers', () => {
  it('hear of the run in order, after what they hear of is durable', async () => {
    const heard: string[] = [];
    const journal = new TestJournal();
    const observer: RunObserver = {
      runStarted: ({ job_id, total, resumed }) => heard.push(`started ${job_id} ${total} ${resumed}`),
      nodeStarted: ({ node_id, step, total, attempt }) => heard.push(`> ${node_id} ${step}/${total} #${attempt}`),
      nodeFinished: ({ node_id, node_type, exit, retries }) => {
        expect(journal.entries.some((entry) => entry.kind === 'result' && entry.node_id === node_id)).toBe(true);
        heard.push(`< ${node_id} ${node_type} ${exit} ${retries}`);
      },
      nodeFailed: ({ node_id, error }) => heard.push(`! ${node_id} ${error.code}`),
      log: ({ level, node_id, message }) => heard.push(`${level} ${node_id} ${message}`),
      runEnded: (end) => heard.push(`ended ${end.status}`),
    };
    const type = acting(async (ctx) => {
      ctx.log.log('info', 'hello', { a: 1 });
      ctx.log.log('debug', 'odd fields', { made: new Date() } as never);
      return {};
    });
    await runFile(
      { nodes: { a: ['ActNode'], f: ['FailNode'] }, connect: ['a -> f'] },
      { types: [type], observer, journal },
    );
    expect(heard).toEqual([
      'started job-1 2 false',
      '> a 1/2 #1',
      'info a hello',
      'debug a odd fields',
      '< a ActNode exec_out 0',
      '> f 2/2 #1',
      '! f BROKEN',
      'ended failed',
    ]);
  });

  it('that throw, reject or change what they get can neither fail nor alter the run, and are logged once', async () => {
    const complaints: string[] = [];
    const observer = {
      nodeStarted: () => {
        throw new Error('listener');
      },
      nodeFinished: async () => {
        throw new Error('async listener');
      },
      nodeFailed: (notice: { error: { code: string } }) => {
        notice.error.code = 'CHANGED';
      },
    } as unknown as RunObserver;
    const run = await runFile(
      { nodes: { a: ['MarkNode'], f: ['FailNode'] }, connect: ['a -> f'] },
      { observer, logger: { log: (_level, message) => complaints.push(message) } },
    );
    expect(run.end).toMatchObject({ status: 'failed', error: { code: 'BROKEN' } });
    expect(complaints).toHaveLength(1);
  });
});

describe("a node's context", () => {
  it('resolves paths against the work folder and tells job, node, attempt and idempotency key', async () => {
    const seen: unknown[] = [];
    const type = acting(async (ctx) => {
      seen.push(
        ctx.resolvePath('sub/file.txt'),
        ctx.resolvePath('/etc/hosts'),
        ctx.workDir,
        ctx.jobId,
        ctx.nodeId,
        ctx.nodeType,
        ctx.attempt,
        ctx.idempotencyKey,
      );
      return {};
    });
    const access = createAccessPolicy({ allowPaths: ['/etc'] });
    await runFile({ nodes: { a: ['ActNode'] } }, { types: [type], workDir: '/srv/job', access });
    expect(seen).toEqual(['/srv/job/sub/file.txt', '/etc/hosts', '/srv/job', 'job-1', 'a', 'ActNode', 1, 'job-1:1:a']);
  });

  it('reads and writes variables, whatever their values are', async () => {
    const type = acting(async (ctx) => {
      ctx.variables.set('list', [1, 2]);
      const when = new Date(0);
      ctx.variables.set('when', when);
      expect(ctx.variables.get('when')).toBe(when);
      expect(ctx.variables.all().when).toBe(when);
      ctx.variables.set('when', 'never');
      return {
        value: [
          ctx.variables.get('list') ?? null,
          ctx.variables.has('given'),
          ctx.variables.all(),
          ctx.variables.get('none') === undefined,
        ],
      };
    });
    const run = await runFile(
      { nodes: { a: ['ActNode'] } },
      { types: [type], variables: { given: 1 }, world: new World() },
    );
    expect(run.outputs.a).toEqual({ value: [[1, 2], true, { given: 1, list: [1, 2], when: 'never' }, true] });
    expect(run.variables).toEqual({ given: 1, list: [1, 2], when: 'never' });
  });
});
