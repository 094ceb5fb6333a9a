/** What a collector hands to an exporter: counts and histograms as they are, not yet named or formatted. */
import type { ResourceSample } from '../resources/resource-sample.ts';
import type { JobTotals } from './job-totals.ts';
import type { DroppedCounts, ErrorCodeStats } from './metric-reports.ts';
import type { NodeStatistics } from './node-statistics.ts';

export interface MetricSeries {
  readonly activeJobs: number;
  readonly jobs: JobTotals;
  readonly nodeTypes: readonly (readonly [type: string, statistics: NodeStatistics])[];
  readonly errors: Readonly<Record<string, ErrorCodeStats>>;
  readonly dropped: DroppedCounts;
  readonly uptimeMs: number;
  readonly resources: ResourceSample | null;
}
