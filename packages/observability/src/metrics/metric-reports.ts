/** The shapes that MetricsCollector reports in. Durations in ms, times in ms since the epoch. */
import type { ResourceSample } from '../resources/resource-sample.ts';
import type { DurationSummary } from './duration-histogram.ts';
import type { ActiveJob, FinishedJob } from './job-metrics.ts';
import type { NodeTypeStats } from './node-statistics.ts';

/** What was not counted in full, and why (I7). */
export interface DroppedCounts {
  /** Calls on a handle after its end. */
  readonly lateCalls: number;
  /** Nodes with a duration, retry count or `success` that was no such thing. */
  readonly invalidRecords: number;
  /** Node executions whose type went to the overflow label. */
  readonly overflowedNodeTypes: number;
  /** Errors whose code went to the overflow label. */
  readonly overflowedErrorCodes: number;
  /** Finished jobs that no longer show in the list of recent ones. */
  readonly forgottenJobs: number;
  /** Jobs that were counted but never listed as active, the list being full. */
  readonly unlistedJobs: number;
}

export interface MetricsSummary {
  /** Wall-clock ms at which counting began: in an earlier process, where its history was kept. */
  readonly sinceMs: number;
  /** Jobs that ended for good: successful + failed + cancelled. */
  readonly totalJobs: number;
  readonly successfulJobs: number;
  readonly failedJobs: number;
  readonly cancelledJobs: number;
  /** Runs that stopped without ending their job (in doubt, suspended). */
  readonly interruptedRuns: number;
  readonly activeJobs: number;
  /** Of successful and failed jobs; a cancelled one is neither. Null before the first. */
  readonly successRatePercent: number | null;
  readonly averageDurationMs: number | null;
  readonly totalDurationMs: number;
  readonly nodeExecutions: number;
  readonly nodeFailures: number;
  readonly retries: number;
  readonly dropped: DroppedCounts;
}

export interface ErrorCodeStats {
  /** Jobs that failed with this code. */
  readonly jobs: number;
  /** Nodes that failed with this code. */
  readonly nodes: number;
  readonly lastAtMs: number;
}

export interface ErrorSummary {
  readonly totalErrors: number;
  readonly byCode: Readonly<Record<string, ErrorCodeStats>>;
}

export interface MetricsReport {
  readonly atMs: number;
  readonly uptimeMs: number;
  readonly summary: MetricsSummary;
  /** Of jobs that ended for good. */
  readonly jobDurations: DurationSummary;
  /** How long runs waited on this robot before they began. */
  readonly queueWaits: DurationSummary;
  readonly nodes: Readonly<Record<string, NodeTypeStats>>;
  readonly errors: ErrorSummary;
  readonly activeJobs: readonly ActiveJob[];
  readonly recentJobs: readonly FinishedJob[];
  readonly resources: ResourceSample | null;
}
