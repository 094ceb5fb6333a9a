import { describe, expect, it } from 'vitest';
import { planFlow } from '../../src/engine/flow-plan.ts';
import { foldJournal } from '../../src/engine/fold.ts';
import type { JournalEntry } from '../../src/engine/journal.ts';
import { memoryJournal } from '../../src/engine/memory-journal.ts';
import { rootLane } from '../../src/engine/run-state.ts';
import { createNodeRegistry } from '../../src/model/registry.ts';
import type { RunJournal } from '../../src/ports.ts';
import { checkedWorkflow, type FileSpec, runFile, TestJournal, testNodes, World } from './harness.ts';

const longLoop = (times: number): FileSpec => ({
  nodes: {
    loop: ['ForLoopStartNode', { mode: 'range', end: times }],
    count: ['IncrementVariableNode', { variable_name: 'n' }],
  },
  connect: ['loop.body -> count'],
});

describe('a long run', () => {
  it('of 40,000 steps keeps a bounded journal in memory', { timeout: 120_000 }, async () => {
    const journal = memoryJournal();
    let longest = 0;
    const watched: RunJournal = {
      ...journal,
      commit: async (entries) => {
        await journal.commit(entries);
        if (entries.some((entry) => entry.kind === 'snapshot'))
          longest = Math.max(longest, (await journal.load()).length);
      },
    };
    const run = await runFile(longLoop(20_000), { journal: watched });
    expect(run.end).toMatchObject({ status: 'completed', nodes_executed: 2 });
    expect(run.variables.n).toBe(20_000);
    expect(longest).toBeGreaterThan(0);
    expect((await journal.load()).length).toBeLessThan(2_000);
  });

  it('without snapshots is folded to where it stood, however long its journal is', { timeout: 120_000 }, async () => {
    const spec = longLoop(25_000);
    const journal = new TestJournal();
    await runFile(spec, { journal });
    const entries: readonly JournalEntry[] = journal.entries;
    expect(entries.length).toBeGreaterThan(100_000);
    const types = testNodes(new World());
    const plan = planFlow(checkedWorkflow(spec, types), createNodeRegistry(types));
    expect(rootLane(foldJournal(plan, entries)).variables.get('n')).toBe(25_000);
  });

  it('commits about as much per step at its end as at its beginning, whatever the list it goes over', async () => {
    const journal = new TestJournal();
    const sizes: number[] = [];
    const commit = journal.commit.bind(journal);
    journal.commit = async (entries) => {
      sizes.push(JSON.stringify(entries).length);
      await commit(entries);
    };
    const items = Array.from({ length: 500 }, (_, index) => `item ${index} ${'x'.repeat(1_000)}`);
    await runFile(
      { nodes: { loop: ['ForLoopStartNode', { items }], m: ['MarkNode', { mark: 1 }] }, connect: ['loop.body -> m'] },
      { journal },
    );
    const early = Math.max(...sizes.slice(5, 100));
    expect(Math.max(...sizes.slice(-100))).toBeLessThan(early + 200);
    expect(early).toBeLessThan(5_000);
  });

  it('keeps the newest hundred of the errors it passes over', async () => {
    const run = await runFile({
      nodes: {
        loop: ['ForLoopStartNode', { mode: 'range', end: 250 }],
        t: ['ThrowErrorNode', { error_message: 'no {{item}}' }],
      },
      connect: ['loop.body -> t'],
      settings: { stop_on_error: false },
    });
    expect(run.end.status).toBe('completed');
    expect(run.errors).toHaveLength(100);
    expect(run.errors.at(-1)?.message).toBe('no 249');
  });
});

describe('a journal that asks for snapshots', () => {
  it('gets one after so many entries, and a resume needs nothing from before it', async () => {
    const spec = longLoop(40);
    const journal = new TestJournal([], 10);
    journal.beforeCommit = (commit) => {
      if (commit === 60) throw new Error('the process died');
    };
    await runFile(spec, { journal });
    const entries = journal.entries;
    const newest = entries.findLastIndex((entry) => entry.kind === 'snapshot');
    expect(newest).toBeGreaterThan(50);
    const run = await runFile(spec, { journal: new TestJournal(entries.slice(newest), 10) });
    expect(run.end.status).toBe('completed');
    expect(run.variables.n).toBe(40);
  });

  it('gets one earlier when the entries are large, so that what a resume reads stays bounded', async () => {
    const journal = new TestJournal([], 100);
    const large = 'x'.repeat(100_000);
    await runFile(
      {
        nodes: {
          loop: ['ForLoopStartNode', { mode: 'range', end: 30 }],
          fill: ['SetVariableNode', { variable_name: 'v', value: `{{loop.current_index}}${large}` }],
        },
        connect: ['loop.body -> fill'],
      },
      { journal },
    );
    const lengths = journal.entries.map((entry) => JSON.stringify(entry).length);
    const snapshots = journal.entries.flatMap(({ kind }, index) => (kind === 'snapshot' ? [index] : []));
    expect(snapshots.length).toBeGreaterThan(1);
    const between = snapshots.map((at, index) => lengths.slice(snapshots[index - 1] ?? 0, at));
    for (const sizes of between) expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(1_500_000);
  });

  it('and one that does not gets none', async () => {
    const journal = new TestJournal();
    await runFile(longLoop(600), { journal });
    expect(journal.entries.some((entry) => entry.kind === 'snapshot')).toBe(false);
  });
});
