import { healthOf, MetricsCollector, Redactor } from '@casare/observability';
import { ManualClock } from '@casare/testing';
import { describe, expect, it } from 'vitest';
import { robotTelemetry } from '../robot-telemetry.ts';
import { JobActivity } from './job-activity.ts';

const node = { step: 1, nodeId: 'click', nodeType: 'ClickNode', attempt: 1, limitMs: 60_000 };
const ended = { nodeId: 'click', nodeType: 'ClickNode', durationMs: 5, success: true, isSkipped: false };

function isReady(activity: JobActivity): boolean {
  return healthOf({
    lifecycle: 'running',
    connection: { isConnected: true, isAuthRefused: false, problem: null },
    sinceContactMs: 0,
    contactLimitMs: 1,
    runningJobs: 1,
    steps: activity.steps,
    stepGraceMs: 25_000,
    unendingJobs: [],
    isPaused: false,
    storeProblem: null,
    refusals: [],
  }).isReady;
}

describe('the activity of jobs', () => {
  it('costs the robot its readiness when a node stands still past limit and grace, until it goes on', async () => {
    const clock = new ManualClock();
    const activity = new JobActivity(clock);
    activity.begin('job-1');
    activity.started('job-1', node);
    await clock.advance(85_000);
    expect(isReady(activity)).toBe(true);
    await clock.advance(1);
    expect(isReady(activity)).toBe(false);
    activity.ended('job-1', 1, ended);
    expect(isReady(activity)).toBe(true);
    await clock.advance(145_001);
    expect(isReady(activity)).toBe(false);
    activity.started('job-1', { ...node, step: 2, limitMs: null });
    await clock.advance(1e9);
    expect(isReady(activity)).toBe(true);
    activity.end('job-1');
    expect(activity.steps).toEqual([]);
  });

  it('tells a node that an answer passed over as skipped, not as one that has completed', () => {
    const activity = new JobActivity(new ManualClock());
    const parts = { metrics: null, audit: null, activity, redactor: { text: (text: string) => text } };
    const told = robotTelemetry(parts).metricsFor({ jobId: 'job-1', name: 'Flow' } as never, {} as never);
    told?.recordNode({ ...ended, step: 1, retryCount: 0, isSkipped: true });
    told?.recordNode({ ...ended, step: 2, retryCount: 0, isSkipped: false });
    expect(activity.of('job-1').ended).toMatchObject([
      { success: false, isSkipped: true },
      { success: true, isSkipped: false },
    ]);
  });

  it('is not needed for an end to be counted: a job that ends without a run, cancelled or failed, is counted once', () => {
    const metrics = new MetricsCollector();
    const parts = { metrics, audit: null, activity: new JobActivity(new ManualClock()), redactor: new Redactor() };
    const told = robotTelemetry(parts);
    const job = { jobId: 'job-1', name: 'Flow' };
    const figures = { duration_ms: 5, nodes_total: 2, nodes_executed: 1, nodes_skipped: 1 };
    told
      .metricsFor(job as never, { totalNodes: 2, queueWaitMs: 0 })
      ?.end({ status: 'in_doubt', nodes: [], ...figures });
    told.ended(job, { status: 'in_doubt', nodes: [], ...figures });
    told.ended(job, { status: 'cancelled', reason: 'by hand', requested_by: null, ...figures });
    const error = { code: 'IN_DOUBT', category: 'permanent', message: 'its record is lost', node_id: null } as const;
    told.ended(job, { status: 'failed', error, ...figures });
    const counts = { totalJobs: 2, cancelledJobs: 1, failedJobs: 1, interruptedRuns: 1, activeJobs: 0 };
    expect(metrics.getSummary()).toMatchObject(counts);
    expect(metrics.getRecentJobs()).toMatchObject([
      { status: 'failed', errorCode: 'IN_DOUBT' },
      { status: 'cancelled', name: 'Flow' },
      { status: 'in_doubt' },
    ]);
  });

  it('is kept apart by job and by step, bounded, and forgotten with its job', async () => {
    const clock = new ManualClock();
    const activity = new JobActivity(clock);
    for (const jobId of ['job-1', 'job-2']) activity.begin(jobId);
    activity.started('job-1', node);
    await clock.advance(1_000);
    activity.started('job-1', { ...node, step: 2, nodeId: 'branch' });
    for (let step = 3; step < 100; step += 1) {
      activity.started('job-2', { ...node, step, nodeId: `n${step}` });
      activity.ended('job-2', step, { ...ended, nodeId: `n${step}` });
    }
    expect(activity.of('job-1').running.map(({ nodeId, runningForMs }) => [nodeId, runningForMs])).toEqual([
      ['click', 1_000],
      ['branch', 0],
    ]);
    expect(activity.of('job-2').ended.map(({ nodeId }) => nodeId)).toEqual(
      Array.from({ length: 20 }, (_, index) => `n${80 + index}`),
    );
    activity.end('job-2');
    activity.started('job-2', node);
    expect(activity.of('job-2')).toEqual({ running: [], ended: [] });
    expect(activity.has('job-2')).toBe(false);
  });
});
