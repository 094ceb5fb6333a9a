import { ManualClock } from '@casare/testing';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/json.ts';
import { advanceUntil, type FileSpec, type RunSetup, runFile, TestJournal, type TestRun } from './harness.ts';

async function runToEnd(spec: FileSpec, setup: RunSetup = {}): Promise<{ run: TestRun; tookMs: number }> {
  const clock = new ManualClock();
  const run = await advanceUntil(clock, 100, runFile(spec, { clock, ...setup }));
  return { run, tookMs: clock.monotonic() };
}

const failing = (config: JsonObject, settings: JsonObject = {}): FileSpec => ({
  nodes: { f: ['FailNode', config] },
  settings,
});

describe("a node's own retry_count", () => {
  it('repeats it after retry_interval until it works', async () => {
    const { run, tookMs } = await runToEnd(failing({ retry_count: 3, retry_interval: 500, times: 2 }));
    expect(run.end.status).toBe('completed');
    expect(run.world.marks).toEqual(['f#1', 'f#2', 'f#3']);
    expect(tookMs).toBeGreaterThanOrEqual(1_000);
    expect(tookMs).toBeLessThan(1_500);
    expect(run.outputs.f).toEqual({ attempt: 3 });
  });

  it('asks for repetition even of an effect that may have happened', async () => {
    const { run } = await runToEnd(failing({ retry_count: 2, ambiguous: true, category: 'transient' }));
    expect(run.end).toMatchObject({ status: 'failed', error: { code: 'BROKEN' } });
    expect(run.world.marks).toEqual(['f#1', 'f#2', 'f#3']);
  });

  it('does not repeat what cannot work', async () => {
    const { run } = await runToEnd(failing({ retry_count: 2, code: 'INVALID_INPUT' }));
    expect(run.world.marks).toEqual(['f#1']);
  });

  it('journals each failed attempt before the next one, under one idempotency key', async () => {
    const journal = new TestJournal();
    await runToEnd(failing({ retry_count: 1, retry_interval: 0 }), { journal });
    expect(journal.entries.map((entry) => entry.kind)).toEqual([
      'began',
      'intent',
      'retry',
      'intent',
      'failure',
      'outcome',
    ]);
    const intents = journal.entries.filter((entry) => entry.kind === 'intent');
    expect(intents.map((intent) => intent.attempt)).toEqual([1, 2]);
    expect(new Set(intents.map((intent) => intent.idempotency_key)).size).toBe(1);
    expect(journal.entries.at(-2)).toMatchObject({ kind: 'failure', retries: 1 });
  });
});

describe("the workflow's retry_count", () => {
  it.each<[JsonObject, number]>([
    [{ category: 'transient' }, 3],
    [{ category: 'transient', ambiguous: true }, 1],
    [{ category: 'transient', ambiguous: true, effect: 'idempotent' }, 3],
    [{ category: 'permanent', effect: 'pure' }, 1],
    [{ category: 'unknown', effect: 'pure' }, 3],
  ])('for a failure of kind %j makes %i attempts', async (config, attempts) => {
    const { run } = await runToEnd(failing(config, { retry_count: 2 }));
    expect(run.world.marks).toHaveLength(attempts);
  });

  it('classifies foreign errors by the given rules', async () => {
    const { z } = await import('zod');
    const { defineNode } = await import('../../src/node-contract.ts');
    let calls = 0;
    const foreign = defineNode({
      type: 'ForeignNode',
      category: 'test',
      description: 'Throws what it does not own.',
      params: z.object({}),
      outputs: [],
      effect: () => 'effect',
      run: async () => {
        calls += 1;
        throw Object.assign(new TypeError('refused'), { code: 'ECONNREFUSED' });
      },
    });
    const spec: FileSpec = { nodes: { f: ['ForeignNode'] }, settings: { retry_count: 1 } };
    const { run } = await runToEnd(spec, {
      types: [foreign],
      classifyError: (error) =>
        (error as { code?: string }).code === 'ECONNREFUSED'
          ? { category: 'transient', code: 'CONNECTION_REFUSED' }
          : { category: 'unknown', code: 'ODD' },
    });
    expect(calls).toBe(2);
    expect(run.end).toMatchObject({
      status: 'failed',
      error: { code: 'CONNECTION_REFUSED', category: 'transient', error_type: 'TypeError', message: 'refused' },
    });
    calls = 0;
    expect((await runToEnd(spec, { types: [foreign] })).run.end).toMatchObject({ error: { code: 'NODE_FAILED' } });
    expect(calls).toBe(1);
  });
});
