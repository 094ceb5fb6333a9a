import { ManualClock } from '@casare/testing';
import { describe, expect, it } from 'vitest';
import type { JsonObject, Lease } from '../../src/index.ts';
import { ProgressReporter } from '../../src/index.ts';
import { progressShapeOf } from '../../src/jobs/progress-shape.ts';

const leaseA = { jobId: 'a', leaseToken: '1' };
const leaseB = { jobId: 'b', leaseToken: '2' };

function reporterWith(send: (lease: Lease, progress: JsonObject) => void, canReport = () => true) {
  const clock = new ManualClock();
  const reporter = new ProgressReporter({
    clock,
    canReport,
    updateIntervalMs: 1_000,
    gateway: {
      reportProgressBatch: async (reports) => {
        for (const { lease, progress } of reports) send(lease, progress);
        return reports.map(({ lease }) => ({ ...lease, outcome: 'ok' as const }));
      },
    },
  });
  return { clock, reporter };
}

describe('ProgressReporter', () => {
  it('sends at most one report per job and interval, the newest state', async () => {
    const sent: [string, unknown, unknown][] = [];
    const { clock, reporter } = reporterWith((lease, p) => sent.push([lease.jobId, p.current_node, p.percent]));
    const progress = reporter.startJob(leaseA, { totalNodes: 4 });
    await clock.advance(0);
    for (const node of ['n1', 'n2', 'n3']) {
      progress.reportNodeStart(node, 'LogNode');
      progress.reportNodeComplete(node, { success: true, durationMs: 1 });
    }
    await clock.advance(1_000);
    await clock.advance(3_000);
    expect(sent).toEqual([
      ['a', null, 0],
      ['a', 'n3', 75],
    ]);
    reporter.stop();
  });

  it('keeps jobs apart', async () => {
    const last = new Map<string, JsonObject>();
    const { clock, reporter } = reporterWith((lease, p) => last.set(`${lease.jobId}/${lease.leaseToken}`, p));
    const a = reporter.startJob(leaseA, { totalNodes: 2 });
    const b = reporter.startJob(leaseB, { totalNodes: 2 });
    a.reportNodeStart('a1', 'LogNode');
    b.reportNodeStart('b1', 'WaitNode');
    b.reportNodeComplete('b1', { success: true, durationMs: 5 });
    await clock.advance(1_000);
    expect(last.get('a/1')).toMatchObject({ current_node: 'a1', nodes_completed: 0 });
    expect(last.get('b/2')).toMatchObject({ current_node: 'b1', nodes_completed: 1, percent: 50 });
    reporter.stop();
  });

  it('sends nothing while the server cannot be reached, and the newest state as soon as it can', async () => {
    let isConnected = false;
    const sent: unknown[] = [];
    const { clock, reporter } = reporterWith(
      (_lease, progress) => sent.push(progress.current_node),
      () => isConnected,
    );
    const progress = reporter.startJob(leaseA);
    progress.reportNodeStart('n1', 'LogNode');
    await clock.advance(1_500);
    progress.reportNodeStart('n2', 'LogNode');
    expect(sent).toEqual([]);
    isConnected = true;
    reporter.reportNow();
    await clock.advance(0);
    expect(sent).toEqual(['n2']);
    reporter.stop();
  });

  it('sends the newest state once sending works again', async () => {
    let down = true;
    const sent: unknown[] = [];
    const { clock, reporter } = reporterWith((_lease, progress) => {
      if (down) throw new Error('offline');
      sent.push(progress.steps);
    });
    const progress = reporter.startJob(leaseA, { totalNodes: 1 });
    for (let turn = 0; turn < 5; turn += 1) {
      progress.reportNodeComplete('n', { success: true, durationMs: 1 });
      await clock.advance(1_000);
    }
    down = false;
    await clock.advance(2_000);
    expect(sent).toEqual([5]);
    reporter.stop();
  });

  it('says nothing of a resumed job before its journal and its workflow are known, so that it does not go back', async () => {
    const sent: [unknown, unknown, unknown][] = [];
    const { clock, reporter } = reporterWith((_lease, p) => sent.push([p.percent, p.steps, p.nodes_total]));
    const progress = reporter.startJob(leaseA, { isResumed: true });
    progress.reportStage('loading_workflow');
    await clock.advance(2_000);
    progress.reportWorkflow(progressShapeOf({ types: { a: 'LogNode', b: 'LogNode' }, bodies: [] }));
    await clock.advance(2_000);
    expect([sent, progress.isKnown]).toEqual([[], false]);
    const done = { exit: 'exec_out', outputs: {}, variables: {}, duration_ms: 1, retries: 0, at: 0 };
    progress.replay([{ kind: 'result', step: 1, node_id: 'a', ...done }]);
    await clock.advance(1_000);
    expect(sent).toEqual([[50, 1, 2]]);
    reporter.stop();
  });

  it('says 100 percent only of a completed job', async () => {
    const { reporter } = reporterWith(() => undefined);
    const progress = reporter.startJob(leaseA, { totalNodes: 1 });
    progress.reportNodeComplete('n', { success: true, durationMs: 1 });
    expect(progress.snapshot().percent).toBe(99);
    expect(progress.endJob({ status: 'completed' })).toMatchObject({ stage: 'completed', percent: 100 });
    const failed = reporter.startJob(leaseB, { totalNodes: 2 });
    expect(failed.endJob({ status: 'failed' })).toMatchObject({ stage: 'failed', percent: 0 });
  });

  it('leaves no timer behind when no job is left', async () => {
    const { clock, reporter } = reporterWith(() => undefined);
    const progress = reporter.startJob(leaseA, { totalNodes: 1 });
    await clock.advance(0);
    progress.endJob({ status: 'completed' });
    expect(clock.sleeping).toBe(0);
  });
});
