/** What the server is told of the robot itself. */
import type { JobExecutor, JsonObject, Presence } from '@casare/execution';
import type { MetricsCollector } from '@casare/observability';
import type { IntakePause } from './intake-pause.ts';
import type { JobIntake } from './job-intake.ts';

export interface PresenceParts {
  readonly metrics: MetricsCollector | null;
  readonly pause: IntakePause;
  readonly executor: Pick<JobExecutor, 'getStatus'>;
  readonly intake: Pick<JobIntake, 'isClosed'>;
}

export function presenceOf({ metrics, pause, executor, intake }: PresenceParts): Presence {
  const state = pause.current !== null ? 'paused' : executor.getStatus().runningCount > 0 ? 'busy' : 'idle';
  return { status: intake.isClosed ? 'draining' : state, metrics: sampleOf(metrics, pause) };
}

/** What the server's robot_metrics keep of a moment; null: nothing to keep. */
function sampleOf(metrics: MetricsCollector | null, pause: IntakePause): JsonObject | null {
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
