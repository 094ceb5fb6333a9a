import { ManualClock } from '@casare/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import { MetricsCollector } from './metrics-collector.ts';

let clock: ManualClock;
let metrics: MetricsCollector;

beforeEach(() => {
  clock = new ManualClock();
  metrics = new MetricsCollector({ clock });
});

const click = { nodeId: 'node-1', nodeType: 'ClickNode', durationMs: 150, success: true, retryCount: 0 };

describe('the summary', () => {
  it('counts a cancelled job neither as a success nor as a failure', async () => {
    for (const status of ['completed', 'completed', 'completed', 'failed', 'cancelled', 'cancelled'] as const) {
      const job = metrics.startJob('job', 'Flow', { totalNodes: 1 });
      await clock.advance(1_000);
      job.endJob({ status });
    }
    expect(metrics.getSummary()).toMatchObject({
      totalJobs: 6,
      successfulJobs: 3,
      failedJobs: 1,
      cancelledJobs: 2,
      activeJobs: 0,
      successRatePercent: 75,
      averageDurationMs: 1_000,
      totalDurationMs: 6_000,
    });
  });

  it('claims no success rate before there is one', () => {
    metrics.startJob('job', 'Flow').endJob({ status: 'cancelled' });
    expect(metrics.getSummary().successRatePercent).toBeNull();
  });

  it('counts a job once, however often it was interrupted and resumed', () => {
    metrics.startJob('job', 'Flow').endJob({ status: 'suspended' });
    metrics.startJob('job', 'Flow').endJob({ status: 'in_doubt' });
    metrics.startJob('job', 'Flow').endJob({ success: true });
    expect(metrics.getSummary()).toMatchObject({ totalJobs: 1, successfulJobs: 1, interruptedRuns: 2, activeJobs: 0 });
  });
});

describe('jobs at the same time', () => {
  it('keep their metrics apart', async () => {
    const jobs = Array.from({ length: 10 }, (_, number) => metrics.startJob(`job-${number}`, `Flow ${number}`));
    for (let round = 0; round < 10; round += 1) {
      await clock.advance(10);
      jobs.forEach((job, number) => {
        if (round < number) {
          job.recordNode({
            ...click,
            nodeType: `Type${number}`,
            durationMs: number,
            success: round !== 0,
            retryCount: 1,
          });
        }
        if (round === number) job.endJob({ success: number % 2 === 0, errorCode: `E${number}` });
      });
    }
    const finished = metrics.getRecentJobs(10);
    expect(finished.map((job) => job.jobId)).toEqual(Array.from({ length: 10 }, (_, number) => `job-${9 - number}`));
    for (const job of finished) {
      const number = Number(job.jobId.slice(4));
      expect(job).toMatchObject({
        name: `Flow ${number}`,
        status: number % 2 === 0 ? 'completed' : 'failed',
        durationMs: (number + 1) * 10,
        nodesExecuted: number,
        nodesFailed: Math.min(1, number),
        retries: number,
      });
      if (number > 0) {
        expect(metrics.getNodeStats()[`Type${number}`]).toMatchObject({ totalExecutions: number, maxMs: number });
      }
    }
  });
});

describe('a run that has ended', () => {
  it('refuses what comes later and counts it', () => {
    const job = metrics.startJob('job', 'Flow');
    job.endJob({ success: true });
    job.endJob({ success: false });
    job.recordNode(click);
    expect(metrics.getSummary()).toMatchObject({
      successfulJobs: 1,
      failedJobs: 0,
      nodeExecutions: 0,
      dropped: { lateCalls: 2 },
    });
  });
});

it('is not told of a job without an id, nor of an end that contradicts itself', () => {
  for (const args of [[], [5, 6], ['', 'Flow'], ['job', null]]) {
    expect(() => Reflect.apply(metrics.startJob, metrics, args)).toThrow(/^(jobId|name) must be a text/);
  }
  const job = metrics.startJob('job', 'Flow');
  for (const [success, status] of [
    [false, 'completed'],
    [true, 'failed'],
    [true, 'in_doubt'],
  ] as const) {
    expect(() => job.endJob({ success, status })).toThrow(/^end.success must be left out, or be (true|false) as the/);
  }
  expect(metrics.getSummary()).toMatchObject({ totalJobs: 0, activeJobs: 1 });
  job.endJob({ success: true, status: 'completed' });
  expect(metrics.getSummary()).toMatchObject({ successfulJobs: 1, activeJobs: 0 });
});

it('refuses what it would count wrongly, and options that nobody reads, by name', () => {
  for (const queueWaitMs of [Number.NaN, -1, 1e300]) {
    expect(() => metrics.startJob('job', 'Flow', { queueWaitMs })).toThrow(
      /^options.queueWaitMs must be a number of ms/,
    );
  }
  expect(() => metrics.startJob('job', 'Flow', { totalNodes: 1.5 })).toThrow(
    /^options.totalNodes must be a whole number/,
  );
  expect(() => metrics.startJob('job', 'Flow', { colour: 1 } as never)).toThrow(
    'options.colour must be left out, or be written totalNodes or queueWaitMs, but is 1',
  );
  expect(() => new MetricsCollector({ labels: {} } as never)).toThrow(
    /^options.labels must be left out, or be written clock or/,
  );
  expect(() => metrics.getResourceHistory({ minutes: Number.NaN })).toThrow(
    /^range.minutes must be a number of at least 0/,
  );
  expect(metrics.getSummary()).toMatchObject({ activeJobs: 0 });
});

describe('node statistics', () => {
  it('are kept by type, with retries and percentiles', () => {
    const job = metrics.startJob('job', 'Flow', { totalNodes: 3 });
    for (let durationMs = 1; durationMs <= 100; durationMs += 1) {
      job.recordNode({ ...click, durationMs, success: durationMs % 10 !== 0, retryCount: durationMs % 2 });
    }
    const stats = metrics.getNodeStats().ClickNode;
    expect(stats).toMatchObject({
      totalExecutions: 100,
      successes: 90,
      failures: 10,
      retries: 50,
      averageMs: 50.5,
      minMs: 1,
      maxMs: 100,
    });
    expect(stats?.p50Ms).toBeGreaterThan(49.5);
    expect(stats?.p50Ms).toBeLessThan(50.5);
    expect(stats?.p95Ms).toBeCloseTo(95, -1);
  });

  it('refuse what is no duration, and a success that is neither true nor false', () => {
    const job = metrics.startJob('job', 'Flow');
    for (const success of ['false', 'no', 1, 0, null, undefined] as unknown[] as boolean[]) {
      job.recordNode({ ...click, success });
    }
    for (const durationMs of [Number.NaN, -1, Number.POSITIVE_INFINITY, 1e300])
      job.recordNode({ ...click, durationMs });
    for (const retryCount of [-1, 1.5, Number.NaN, '2' as never]) job.recordNode({ ...click, retryCount });
    expect(metrics.getSummary()).toMatchObject({ nodeExecutions: 0, retries: 0, dropped: { invalidRecords: 14 } });
  });
});

describe('errors', () => {
  it('are summed up by code', () => {
    const job = metrics.startJob('job', 'Flow');
    job.recordNode({ ...click, success: false, errorCode: 'FILE_NOT_FOUND' });
    job.recordNode({ ...click, success: false });
    job.endJob({ success: false, errorCode: 'FILE_NOT_FOUND' });
    expect(metrics.getErrorSummary()).toEqual({
      totalErrors: 3,
      byCode: {
        FILE_NOT_FOUND: { jobs: 1, nodes: 1, lastAtMs: clock.now() },
        UNKNOWN: { jobs: 0, nodes: 1, lastAtMs: clock.now() },
      },
    });
  });
});

describe('everything that is kept', () => {
  it('has a limit and a counter of what went past it', () => {
    metrics = new MetricsCollector({ clock, maxNodeTypes: 3, maxErrorCodes: 2, maxRecentJobs: 5, maxActiveJobs: 4 });
    const handles = Array.from({ length: 10 }, (_, number) => {
      const job = metrics.startJob(`job-${number}`, 'Flow');
      job.recordNode({ ...click, nodeType: `Type${number}` });
      return job;
    });
    expect(metrics.getFullReport().activeJobs).toHaveLength(4);
    handles.forEach((job, number) => {
      job.endJob({ success: false, errorCode: `E${number}` });
    });
    const report = metrics.getFullReport();
    expect(Object.keys(report.nodes)).toEqual(['Type0', 'Type1', 'Type2', '__other__']);
    expect(report.nodes.__other__?.totalExecutions).toBe(7);
    expect(report.errors.byCode.__other__?.jobs).toBe(8);
    expect(report.recentJobs.map(({ jobId }) => jobId)).toEqual(['job-9', 'job-8', 'job-7', 'job-6', 'job-5']);
    expect(report.summary).toMatchObject({
      totalJobs: 10,
      activeJobs: 0,
      dropped: { overflowedNodeTypes: 7, overflowedErrorCodes: 8, forgottenJobs: 5, unlistedJobs: 6 },
    });
    const restarted = new MetricsCollector({ clock });
    restarted.restore(JSON.parse(JSON.stringify(metrics.snapshot())));
    expect(restarted.getSummary().dropped).toEqual(report.summary.dropped);
  });

  it('does not grow with labels that are long or strange', () => {
    const job = metrics.startJob('job', 'n'.repeat(1_000));
    job.recordNode({ ...click, nodeType: 't'.repeat(1_000_000) });
    job.recordNode({ ...click, nodeType: '__proto__' });
    expect(Object.keys(metrics.getNodeStats()).map((type) => type.length)).toEqual([100, 9]);
    expect(job.name).toHaveLength(200);
  });
});

it('counts what callers without a type checker name wrongly, instead of failing what is measured', () => {
  const metrics = new MetricsCollector();
  for (const wrong of [undefined, null, 42, {}, Symbol('s'), 10n] as unknown[] as string[]) {
    const job = metrics.startJob('job', 'Flow');
    job.recordNode({ nodeId: 'a', nodeType: wrong, durationMs: 1, success: true });
    job.endJob({ status: 'completed' });
  }
  expect(Object.keys(metrics.getNodeStats())).toHaveLength(6);
});
