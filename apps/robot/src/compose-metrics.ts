/** What the robot measures of itself: its metrics with their history, its resources, and what follows from them. */
import { join } from 'node:path';
import type { ValidSettings } from '@casare/config';
import type { Clock, Logger } from '@casare/execution';
import { MetricsCollector, MetricsHistory, ResourceMonitor } from '@casare/observability';
import { ClaimGate } from './status/claim-gate.ts';
import { JobActivity } from './status/job-activity.ts';
import { PollWatch } from './status/poll-watch.ts';

export interface Measurements {
  /** Null when metrics are off. */
  readonly metrics: MetricsCollector | null;
  readonly activity: JobActivity;
  readonly gate: ClaimGate;
  readonly polls: PollWatch;
  startMeasuring(): Promise<void>;
  stopMeasuring(): Promise<void>;
}

export interface MeasurementOptions {
  readonly config: ValidSettings;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The robot stopped taking jobs for want of room, or takes them again. */
  readonly onGate: () => void;
}

const unchecked =
  'observability.minFreeDiskMb and maxMemoryPercent are not checked, because observability.resourceMonitoringEnabled is off: jobs are taken until disk or memory are full';

export function composeMetrics({ config, clock, logger, onGate }: MeasurementOptions): Measurements {
  const { observability, robot } = config;
  const { minFreeDiskMb, maxMemoryPercent, resourceIntervalMs } = observability;
  const activity = new JobActivity(clock);
  const gate = new ClaimGate({ minFreeDiskMb, maxMemoryPercent, logger, clock, onChange: onGate });
  const monitor = new ResourceMonitor({
    clock,
    intervalMs: resourceIntervalMs,
    ownsJob: (jobId) => activity.has(jobId),
    folder: robot.home,
    stores: { store: join(robot.home, 'store.db'), audit: observability.auditDir },
    onSample: (sample) => gate.sampled(sample),
    onError: (message) => logger.log('debug', `a sample of the resources failed: ${message}`),
  });
  const metrics = observability.metricsEnabled
    ? new MetricsCollector({ clock, resourceMonitor: monitor, onJobEnd: () => history?.saveSoon() })
    : null;
  const history =
    metrics === null
      ? null
      : new MetricsHistory({ path: join(robot.home, 'metrics.json'), collector: metrics, logger, clock });
  return {
    metrics,
    activity,
    gate,
    polls: new PollWatch(clock),
    async startMeasuring() {
      await history?.start();
      if (observability.resourceMonitoringEnabled) await monitor.start();
      else if (minFreeDiskMb !== null || maxMemoryPercent !== null) logger.log('warning', unchecked);
    },
    async stopMeasuring() {
      await monitor.stop();
      await history?.stop();
    },
  };
}
