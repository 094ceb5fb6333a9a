import { describe, expect, it } from 'vitest';
import type { Interruption } from '../../src/engine/run-options.ts';
import type { JsonObject } from '../../src/json.ts';
import { type FileSpec, type RunSetup, realClock, runFile, TestJournal, type TestRun, World } from './harness.ts';

const died = { code: 'JOB_PROCESS_DIED', message: 'Its process was ended by SIGKILL.', details: { signal: 'SIGKILL' } };

function interruption(treatment: Interruption['treatment'], step: number | null, code = died.code): Interruption {
  return { step, treatment, error: { ...died, code, category: 'unknown', errorType: 'ProcessError' } };
}

/** Runs `spec` until `nodeId` is under way, loses the process there, and goes on as `setup` says. */
async function resumedAfterLoss(spec: FileSpec, nodeId: string, setup: RunSetup): Promise<TestRun> {
  const world = new World();
  const journal = new TestJournal();
  journal.beforeCommit = () => {
    const last = journal.entries.at(-1);
    if (last?.kind === 'intent' && last.node_id === nodeId) throw new Error('the process died');
  };
  await runFile(spec, { world, journal });
  journal.beforeCommit = () => undefined;
  return runFile(spec, { world, journal, ...setup });
}

const line = (config: JsonObject = {}): FileSpec => ({
  nodes: { a: ['MarkNode'], b: ['MarkNode', config], c: ['MarkNode'] },
  connect: ['a -> b -> c'],
});

describe('a run whose process is gone', () => {
  it('fails the node that was under way with the error that its process ended with', async () => {
    const run = await resumedAfterLoss(line(), 'b', { interruption: interruption('fail', 2) });
    expect(run.end).toMatchObject({
      status: 'failed',
      error: { code: 'JOB_PROCESS_DIED', node_id: 'b', details: { signal: 'SIGKILL' }, error_type: 'ProcessError' },
    });
    expect(run.world.marks).toEqual(['a', 'b']);
  });

  it('lets a try region take that error', async () => {
    const spec: FileSpec = {
      nodes: {
        try: ['TryNode', { paired_catch_id: 'catch' }],
        b: ['MarkNode'],
        catch: ['CatchNode'],
        handler: ['MarkNode', { mark: '{{error_type}}' }],
      },
      connect: ['try.try_body -> b', 'catch.catch_body -> handler'],
    };
    const run = await resumedAfterLoss(spec, 'b', { interruption: interruption('fail', 2) });
    expect(run.end.status).toBe('completed');
    expect(run.world.marks).toEqual(['b', 'ProcessError']);
  });

  it('repeats the node after a time limit when its own config asks for it, and never after a death', async () => {
    const config = { retry_count: 1, retry_interval: 0 };
    const late = interruption('fail', 2, 'NODE_TIMEOUT');
    expect((await resumedAfterLoss(line(config), 'b', { interruption: late, clock: realClock })).world.marks).toEqual([
      'a',
      'b',
      'b',
      'c',
    ]);
    const dead = interruption('fail', 2);
    expect((await resumedAfterLoss(line(config), 'b', { interruption: dead })).world.marks).toEqual(['a', 'b']);
  });

  it('fails the next node when none was under way', async () => {
    const run = await runFile(line(), { interruption: interruption('fail', null) });
    expect(run.end).toMatchObject({ status: 'failed', error: { code: 'JOB_PROCESS_DIED', node_id: 'a' } });
    expect(run.world.marks).toEqual([]);
  });

  it('says in a doubt what ended the process', async () => {
    const explained = { interruption: interruption('explain', 2) };
    const failed = await resumedAfterLoss(line(), 'b', { ...explained, inDoubtPolicy: 'fail' });
    expect(failed.end).toMatchObject({
      status: 'failed',
      error: { code: 'IN_DOUBT', message: expect.stringContaining('SIGKILL'), details: { signal: 'SIGKILL' } },
    });
    const asked = await resumedAfterLoss(line(), 'b', { ...explained, inDoubtPolicy: 'ask' });
    expect(asked.end).toMatchObject({ status: 'in_doubt', nodes: [{ reason: expect.stringContaining('SIGKILL') }] });
  });

  it('has no effect on a step that is not the one it names', async () => {
    const run = await resumedAfterLoss(line(), 'b', { interruption: interruption('fail', 1), inDoubtPolicy: 'retry' });
    expect(run.end.status).toBe('completed');
  });

  it('ends as JOB_TIMEOUT at once when somebody else has seen that its time is over', async () => {
    const signal = AbortSignal.abort({ kind: 'job_timeout', limitMs: 500 });
    const run = await resumedAfterLoss(line(), 'b', { signal });
    expect(run.end).toMatchObject({ status: 'failed', error: { code: 'JOB_TIMEOUT', node_id: 'b' } });
    expect(run.world.marks).toEqual(['a', 'b']);
  });

  it('runs no finally body when the grace is used up', async () => {
    const spec: FileSpec = {
      nodes: {
        try: ['TryNode', { paired_finally_id: 'finally' }],
        b: ['MarkNode'],
        finally: ['FinallyNode'],
        clean: ['MarkNode'],
      },
      connect: ['try.try_body -> b', 'finally.finally_body -> clean'],
    };
    const signal = AbortSignal.abort({ kind: 'cancel', reason: 'enough' });
    const inTime = await resumedAfterLoss(spec, 'b', { signal });
    expect([inTime.end.status, inTime.world.marks]).toEqual(['cancelled', ['b', 'clean']]);
    const late = await resumedAfterLoss(spec, 'b', { signal, finallyGraceMs: 0 });
    expect([late.end.status, late.world.marks]).toEqual(['cancelled', ['b']]);
  });
});
