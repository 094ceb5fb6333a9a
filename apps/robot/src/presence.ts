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
  /** What the store has lost lately; see `recentIncidents`. */
  readonly incidents: readonly JsonObject[];
  /** Why no jobs are taken although the robot is not paused; empty while they are. */
  readonly gate: { readonly refusals: readonly string[] };
}

export function presenceOf(parts: PresenceParts): Presence {
  const { pause, executor, intake } = parts;
  const state = pause.current !== null ? 'paused' : executor.getStatus().runningCount > 0 ? 'busy' : 'idle';
  return { status: intake.isClosed ? 'draining' : state, metrics: sampleOf(parts) };
}

/** What the server's robot_metrics keep of a moment; null: nothing to keep. */
function sampleOf({ metrics, pause, incidents, gate }: PresenceParts): JsonObject | null {
  const { current } = pause;
  const news: JsonObject = {
    ...(current === null ? {} : { paused: { note: current.note, remaining_ms: pause.remainingMs } }),
    ...(incidents.length === 0 ? {} : { store_incidents: [...incidents] }),
    ...(gate.refusals.length === 0 ? {} : { refusing_claims: [...gate.refusals] }),
  };
  if (metrics === null) return Object.keys(news).length === 0 ? null : news;
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
    ...news,
  };
}
