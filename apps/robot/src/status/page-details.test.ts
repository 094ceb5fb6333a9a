import { MetricsCollector } from '@casare/observability';
import { expect, it } from 'vitest';
import { pageDetails } from './page-details.ts';

it('jobs that ended last are jobs that ended, however many runs have left theirs to go on', async () => {
  const metrics = new MetricsCollector();
  for (const status of ['completed', 'failed', 'cancelled'] as const)
    metrics.startJob(status, 'Flow').endJob({ status });
  for (let run = 0; run < 60; run += 1) {
    metrics.startJob('asked', 'Flow').endJob({ status: run % 2 === 0 ? 'in_doubt' : 'suspended' });
  }
  const { recent_jobs: jobs } = await pageDetails({ metrics, audit: null, hasScreenshot: async () => false });
  expect(jobs).toMatchObject([{ status: 'cancelled' }, { status: 'failed' }, { status: 'completed' }]);
});
