/** What a collector keeps over a restart: its shape, its version, and the check of one that was read. */
import { ArgumentError } from '../arguments.ts';
import type { ResourceSample } from '../resources/resource-sample.ts';
import { isCount } from './count.ts';
import type { FinishedJob } from './job-metrics.ts';
import type { TimelineSpan } from './job-timeline.ts';
import { JobTotals, type JobTotalsSnapshot } from './job-totals.ts';
import type { DroppedCounts, ErrorSummary } from './metric-reports.ts';
import { NodeStatistics, type NodeStatisticsSnapshot } from './node-statistics.ts';

export const snapshotVersion = 1;

export interface MetricsSnapshot {
  readonly version: typeof snapshotVersion;
  /** Wall-clock ms at which counting began. */
  readonly sinceMs: number;
  readonly savedAtMs: number;
  readonly jobs: JobTotalsSnapshot;
  readonly nodes: { readonly executions: number; readonly failures: number; readonly retries: number };
  readonly nodeTypes: readonly (readonly [type: string, statistics: NodeStatisticsSnapshot])[];
  readonly errors: ErrorSummary;
  readonly recentJobs: readonly FinishedJob[];
  readonly timeline: readonly TimelineSpan[];
  /** About one sample per minute. */
  readonly resources: readonly ResourceSample[];
  /** Absent in those of earlier versions. */
  readonly dropped?: DroppedCounts;
}

export type RestoredSnapshot = Pick<MetricsSnapshot, 'sinceMs' | 'nodes' | 'errors' | 'timeline'> & {
  readonly jobs: JobTotals;
  readonly nodeTypes: readonly (readonly [string, NodeStatistics])[];
  readonly recentJobs: readonly FinishedJob[];
  readonly resources: readonly ResourceSample[];
  readonly dropped: DroppedCounts;
};

/** @throws ArgumentError naming what is wrong */
export function parseMetricsSnapshot(value: unknown): RestoredSnapshot {
  const snapshot = (typeof value === 'object' && value !== null ? value : {}) as Partial<MetricsSnapshot>;
  if (snapshot.version !== snapshotVersion) {
    throw new ArgumentError('snapshot', `it has version ${String(snapshot.version)}, not ${snapshotVersion}`);
  }
  const { sinceMs, nodes, errors, timeline } = snapshot;
  if (!isCount(sinceMs)) throw new ArgumentError('snapshot', 'sinceMs is no time');
  if (!isCount(nodes?.executions) || !isCount(nodes.failures) || !isCount(nodes.retries)) {
    throw new ArgumentError('snapshot', 'nodes are no counts');
  }
  if (typeof errors !== 'object' || errors === null || !Array.isArray(timeline))
    throw new ArgumentError('snapshot', 'a part is missing');
  const { executions, failures, retries } = nodes;
  return {
    sinceMs,
    jobs: JobTotals.restore(snapshot.jobs),
    nodes: { executions, failures, retries },
    errors,
    timeline,
    nodeTypes: listOf(snapshot.nodeTypes, 'nodeTypes').map((entry) => {
      const [type, given] = (Array.isArray(entry) ? entry : []) as readonly unknown[];
      const statistics = NodeStatistics.restore(given);
      if (typeof type !== 'string' || statistics === null)
        throw new ArgumentError('snapshot', 'nodeTypes are no statistics');
      return [type, statistics] as const;
    }),
    recentJobs: listOf(snapshot.recentJobs, 'recentJobs').filter(isFinishedJob),
    resources: listOf(snapshot.resources, 'resources').filter(isSample),
    dropped: droppedOf(snapshot.dropped),
  };
}

/** Zero for what is no count. */
function droppedOf(value: unknown): DroppedCounts {
  const given = (value ?? {}) as Partial<Record<keyof DroppedCounts, unknown>>;
  const count = (name: keyof DroppedCounts): number => (isCount(given[name]) ? given[name] : 0);
  return {
    lateCalls: count('lateCalls'),
    invalidRecords: count('invalidRecords'),
    overflowedNodeTypes: count('overflowedNodeTypes'),
    overflowedErrorCodes: count('overflowedErrorCodes'),
    forgottenJobs: count('forgottenJobs'),
    unlistedJobs: count('unlistedJobs'),
  };
}

function listOf(value: unknown, name: string): readonly unknown[] {
  if (!Array.isArray(value)) throw new ArgumentError('snapshot', `${name} is no list`);
  return value;
}

function isFinishedJob(value: unknown): value is FinishedJob {
  const { jobId, name, status, startedAtMs, endedAtMs, durationMs } = (value ?? {}) as Partial<FinishedJob>;
  const isNamed = typeof jobId === 'string' && typeof name === 'string' && typeof status === 'string';
  return isNamed && isCount(startedAtMs) && isCount(endedAtMs) && isCount(durationMs);
}

function isSample(value: unknown): value is ResourceSample {
  const { atMs, memoryMb, memoryPercent } = (value ?? {}) as Partial<ResourceSample>;
  return isCount(atMs) && isCount(memoryMb) && isCount(memoryPercent);
}
