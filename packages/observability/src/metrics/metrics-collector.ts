/**
 * Counts what the robot does: jobs, nodes, failures, and what it costs. One collector per robot; each run of a
 * job has a handle of its own. Everything kept has a limit, and a counter of what went past it (I7).
 */
import * as must from '../arguments.ts';
import { notify } from '../notify.ts';
import type { Clock } from '../ports.ts';
import { ResourceMonitor } from '../resources/resource-monitor.ts';
import type { ResourceSample } from '../resources/resource-sample.ts';
import { systemClock } from '../system-clock.ts';
import { BoundedLabels } from './bounded-labels.ts';
import { aDuration, isDuration } from './count.ts';
import { ErrorStatistics } from './error-statistics.ts';
import { type FinishedJob, JobMetrics, type JobMetricsSink, type JobStartOptions } from './job-metrics.ts';
import { JobTimeline, type TimelineSpan } from './job-timeline.ts';
import { JobTotals } from './job-totals.ts';
import type { DroppedCounts, ErrorSummary, MetricsReport, MetricsSummary } from './metric-reports.ts';
import type { MetricSeries } from './metric-series.ts';
import { type MetricsSnapshot, parseMetricsSnapshot, snapshotVersion } from './metrics-snapshot.ts';
import { NodeStatistics, type NodeTypeStats } from './node-statistics.ts';

export interface MetricsCollectorOptions {
  /** Default: the system clock. */
  readonly clock?: Clock;
  /** Default: a monitor of this process with its own defaults. */
  readonly resourceMonitor?: ResourceMonitor;
  /** Node types with statistics of their own. Default 200. */
  readonly maxNodeTypes?: number;
  /** Error codes with statistics of their own. Default 200. */
  readonly maxErrorCodes?: number;
  /** Finished jobs that are remembered. Default 500. */
  readonly maxRecentJobs?: number;
  /** Active jobs that are listed. Default 1,000. */
  readonly maxActiveJobs?: number;
  /** Called when a run has ended and is counted, see `MetricsHistory.saveSoon`. */
  readonly onJobEnd?: () => void;
}

/**
 * @example
 * const metrics = new MetricsCollector();
 * const job = metrics.startJob('job-456', 'My Workflow', { totalNodes: 10 });
 * job.recordNode({ nodeId: 'node-1', nodeType: 'ClickNode', durationMs: 150, success: true });
 * job.endJob({ success: true });
 * metrics.getSummary().successRatePercent // 100
 */
export class MetricsCollector {
  readonly #clock: Clock;
  readonly #resources: ResourceMonitor;
  readonly #maxRecentJobs: number;
  readonly #maxActiveJobs: number;
  readonly #onJobEnd: (() => void) | undefined;
  readonly #startedMonotonic: number;
  readonly #nodeTypes: BoundedLabels<NodeStatistics>;
  readonly #errors: ErrorStatistics;
  #jobs = new JobTotals();
  readonly #timeline = new JobTimeline();
  readonly #listed = new Set<JobMetrics>();
  #recent: FinishedJob[] = [];
  #active = 0;
  #sinceMs: number;
  readonly #nodes = { executions: 0, failures: 0, retries: 0 };
  readonly #dropped = { late: 0, invalid: 0, forgotten: 0, unlisted: 0 };
  readonly #sink: JobMetricsSink = {
    nodeRecorded: (node) => {
      this.#nodes.executions += 1;
      this.#nodes.retries += node.retryCount ?? 0;
      this.#nodeTypes.of(node.nodeType).record(node);
      if (node.success) return;
      this.#nodes.failures += 1;
      this.#errors.record('nodes', node.errorCode ?? 'UNKNOWN', this.#clock.now());
    },
    jobEnded: (handle, job) => this.#jobEnded(handle, job),
    refused: (reason) => {
      this.#dropped[reason] += 1;
    },
  };

  /** @throws ArgumentError; a node that is recorded wrongly is refused and counted, never thrown */
  constructor(options: MetricsCollectorOptions = {}) {
    requireOptions('options', options);
    this.#clock = options.clock ?? systemClock;
    this.#resources = options.resourceMonitor ?? new ResourceMonitor({ clock: this.#clock });
    this.#maxRecentJobs = options.maxRecentJobs ?? 500;
    this.#maxActiveJobs = options.maxActiveJobs ?? 1_000;
    this.#onJobEnd = options.onJobEnd;
    this.#startedMonotonic = this.#clock.monotonic();
    this.#sinceMs = this.#clock.now();
    this.#nodeTypes = new BoundedLabels(options.maxNodeTypes ?? 200, () => new NodeStatistics());
    this.#errors = new ErrorStatistics(options.maxErrorCodes ?? 200);
  }

  /**
   * Begins the metrics of one run. A job that is resumed begins anew.
   *
   * @throws ArgumentError
   */
  startJob(jobId: string, name: string, options: JobStartOptions = {}): JobMetrics {
    must.filledText('jobId', jobId);
    must.text('name', name);
    requireStart('options', options);
    const handle = new JobMetrics(jobId, name, options, this.#clock, this.#sink);
    this.#active += 1;
    this.#jobs.started(handle.progress().queueWaitMs);
    if (this.#listed.size < this.#maxActiveJobs) this.#listed.add(handle);
    else this.#dropped.unlisted += 1;
    return handle;
  }

  getSummary(): MetricsSummary {
    return {
      sinceMs: this.#sinceMs,
      ...this.#jobs.summary(),
      activeJobs: this.#active,
      nodeExecutions: this.#nodes.executions,
      nodeFailures: this.#nodes.failures,
      retries: this.#nodes.retries,
      dropped: this.#droppedCounts(),
    };
  }

  /** Statistics by node type; types past the limit are together under `__other__`. */
  getNodeStats(): Record<string, NodeTypeStats> {
    return this.#nodeTypes.report((statistics) => statistics.report());
  }

  /** Failed jobs and nodes by error code; a failure without one counts as `UNKNOWN`. */
  getErrorSummary(): ErrorSummary {
    return this.#errors.report();
  }

  /** The jobs that ended last, newest first. */
  getRecentJobs(limit = 50): readonly FinishedJob[] {
    must.aNumber('limit', limit);
    return limit <= 0 ? [] : this.#recent.slice(-limit).reverse();
  }

  /** Jobs that ended in each five minutes of the last day, oldest first; spans without any are left out. */
  getJobTimeline(): readonly TimelineSpan[] {
    return this.#timeline.since(this.#clock.now());
  }

  getFullReport(): MetricsReport {
    return {
      atMs: this.#clock.now(),
      uptimeMs: this.#clock.monotonic() - this.#startedMonotonic,
      summary: this.getSummary(),
      jobDurations: this.#jobs.durations.summary(),
      queueWaits: this.#jobs.queueWaits.summary(),
      nodes: this.getNodeStats(),
      errors: this.getErrorSummary(),
      activeJobs: [...this.#listed].map((handle) => handle.progress()),
      recentJobs: this.getRecentJobs(),
      resources: this.getCurrentResources(),
    };
  }

  /** Everything that Prometheus, or any other exporter, is to be told. */
  series(): MetricSeries {
    return {
      activeJobs: this.#active,
      jobs: this.#jobs,
      nodeTypes: this.#nodeTypes.entries,
      errors: this.#errors.report().byCode,
      dropped: this.#droppedCounts(),
      uptimeMs: this.#clock.monotonic() - this.#startedMonotonic,
      resources: this.getCurrentResources(),
    };
  }

  /** All that outlives the process, as plain data. Jobs that run are not part of it: they begin anew. */
  snapshot(): MetricsSnapshot {
    return {
      version: snapshotVersion,
      sinceMs: this.#sinceMs,
      savedAtMs: this.#clock.now(),
      jobs: this.#jobs.snapshot(),
      nodes: { ...this.#nodes },
      nodeTypes: this.#nodeTypes.entries.map(([label, statistics]) => [label, statistics.snapshot()]),
      errors: this.#errors.report(),
      recentJobs: [...this.#recent],
      timeline: this.#timeline.since(this.#clock.now()),
      resources: this.#resources.thinnedHistory(),
      dropped: this.#droppedCounts(),
    };
  }

  /**
   * Goes on from a snapshot of an earlier process; for a collector that has counted nothing yet.
   *
   * @throws ArgumentError naming what is wrong with it
   */
  restore(value: unknown): void {
    const snapshot = parseMetricsSnapshot(value);
    this.#sinceMs = snapshot.sinceMs;
    this.#jobs = snapshot.jobs;
    Object.assign(this.#nodes, snapshot.nodes);
    for (const [label, statistics] of snapshot.nodeTypes) this.#nodeTypes.restore(label, statistics);
    this.#errors.restore(snapshot.errors);
    this.#recent = snapshot.recentJobs.slice(-this.#maxRecentJobs);
    this.#timeline.restore(snapshot.timeline);
    this.#resources.restore(snapshot.resources);
    const {
      lateCalls: late,
      invalidRecords: invalid,
      forgottenJobs: forgotten,
      unlistedJobs: unlisted,
    } = snapshot.dropped;
    Object.assign(this.#dropped, { late, invalid, forgotten, unlisted });
    this.#nodeTypes.restoreOverflowed(snapshot.dropped.overflowedNodeTypes);
    this.#errors.restoreOverflowed(snapshot.dropped.overflowedErrorCodes);
  }

  /** Takes a first sample and goes on taking them until stopped. Does nothing when it runs already. */
  async startResourceMonitoring(): Promise<void> {
    await this.#resources.start();
  }

  async stopResourceMonitoring(): Promise<void> {
    await this.#resources.stop();
  }

  /** The last sample of this process; null before the first. */
  getCurrentResources(): ResourceSample | null {
    return this.#resources.current;
  }

  /** Samples of the last `minutes`, oldest first. */
  getResourceHistory(range: { readonly minutes: number }): readonly ResourceSample[] {
    return this.#resources.history(range);
  }

  #jobEnded(handle: JobMetrics, job: FinishedJob): void {
    this.#listed.delete(handle);
    this.#active -= 1;
    this.#jobs.ended(job);
    if (job.status === 'completed' || job.status === 'failed' || job.status === 'cancelled') {
      this.#timeline.record(job.status, job.endedAtMs);
    }
    if (job.status === 'failed') this.#errors.record('jobs', job.errorCode ?? 'UNKNOWN', this.#clock.now());
    this.#recent.push(job);
    if (this.#recent.length > this.#maxRecentJobs) {
      this.#recent.shift();
      this.#dropped.forgotten += 1;
    }
    notify(this.#onJobEnd, undefined);
  }

  #droppedCounts(): DroppedCounts {
    return {
      lateCalls: this.#dropped.late,
      invalidRecords: this.#dropped.invalid,
      overflowedNodeTypes: this.#nodeTypes.overflowed,
      overflowedErrorCodes: this.#errors.overflowed,
      forgottenJobs: this.#dropped.forgotten,
      unlistedJobs: this.#dropped.unlisted,
    };
  }
}

const requireOptions = must.only({
  clock: must.optional(must.clock),
  resourceMonitor: must.optional(must.withMethods('start', 'stop', 'history', 'thinnedHistory', 'restore')),
  maxNodeTypes: must.optional(must.wholeCount),
  maxErrorCodes: must.optional(must.wholeCount),
  maxRecentJobs: must.optional(must.wholeCount),
  maxActiveJobs: must.optional(must.wholeCount),
  onJobEnd: must.optional(must.aFunction),
});
const requireStart = must.only({
  totalNodes: must.optional(must.nullable(must.wholeCount)),
  queueWaitMs: must.optional(must.nullable(must.rule(aDuration, isDuration))),
});
