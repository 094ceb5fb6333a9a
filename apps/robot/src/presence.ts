/** What the server is told of the robot itself, beside that it is there. */
import type { JsonObject } from '@casare/execution';
import type { MetricsCollector } from '@casare/observability';
import type { IntakePause } from './intake-pause.ts';

/** What the server's robot_metrics keep of a moment; null: nothing to keep. */
export function presenceOf(metrics: MetricsCollector | null, pause: IntakePause): JsonObject | null {
  const { current } = pause;
  const paused = current === null ? {} : { paused: { note: current.note, remaining_ms: pause.remainingMs } };
  if (metrics === null) return current === null ? null : paused;
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
    ...paused,
  };
}
