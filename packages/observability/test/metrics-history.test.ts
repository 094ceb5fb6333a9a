/** What a collector knows outlives its process, and stays small however long it counts. */
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ManualClock } from '@casare/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MetricsCollector, MetricsHistory, ResourceMonitor } from '../src/index.ts';

let folder: string;
let path: string;
let clock: ManualClock;
let logged: string[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'casare-metrics-'));
  path = join(folder, 'metrics.json');
  clock = new ManualClock();
  logged = [];
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

function collector(): MetricsCollector {
  const resourceMonitor = new ResourceMonitor({
    clock,
    intervalMs: 60_000,
    readTree: () => [1],
    readUsage: async () => new Map([[1, { cpuTimeMs: 0, memoryBytes: 1 }]]),
  });
  return new MetricsCollector({ clock, resourceMonitor });
}

function historyOf(metrics: MetricsCollector): MetricsHistory {
  const logger = { log: (level: string, message: string) => logged.push(`${level}: ${message}`) };
  return new MetricsHistory({ path, collector: metrics, logger, clock });
}

async function work(metrics: MetricsCollector, status: 'completed' | 'failed'): Promise<void> {
  const job = metrics.startJob('job', 'Flow', { queueWaitMs: 5 });
  job.recordNode({ nodeId: 'n', nodeType: 'ClickNode', durationMs: 100, success: true, retryCount: 2 });
  await clock.advance(1_000);
  job.endJob({ status, errorCode: 'E', errorMessage: 'it broke', nodeId: 'n' });
}

describe('a history', () => {
  it('goes on after a restart as if there had been none', async () => {
    const first = collector();
    const before = historyOf(first);
    await before.start();
    await first.startResourceMonitoring();
    await work(first, 'failed');
    await clock.advance(300_000);
    await first.stopResourceMonitoring();
    await before.stop();
    expect(statSync(path).mode & 0o777).toBe(0o600);

    const second = collector();
    const after = historyOf(second);
    await after.start();
    const { activeJobs, recentJobs, ...told } = second.getFullReport();
    const { activeJobs: _gone, recentJobs: same, ...former } = first.getFullReport();
    expect({ ...told, resources: null, uptimeMs: 0 }).toEqual({ ...former, resources: null, uptimeMs: 0 });
    expect(recentJobs).toEqual(same);
    expect(activeJobs).toEqual([]);
    expect(second.getJobTimeline()).toEqual(first.getJobTimeline());
    expect(second.getCurrentResources()).toBeNull();
    expect(second.getResourceHistory({ minutes: 10 })).toHaveLength(6);
    await work(second, 'completed');
    expect(second.getSummary()).toMatchObject({ totalJobs: 2, failedJobs: 1, retries: 4, successRatePercent: 50 });
    expect(second.getNodeStats().ClickNode).toMatchObject({ totalExecutions: 2, p50Ms: 100, retries: 4 });
    await after.stop();
    expect(logged).toEqual([]);
  });

  it('is saved once a minute, so that a kill takes at most that', async () => {
    const metrics = collector();
    const history = historyOf(metrics);
    await history.start();
    await work(metrics, 'completed');
    await clock.advance(60_000);
    await expect.poll(() => existsSync(path)).toBe(true);
    expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({ version: 1, nodes: { executions: 1 } });
    await history.stop();
    expect(clock.sleeping).toBe(0);
    expect(readdirSync(folder)).toEqual(['metrics.json']);
  });

  it('is saved when a job has ended, but no more than once a second, so that a kill leaves the counts of jobs right', async () => {
    let history: MetricsHistory | null = null;
    const metrics = new MetricsCollector({ clock, onJobEnd: () => history?.saveSoon() });
    history = historyOf(metrics);
    const saved = (): unknown => existsSync(path) && JSON.parse(readFileSync(path, 'utf8')).recentJobs.length;
    await history.start();
    await work(metrics, 'completed');
    await expect.poll(saved).toBe(1);
    await expect.poll(() => clock.sleeping).toBe(1);
    const handles = [1, 2, 3].map((n) => metrics.startJob(`job-${n}`, 'Flow'));
    for (const job of handles) job.endJob({ success: true });
    expect([saved(), clock.sleeping]).toEqual([1, 1]);
    await clock.advance(1_000);
    await expect.poll(saved).toBe(4);
    await history.stop();
  });

  it.each([
    ['is torn', () => truncateSync(path, 100)],
    ['is no JSON', () => writeFileSync(path, 'x')],
    ['comes from a later version', () => writeFileSync(path, '{"version":2}')],
    ['is a list', () => writeFileSync(path, '[]')],
    [
      'has counts that are none',
      () => writeFileSync(path, readFileSync(path, 'utf8').replace('"executions":1', '"executions":-1')),
    ],
  ])('that %s is set aside with a warning, and counting begins anew', async (_name, spoil) => {
    const first = collector();
    const before = historyOf(first);
    await before.start();
    await work(first, 'completed');
    await before.stop();
    spoil();
    const second = collector();
    const after = historyOf(second);
    await after.start();
    expect(second.getSummary()).toMatchObject({ totalJobs: 0, nodeExecutions: 0 });
    expect(logged).toEqual([expect.stringContaining(`it is now ${path}.damaged`)]);
    await after.stop();
    expect(readdirSync(folder).toSorted()).toEqual(['metrics.json', 'metrics.json.damaged']);
  });
});

describe('memory and file', () => {
  it('stay as they are over many labels and a day', { timeout: 60_000 }, async () => {
    const metrics = collector();
    const history = historyOf(metrics);
    await history.start();
    await metrics.startResourceMonitoring();
    const round = (from: number, count: number): void => {
      for (let n = from; n < from + count; n += 1) {
        const job = metrics.startJob(`job-${n}`, `Flow ${n}`.padEnd(200, '.'));
        job.recordNode({
          nodeId: `n${n}`,
          nodeType: `Type${n}`,
          durationMs: (n % 1_000) + 1,
          success: n % 2 === 0,
          errorCode: `E${n}`,
        });
        job.endJob({ success: n % 3 !== 0, errorCode: `J${n}`, errorMessage: 'm'.repeat(2_000) });
      }
    };
    const sizeAfter = async (): Promise<number> => {
      await clock.advance(3_600_000);
      return JSON.stringify(metrics.snapshot()).length;
    };
    round(0, 10_000);
    const first = await sizeAfter();
    for (let hour = 1; hour < 24; hour += 1) {
      round(hour * 2_000, 2_000);
      await sizeAfter();
    }
    const last = await sizeAfter();
    expect(metrics.getSummary()).toMatchObject({ totalJobs: 56_000, nodeExecutions: 56_000 });
    expect(Object.keys(metrics.getNodeStats())).toHaveLength(201);
    expect(metrics.getNodeStats().__other__?.totalExecutions).toBe(56_000 - 200);
    expect(last).toBeLessThan(first * 1.5);
    await metrics.stopResourceMonitoring();
    await history.stop();
    expect(statSync(path).size).toBeLessThan(2_000_000);
  });
});
