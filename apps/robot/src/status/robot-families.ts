/** What Prometheus is told of the robot beside its collector: state, connection, queue, outbox. */
import { collectorFamilies, family, type MetricFamily, prometheusText, robotStates } from '@casare/observability';
import type { RobotParts } from '../compose.ts';
import type { RobotStatus } from '../robot-status.ts';

const breakerStates = ['CLOSED', 'OPEN', 'HALF_OPEN'] as const;

/** @param status the robot's status at this moment */
export function robotMetricsText(status: RobotStatus, { metrics, polls, probe }: RobotParts): string {
  const collected = metrics === null ? [] : collectorFamilies(metrics.series());
  return prometheusText([...collected, ...robotFamilies(status, polls.sinceSuccessMs), ...storeFamilies(probe)]);
}

function robotFamilies(status: RobotStatus, sinceContactMs: number | null): readonly MetricFamily[] {
  const { health, executor, connection, inDoubt } = status;
  return [
    family(
      'robotState',
      robotStates.map((state) => [state === health.state ? 1 : 0, state]),
    ),
    family('robotReady', [[health.isReady ? 1 : 0]]),
    family('contactAge', [[sinceContactMs === null ? null : sinceContactMs / 1_000]]),
    family('jobQueued', [[executor?.queuedCount ?? null]]),
    family('jobInDoubt', [[inDoubt.length]]),
    family('jobLimit', [[executor?.maxConcurrentJobs ?? null]]),
    family(
      'breakerState',
      connection === null
        ? []
        : breakerStates.map((state) => [state === connection.breaker.state ? 1 : 0, state.toLowerCase()]),
    ),
    family('breakerFailures', [[connection?.totalFailures ?? null]]),
  ];
}

function storeFamilies({ stats }: RobotParts['probe']): readonly MetricFamily[] {
  if (stats === null) return [];
  const { pending, deadLetters, dropped, refused } = stats.outbox;
  return [
    family('outboxEntries', [
      [pending, 'pending'],
      [deadLetters, 'dead'],
    ]),
    family('outboxLost', [
      [dropped, 'dropped'],
      [refused, 'refused'],
    ]),
  ];
}
