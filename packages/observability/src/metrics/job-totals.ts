/** Jobs by how they ended, with how long they ran and waited. */
import { ArgumentError } from '../arguments.ts';
import { isCount } from './count.ts';
import { DurationHistogram, type HistogramSnapshot } from './duration-histogram.ts';
import type { FinishedJob } from './job-metrics.ts';
import type { JobOutcome } from './job-timeline.ts';
import type { MetricsSummary } from './metric-reports.ts';

export const jobOutcomes: readonly JobOutcome[] = ['completed', 'failed', 'cancelled'];

export type JobTotalsSnapshot = { readonly [O in JobOutcome]: HistogramSnapshot } & {
  readonly queueWaits: HistogramSnapshot;
  readonly interruptedRuns: number;
};

export class JobTotals {
  readonly #durations: Record<JobOutcome, DurationHistogram> = {
    completed: new DurationHistogram(),
    failed: new DurationHistogram(),
    cancelled: new DurationHistogram(),
  };
  readonly #queueWaits = new DurationHistogram();
  #interruptedRuns = 0;

  /** @throws ArgumentError for what is no snapshot of job totals */
  static restore(value: unknown): JobTotals {
    const snapshot = (value ?? {}) as Partial<JobTotalsSnapshot>;
    const totals = new JobTotals();
    for (const outcome of jobOutcomes) totals.#durations[outcome].merge(histogramOf(snapshot[outcome], outcome));
    totals.#queueWaits.merge(histogramOf(snapshot.queueWaits, 'queueWaits'));
    if (!isCount(snapshot.interruptedRuns)) throw new ArgumentError('snapshot', 'jobs.interruptedRuns is no count');
    totals.#interruptedRuns = snapshot.interruptedRuns;
    return totals;
  }

  started(queueWaitMs: number | null): void {
    if (queueWaitMs !== null) this.#queueWaits.record(queueWaitMs);
  }

  ended({ status, durationMs }: FinishedJob): void {
    if (status === 'in_doubt' || status === 'suspended') this.#interruptedRuns += 1;
    else this.#durations[status].record(durationMs);
  }

  get queueWaits(): DurationHistogram {
    return this.#queueWaits;
  }

  get interruptedRuns(): number {
    return this.#interruptedRuns;
  }

  durationsOf(outcome: JobOutcome): DurationHistogram {
    return this.#durations[outcome];
  }

  /** Of all jobs that ended for good. */
  get durations(): DurationHistogram {
    const all = new DurationHistogram();
    for (const outcome of jobOutcomes) all.merge(this.#durations[outcome]);
    return all;
  }

  summary(): Pick<
    MetricsSummary,
    | 'totalJobs'
    | 'successfulJobs'
    | 'failedJobs'
    | 'cancelledJobs'
    | 'interruptedRuns'
    | 'successRatePercent'
    | 'averageDurationMs'
    | 'totalDurationMs'
  > {
    const [completed, failed, cancelled] = [this.#count('completed'), this.#count('failed'), this.#count('cancelled')];
    const totalJobs = completed + failed + cancelled;
    const totalDurationMs = jobOutcomes.reduce((sum, outcome) => sum + this.#durations[outcome].totalMs, 0);
    return {
      totalJobs,
      successfulJobs: completed,
      failedJobs: failed,
      cancelledJobs: cancelled,
      interruptedRuns: this.#interruptedRuns,
      successRatePercent: completed + failed === 0 ? null : (completed / (completed + failed)) * 100,
      averageDurationMs: totalJobs === 0 ? null : totalDurationMs / totalJobs,
      totalDurationMs,
    };
  }

  snapshot(): JobTotalsSnapshot {
    return {
      completed: this.#durations.completed.snapshot(),
      failed: this.#durations.failed.snapshot(),
      cancelled: this.#durations.cancelled.snapshot(),
      queueWaits: this.#queueWaits.snapshot(),
      interruptedRuns: this.#interruptedRuns,
    };
  }

  #count(outcome: JobOutcome): number {
    return this.#durations[outcome].count;
  }
}

function histogramOf(value: unknown, name: string): DurationHistogram {
  const histogram = DurationHistogram.restore(value);
  if (histogram === null) throw new ArgumentError('snapshot', `jobs.${name} is no histogram`);
  return histogram;
}
