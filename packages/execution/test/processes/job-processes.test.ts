import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '@casare/testing';
import { describe, expect, it } from 'vitest';
import { TestJournal } from '../engine/harness.ts';
import { chain, isAlive, kindsOf, stopper, testRunner } from './support/runner.ts';

describe('a job in a process of its own', () => {
  it('runs there, and what it reports and records arrives here, in order', async () => {
    const { run, journal, notices } = testRunner();
    const report = await run(chain(['a', 'TellNode'], ['b', 'MarkNode']));
    expect(report.end).toMatchObject({ status: 'completed', nodes_executed: 2 });
    expect(report.outputs.a?.pid).not.toBe(process.pid);
    expect(kindsOf(journal.entries)).toEqual(['began', 'intent a', 'result a', 'intent b', 'result b', 'outcome']);
    expect(notices.map(({ name }) => name)).toEqual([
      'runStarted',
      'nodeStarted',
      'nodeFinished',
      'nodeStarted',
      'nodeFinished',
      'runEnded',
    ]);
  });

  it('refuses a workflow that is not valid', async () => {
    const { run, journal } = testRunner();
    const report = await run(chain(['a', 'MrkNode']));
    expect(report.end).toMatchObject({ status: 'failed', error: { code: 'WORKFLOW_INVALID', node_id: 'a' } });
    expect(kindsOf(journal.entries)).toEqual(['outcome']);
  });

  it('stops before the next effect when the journal refuses a step', async () => {
    const { run, journal, marks } = testRunner();
    journal.beforeCommit = (commit) => {
      if (commit === 2) throw new Error('disk full');
    };
    const report = await run(chain(['a', 'MarkNode', { mark: 'a' }], ['b', 'MarkNode', { mark: 'b' }]));
    expect(report.end).toMatchObject({
      status: 'suspended',
      cause: 'journal',
      reason: expect.stringContaining('disk full'),
    });
    expect(marks()).toEqual(['a']);
  });

  it('is not over when the journal refuses its end', async () => {
    const { run, journal } = testRunner();
    journal.beforeCommit = (commit) => {
      if (commit === 2) throw new Error('disk full');
    };
    const spec = chain(['a', 'MarkNode']);
    expect((await run(spec)).end).toMatchObject({ status: 'suspended', cause: 'journal' });
    journal.beforeCommit = () => undefined;
    expect((await run(spec, { inDoubtPolicy: 'skip' })).end.status).toBe('completed');
  });

  it('is told to stop at once, and ends as cancelled', async () => {
    const { run, marks } = testRunner({ cancelGraceMs: 60_000 });
    const { signal, cancel } = stopper();
    const running = run(chain(['a', 'SleepNode']), { signal });
    await eventually('the node sleeps', () => marks().includes('sleep'));
    cancel('enough');
    expect((await running).end).toMatchObject({ status: 'cancelled', reason: 'enough' });
  });

  it('bounds what a node logs and prints, and says what it dropped', async () => {
    const { run, notices } = testRunner();
    const report = await run(chain(['a', 'TellNode', { lines: 20_000 }]));
    expect(report.end.status).toBe('completed');
    const logged = notices
      .filter(({ name }) => name === 'log')
      .map(({ notice }) => (notice as { message: string }).message);
    expect(logged.length).toBeGreaterThan(1_000);
    expect(logged.length).toBeLessThan(10_000);
    expect(logged.at(-1)).toMatch(/further lines were dropped/);
  });

  it('fails, with the node, when a result is too large to be handed over', async () => {
    const { run } = testRunner();
    const report = await run(chain(['a', 'TellNode', { bytes: 70 * 1024 * 1024 }], ['b', 'MarkNode']));
    expect(report.end).toMatchObject({ status: 'failed', error: { code: 'RESULT_TOO_LARGE', node_id: 'a' } });
  });

  it('fails, with the node, when a result is more than the journal ever takes, wherever in the run', async () => {
    const tooLarge = (bytes: number, limitBytes: number): Error =>
      Object.assign(new Error('too large'), { code: 'VALUE_TOO_LARGE', bytes, limitBytes });
    class SmallJournal extends TestJournal {
      override async commit(entries: Parameters<TestJournal['commit']>[0]): Promise<void> {
        const bytes = JSON.stringify(entries).length;
        if (bytes > 50_000) throw tooLarge(bytes, 50_000);
        await super.commit(entries);
      }
    }
    const big = ['big', 'TellNode', { bytes: 60_000 }] as const;
    for (const nodes of [[big, ['b', 'MarkNode', { mark: 'b' }]] as const, [big] as const]) {
      const journal = new SmallJournal();
      const { run, marks } = testRunner();
      const report = await run(chain(['a', 'MarkNode', { mark: 'a' }], ...nodes), { journal, inDoubtPolicy: 'ask' });
      const error = { code: 'RESULT_TOO_LARGE', node_id: 'big', details: { limitBytes: 50_000 } };
      expect(report.end).toMatchObject({ status: 'failed', error });
      expect(journal.entries.at(-1)).toMatchObject({ kind: 'outcome', outcome: { status: 'failed', error } });
      expect(marks()).toEqual(['a']);
    }
  });

  it('waits to be tried again when no process can be started', async () => {
    const { run, journal } = testRunner({ setup: { broken: true } });
    const report = await run(chain(['a', 'MarkNode']));
    expect(report.end).toMatchObject({
      status: 'suspended',
      cause: 'no-process',
      reason: expect.stringContaining('the node library is broken'),
    });
    expect(journal.entries).toEqual([]);
  });
});

describe('a process', () => {
  it('runs one job after another, until it has run its number of them', async () => {
    const { run } = testRunner({ recycleAfterJobs: 2 });
    const pids: unknown[] = [];
    for (const jobId of ['1', '2', '3']) {
      const report = await run(chain(['a', 'TellNode']), { jobId, journal: new TestJournal() });
      pids.push(report.outputs.a?.pid);
    }
    expect(pids[1]).toBe(pids[0]);
    expect(pids[2]).not.toBe(pids[0]);
    await eventually('the first is gone', () => !isAlive(Number(pids[0])));
  });

  it('gets no further job when it holds too much memory', async () => {
    const { run } = testRunner({ recycleAboveBytes: 1 });
    const first = await run(chain(['a', 'TellNode']), { jobId: '1', journal: new TestJournal() });
    const second = await run(chain(['a', 'TellNode']), { jobId: '2', journal: new TestJournal() });
    expect(second.outputs.a?.pid).not.toBe(first.outputs.a?.pid);
  });

  it('is kept ready, and replaced when it dies idle', async () => {
    const { run, runner, registered } = testRunner({ warm: 1 });
    await runner.reclaim();
    const [first = 0] = await eventually('one is registered', () => (registered().length === 1 ? registered() : null));
    process.kill(first, 'SIGKILL');
    const [second = 0] = await eventually('another one is', () => {
      const pids = registered();
      return pids.length === 1 && pids[0] !== first ? pids : null;
    });
    const report = await run(chain(['a', 'TellNode']));
    expect(report.outputs.a?.pid).toBe(second);
  });

  it.runIf(process.platform === 'linux')(
    'is recorded with the groups that its job has started, while they live',
    async () => {
      const { run, marks, registered, workDir } = testRunner();
      const { signal, cancel } = stopper();
      const running = run(chain(['a', 'CommandsNode']), { signal });
      await eventually('the commands are recorded', () => registered().length > 1, { timeoutMs: 30_000 });
      writeFileSync(join(workDir, 'enough'), '');
      await eventually('they are over', () => marks().includes('over'), { timeoutMs: 30_000 });
      await eventually('only the process is', () => registered().length === 1);
      cancel('enough');
      expect((await running).end.status).toBe('cancelled');
    },
  );

  it('is ended with the runner', async () => {
    const { run, runner, registered } = testRunner({ warm: 1 });
    const report = await run(chain(['a', 'TellNode']));
    await runner.close();
    expect(isAlive(Number(report.outputs.a?.pid))).toBe(false);
    expect(registered()).toEqual([]);
  });
});
