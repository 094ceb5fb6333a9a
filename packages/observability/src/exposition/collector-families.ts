/** The metrics of a collector, as families. */
import * as must from '../arguments.ts';
import { jobOutcomes } from '../metrics/job-totals.ts';
import type { MetricSeries } from '../metrics/metric-series.ts';
import type { ResourceSample } from '../resources/resource-sample.ts';
import { family, type MetricFamily } from './metric-family.ts';

const mebibyte = 1024 * 1024;

/** @throws ArgumentError for what `MetricsCollector.series` did not answer with */
export function collectorFamilies(series: MetricSeries): readonly MetricFamily[] {
  requireSeries('series', series);
  const { jobs, nodeTypes, dropped } = series;
  const errors = Object.entries(series.errors);
  return [
    family(
      'jobDuration',
      jobOutcomes.map((outcome) => [jobs.durationsOf(outcome), outcome]),
    ),
    family('jobQueueDuration', [[jobs.queueWaits]]),
    family('jobActive', [[series.activeJobs]]),
    family('jobInterruptions', [[jobs.interruptedRuns]]),
    family(
      'nodeDuration',
      nodeTypes.map(([type, { durations }]) => [durations, type]),
    ),
    family(
      'nodeFailures',
      nodeTypes.map(([type, statistics]) => [statistics.report().failures, type]),
    ),
    family(
      'nodeRetries',
      nodeTypes.map(([type, statistics]) => [statistics.report().retries, type]),
    ),
    family('errors', [
      ...errors.map(([code, { jobs: count }]) => [count, code, 'job'] as const),
      ...errors.map(([code, { nodes: count }]) => [count, code, 'node'] as const),
    ]),
    family('dropped', [
      [dropped.lateCalls, 'late_call'],
      [dropped.invalidRecords, 'invalid_record'],
      [dropped.overflowedNodeTypes, 'node_type_overflow'],
      [dropped.overflowedErrorCodes, 'error_code_overflow'],
      [dropped.forgottenJobs, 'recent_job_forgotten'],
      [dropped.unlistedJobs, 'active_job_unlisted'],
    ]),
    family('processUptime', [[series.uptimeMs / 1_000]]),
    ...(series.resources === null ? [] : resourceFamilies(series.resources)),
  ];
}

const requireSeries = must.shape({
  jobs: must.withMethods('durationsOf'),
  nodeTypes: must.listOf(must.listOf(() => undefined)),
  errors: must.object,
  dropped: must.object,
  uptimeMs: must.aNumber,
  activeJobs: must.aNumber,
  resources: must.nullable(must.shape({ storesMb: must.object })),
});

function resourceFamilies(sample: ResourceSample): readonly MetricFamily[] {
  const { eventLoop, disk } = sample;
  const seconds = (ms: number | undefined): number | null => (ms === undefined ? null : ms / 1_000);
  return [
    family('processCpu', [[sample.cpuPercent === null ? null : sample.cpuPercent / 100]]),
    family('processMemory', [[Math.round(sample.memoryMb * mebibyte)]]),
    family('processCount', [[sample.processes]]),
    family('memoryLimit', [[Math.round(sample.memoryLimitMb * mebibyte)]]),
    family('cpuLimit', [[sample.cpuLimitCores]]),
    family('eventLoopP50', [[seconds(eventLoop?.p50Ms)]]),
    family('eventLoopP99', [[seconds(eventLoop?.p99Ms)]]),
    family('eventLoopMax', [[seconds(eventLoop?.maxMs)]]),
    family('eventLoopUtilization', [[eventLoop?.utilization ?? null]]),
    family(
      'diskUsage',
      disk === null
        ? []
        : [
            [Math.round(disk.freeMb * mebibyte), 'free'],
            [Math.round((disk.totalMb - disk.freeMb) * mebibyte), 'used'],
          ],
    ),
    family(
      'storeSize',
      Object.entries(sample.storesMb).map(([name, mb]) => [Math.round(mb * mebibyte), name]),
    ),
  ];
}
