/** What the server is told of the robot itself, beside that it is there. */
import type { JsonObject } from '@casare/execution';
import type { MetricsCollector } from '@casare/observability';

/** What the server's robot_metrics keep of a moment. */
export function presenceOf(metrics: MetricsCollector): JsonObject {
  const { totalJobs, successfulJobs, failedJobs, cancelledJobs, activeJobs } = metrics.getSummary();
  const resources = metrics.getCurrentResources();
  return {
    total_jobs: totalJobs,
    successful_jobs: successfulJobs,
    failed_jobs: failedJobs,
    cancelled_jobs: cancelledJobs,
    active_jobs: activeJobs,
    cpu_percent: resources?.cpuPercent ?? null,
    memory_mb: resources?.memoryMb ?? null,
    memory_percent: resources?.memoryPercent ?? null,
  };
}
