/** What the page shows beside the status: charts, percentiles, what ended last, what was recorded. */
import type { JsonObject, JsonValue } from '@casare/execution';
import type { AuditLogger, FinishedJob, MetricsCollector, ResourceSample } from '@casare/observability';

export interface DetailsParts {
  readonly metrics: MetricsCollector | null;
  readonly audit: Pick<AuditLogger, 'getRecent'> | null;
  /** Whether there is a picture of a job's failure. */
  readonly hasScreenshot: (jobId: string) => Promise<boolean>;
}

/** What a page can show (I7). */
const shown = { nodeTypes: 50, jobs: 20, auditEntries: 30, samples: 120, minutes: 60 } as const;

export async function pageDetails({ metrics, audit, hasScreenshot }: DetailsParts): Promise<JsonObject> {
  const entries = await audit?.getRecent(shown.auditEntries).catch(() => []);
  const jobs = metrics === null ? [] : endedJobs(metrics);
  const summary = metrics?.getSummary();
  return {
    summary:
      summary === undefined
        ? null
        : {
            since: new Date(summary.sinceMs).toISOString(),
            total_jobs: summary.totalJobs,
            successful_jobs: summary.successfulJobs,
            failed_jobs: summary.failedJobs,
            cancelled_jobs: summary.cancelledJobs,
            success_rate_percent: summary.successRatePercent,
            node_executions: summary.nodeExecutions,
            node_failures: summary.nodeFailures,
            retries: summary.retries,
          },
    node_types: metrics === null ? [] : nodeTypes(metrics),
    timeline: (metrics?.getJobTimeline() ?? []).map(({ atMs, completed, failed, cancelled }) => ({
      at: atMs,
      completed,
      failed,
      cancelled,
    })),
    resources: thinned(metrics?.getResourceHistory({ minutes: shown.minutes }) ?? []),
    recent_jobs: await Promise.all(jobs.map(async (job) => ended(job, await hasScreenshot(job.jobId)))),
    audit: (entries ?? []).toReversed().map(({ at, type, severity, message, job_id, node_id }) => ({
      at: String(at),
      type,
      severity,
      message,
      job_id: job_id ?? null,
      node_id: node_id ?? null,
    })),
  };
}

/** The last first, without runs that left their job to go on: in doubt, or at the next start. */
function endedJobs(metrics: MetricsCollector): readonly FinishedJob[] {
  return metrics
    .getRecentJobs(Number.POSITIVE_INFINITY)
    .filter(({ status }) => status === 'completed' || status === 'failed' || status === 'cancelled')
    .slice(0, shown.jobs);
}

/** The busiest first. */
function nodeTypes(metrics: MetricsCollector): JsonValue {
  return Object.entries(metrics.getNodeStats())
    .toSorted(([, one], [, other]) => other.totalExecutions - one.totalExecutions)
    .slice(0, shown.nodeTypes)
    .map(([type, { totalExecutions, failures, retries, p50Ms, p95Ms, p99Ms, maxMs }]) => ({
      type,
      executions: totalExecutions,
      failures,
      retries,
      p50_ms: p50Ms,
      p95_ms: p95Ms,
      p99_ms: p99Ms,
      max_ms: maxMs,
    }));
}

function thinned(samples: readonly ResourceSample[]): JsonValue {
  const step = Math.max(1, Math.ceil(samples.length / shown.samples));
  return samples
    .filter((_sample, index) => (samples.length - 1 - index) % step === 0)
    .map(({ atMs, cpuPercent, memoryMb }) => ({ at: atMs, cpu_percent: cpuPercent, memory_mb: memoryMb }));
}

function ended(job: FinishedJob, hasScreenshot: boolean): JsonObject {
  return {
    job_id: job.jobId,
    name: job.name,
    status: job.status,
    ended_at: new Date(job.endedAtMs).toISOString(),
    duration_ms: Math.round(job.durationMs),
    queue_wait_ms: job.queueWaitMs,
    nodes_executed: job.nodesExecuted,
    error:
      job.errorCode === null ? null : { code: job.errorCode, message: job.errorMessage, node_id: job.failedNodeId },
    has_screenshot: hasScreenshot,
  };
}
