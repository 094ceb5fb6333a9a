import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RobotConfig } from '@casare/config';
import { type RunOutcome, systemClock } from '@casare/execution';
import { Redactor } from '@casare/observability';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { bundleFolder, stagingFolder } from './bundle-places.ts';
import { FailureBundles, type FailureBundlesOptions, readBundle } from './failure-bundles.ts';

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'bundles-'));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const statistics = { duration_ms: 5, nodes_total: 1, nodes_executed: 1, nodes_skipped: 0 };
const failed: RunOutcome = {
  status: 'failed',
  error: { code: 'X', category: 'permanent', message: 'it failed', node_id: 'n' },
  ...statistics,
};

function bundles(settings: object = {}, more: Partial<FailureBundlesOptions> = {}): FailureBundles {
  return new FailureBundles({
    config: new RobotConfig({ robot: { home }, failureBundles: settings }),
    robot: { id: 'r', name: 'Robot' },
    library: 'lib@1',
    redactor: new Redactor({ values: ['hush'] }),
    logOf: async () => [{ at: '2026-01-01T00:00:00Z', level: 'info', message: 'said hush', fields: {} }],
    logger: { log: () => undefined },
    clock: systemClock,
    ...more,
  });
}

const job = (jobId: string) => ({ jobId, name: 'flow', leaseToken: '1' });

function stage(jobId: string, name: string, bytes: number): void {
  mkdirSync(stagingFolder(home, jobId), { recursive: true });
  writeFileSync(join(stagingFolder(home, jobId), name), Buffer.alloc(bytes));
}

it('joins what was staged with the outcome and the log, and keeps it when the outcome has to be recorded again', async () => {
  stage('a', 'page-1.png', 10);
  const link = { id: 'a', robot_id: 'r', robot: 'Robot' };
  expect(await bundles().finish(job('a'), failed)).toEqual(link);
  expect(await bundles().finish(job('a'), failed)).toEqual(link);
  expect(readdirSync(bundleFolder(home, 'a')).sort()).toEqual(['bundle.json', 'log.jsonl', 'page-1.png']);
  expect(await readBundle(home, 'a')).toMatchObject({
    error: { message: 'it failed' },
    versions: { library: 'lib@1' },
  });
});

it('makes the bundles of jobs that fail at the same time', async () => {
  const all = bundles();
  const ids = Array.from({ length: 40 }, (_none, n) => `job-${n}`);
  const links = await Promise.all(ids.map((id) => all.finish(job(id), failed)));
  expect(links.map((link) => link?.id)).toEqual(ids);
});

it('drops what was staged when the job did not fail, and keeps nothing when it is switched off', async () => {
  stage('a', 'page-1.png', 10);
  expect(await bundles().finish(job('a'), { status: 'completed', ...statistics })).toBeNull();
  expect(readdirSync(join(home, 'bundles', '.staging'))).toEqual([]);
  expect(await bundles({ enabled: false }).finish(job('a'), failed)).toBeNull();
  expect(await bundles().finish(job('../a'), failed)).toBeNull();
});

it('never keeps a job from ending: it neither throws nor waits for a log or a disk that does not answer', async () => {
  const hanging = bundles(
    {},
    { logOf: () => new Promise(() => undefined), clock: { ...systemClock, sleep: async () => undefined } },
  );
  expect(await hanging.finish(job('a'), failed)).toBeNull();
  writeFileSync(join(home, 'bundles-file'), '');
  rmSync(join(home, 'bundles'), { recursive: true, force: true });
  writeFileSync(join(home, 'bundles'), 'no folder');
  const told: string[] = [];
  const broken = bundles({}, { logger: { log: (_level, message) => told.push(message) } });
  expect(await broken.finish(job('a'), failed)).toBeNull();
  expect(told).toEqual([expect.stringContaining('could not be written')]);
});

it('leaves out what is larger than a bundle may be, and keeps no more, larger or older bundles than it may', async () => {
  const old = new Date(Date.now() - 40 * 86_400_000);
  for (const [index, id] of ['a', 'b', 'c', 'd'].entries()) {
    stage(id, 'page-1.png', 300_000);
    await bundles({ maxCount: 3 }).finish(job(id), failed);
    const at = id === 'b' ? old : new Date(Date.now() - 60_000 + index);
    utimesSync(bundleFolder(home, id), at, at);
  }
  const kept = (): string[] =>
    readdirSync(join(home, 'bundles'))
      .filter((name) => !name.startsWith('.'))
      .sort();
  expect(kept()).toEqual(['a', 'c', 'd']); // b is too old
  stage('e', 'page-1.png', 350_000);
  const large = bundles(
    { quotaMb: 1, maxMb: 1 },
    {
      logOf: async () =>
        Array.from({ length: 500 }, (_, n) => ({
          ...{ at: '', level: 'info' as const, message: `${n} ${'ä'.repeat(50_000)}`, fields: {} },
        })),
    },
  );
  writeFileSync(join(stagingFolder(home, 'e'), 'pages.json'), '{"left_out":["trace-1.zip (60000000 bytes)"]}');
  await large.finish(job('e'), failed);
  expect(kept()).toEqual(['e']);
  // A log of 50 MB: its newest lines are there, and what the bundle is; all of it within its size.
  expect(await readBundle(home, 'e')).toMatchObject({
    left_out: ['trace-1.zip (60000000 bytes)', 'log.jsonl: its first 494 of 500 lines'],
  });
  const sizes = readdirSync(bundleFolder(home, 'e')).map((name) => statSync(join(bundleFolder(home, 'e'), name)).size);
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(1_024 * 1_024);
});
