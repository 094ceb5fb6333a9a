import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FailureView, RunEnd } from '@casare/execution';
import { MetricsCollector, Redactor } from '@casare/observability';
import { expect, it } from 'vitest';
import { evidenceKeeper } from './bundle/evidence-keeper.ts';
import { robotTelemetry } from './robot-telemetry.ts';

it('keeps a known secret out of metrics and bundles that is the id of a node', async () => {
  const redactor = new Redactor({ values: ['s3cret-id'] });
  const error = { code: 'E', message: 'no', node_id: 's3cret-id' };
  const metrics = new MetricsCollector();
  const activity = { begin: () => undefined, end: () => undefined } as never;
  const job = { jobId: 'job', name: 'Flow' } as never;
  const told = robotTelemetry({ metrics, audit: null, activity, redactor }).metricsFor(job, {
    totalNodes: 1,
    queueWaitMs: 0,
  });
  told?.end({ status: 'failed', error } as unknown as RunEnd);
  expect(metrics.snapshot().recentJobs[0]?.failedNodeId).toBe('[redacted]');

  const home = mkdtempSync(join(tmpdir(), 'node-ids-'));
  const jobId = '11111111-1111-4111-8111-111111111111';
  const settings = { robot: { home }, failureBundles: { enabled: true, maxMb: 1, screenshots: false } } as never;
  const redact = (text: string): string => redactor.text(text);
  const lastNodes = [{ node_id: 's3cret-id', at: 0 }];
  const { signal } = new AbortController();
  const view = { jobId, error, causes: [], workflowHash: 'h', lastNodes, resources: [], redact, signal };
  await evidenceKeeper(settings)?.nodeFailed(view as unknown as FailureView);
  const files = readdirSync(home, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.json'));
  expect(files).toHaveLength(2);
  for (const name of files) {
    const text = readFileSync(join(home, name), 'utf8');
    expect(text).toContain('[redacted]');
    expect(text).not.toContain('s3cret-id');
  }
  rmSync(home, { recursive: true });
});
