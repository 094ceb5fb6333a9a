import { describe, expect, it } from 'vitest';
import type { JournalEntry } from '../../src/engine/journal.ts';
import type { RunReport } from '../../src/engine/run-options.ts';
import { InProcessRunner } from '../../src/jobs/in-process-runner.ts';
import { createNodeRegistry } from '../../src/model/registry.ts';
import { type FileSpec, type NodeSpec, silentLogger, TestJournal, testNodes, World, workflowFile } from './harness.ts';

const limitBytes = 10_000;

/** Takes no commit that is larger, as a store does that is small. */
class SmallJournal extends TestJournal {
  override async commit(entries: readonly JournalEntry[]): Promise<void> {
    const bytes = JSON.stringify(entries).length;
    if (bytes > limitBytes) throw Object.assign(new Error('too large'), { code: 'VALUE_TOO_LARGE', bytes, limitBytes });
    await super.commit(entries);
  }
}

async function run(spec: FileSpec, journal = new SmallJournal()): Promise<{ world: World; report: RunReport }> {
  const world = new World();
  const runner = new InProcessRunner({
    registry: createNodeRegistry(testNodes(world)),
    journalFor: () => journal,
    workDirFor: async () => '/tmp/work',
    logger: silentLogger,
  });
  const policies = { inDoubtPolicy: 'ask', timeoutMs: null, priority: 0, variables: {} } as const;
  const job = { jobId: 'job-1', name: 'job-1', workflowJson: JSON.stringify(workflowFile(spec)), ...policies };
  return { world, report: await runner.run(job, new AbortController().signal) };
}

const large = 'x'.repeat(2 * limitBytes);
const mark: NodeSpec = ['MarkNode'];
const give: NodeSpec = ['GiveNode', { value: large }];
const failed = (node_id: string) => ({
  status: 'failed',
  error: {
    code: 'RESULT_TOO_LARGE',
    category: 'permanent',
    node_id,
    message: expect.stringContaining('at most 10000'),
  },
});

describe('a value that the journal will never take', () => {
  it('fails its node, whose end is recorded; what was done before is not done again', async () => {
    const journal = new SmallJournal();
    const spec: FileSpec = { nodes: { a: mark, big: give, b: mark }, connect: ['a -> big -> b'] };
    const { world, report } = await run(spec, journal);
    expect(report.end).toMatchObject(failed('big'));
    expect(journal.entries.at(-1)).toMatchObject({ kind: 'outcome', outcome: failed('big') });
    expect(world.marks).toEqual(['a']);
    expect((await run(spec, journal)).report.end).toMatchObject(failed('big'));
  });

  it('fails the last node, whose result is committed with the end of the run', async () => {
    expect((await run({ nodes: { a: mark, big: give }, connect: ['a -> big'] })).report.end).toMatchObject(
      failed('big'),
    );
  });

  it('goes to the try region around its node', async () => {
    const spec: FileSpec = {
      nodes: {
        try: ['TryNode', { paired_catch_id: 'catch' }],
        big: ['GiveNode', { value: large, retry_count: 5 }],
        catch: ['CatchNode'],
        handler: ['MarkNode', { mark: '{{error_type}}' }],
      },
      connect: ['try.try_body -> big', 'catch.catch_body -> handler'],
    };
    const { world, report } = await run(spec);
    expect([report.end.status, world.marks]).toEqual(['completed', ['ProcessError']]);
  });

  it('fails the node that gave it, and not the one beside it, whose effect is recorded', async () => {
    const spec: FileSpec = {
      nodes: {
        fork: ['ForkNode', { paired_join_id: 'join' }],
        big: give,
        a: mark,
        b: mark,
        join: ['JoinNode'],
      },
      connect: ['fork.branch_1 -> big', 'fork.branch_2 -> a -> b'],
    };
    const { world, report } = await run(spec);
    expect(report.end).toMatchObject(failed('big'));
    expect(world.marks).toEqual(['a', 'b']);
  });

  it('fails the node that was to be given it, when it is an effect whose parameters are recorded', async () => {
    const spec: FileSpec = { nodes: { a: mark, pay: ['MarkNode', { mark: large }] }, connect: ['a -> pay'] };
    const { world, report } = await run(spec);
    expect(report.end).toMatchObject(failed('pay'));
    expect(world.marks).toEqual(['a']);
  });

  it('is no reason to refuse a commit whose entries fit one by one, nor to do without the run for a snapshot', async () => {
    class Snapshots extends SmallJournal {
      override readonly snapshotEveryEntries = 2;
    }
    const parts = ['one', 'two', 'three'].map((id): [string, NodeSpec] => [
      id,
      ['GiveNode', { value: 'x'.repeat(6_000) }],
    ]);
    const spec: FileSpec = {
      nodes: Object.fromEntries([...parts, ['end', mark]]),
      connect: ['one -> two -> three -> end'],
    };
    const { world, report } = await run(spec, new Snapshots());
    expect([report.end.status, world.marks]).toEqual(['completed', ['end']]);
  });

  it('ends a run that cannot even begin', async () => {
    const { report } = await run({ nodes: { a: mark }, variables: { big: large } });
    expect(report.end).toMatchObject({ status: 'failed', error: { code: 'RESULT_TOO_LARGE' } });
  });
});
