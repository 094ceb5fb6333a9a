/** How late this process's event loop runs what is due, and how much of its time it works. */
import { performance } from 'node:perf_hooks';
import { DurationHistogram } from '../metrics/duration-histogram.ts';
import type { Clock } from '../ports.ts';
import { systemClock } from '../system-clock.ts';

export interface EventLoopUsage {
  /** Delay of timers since the sample before. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** Share of the time that it was busy, 0 to 1. */
  readonly utilization: number;
}

export interface EventLoopWatch {
  /** Since the last call, or since the watch began; null when too little time has passed to tell. */
  read(): EventLoopUsage | null;
  stop(): void;
}

/** Each wake-up of a process that has nothing else to do costs it about 150 microseconds: four a second are 0.06 % of a core. */
const intervalMs = 250;

/**
 * A timer of its own, since the histogram of `monitorEventLoopDelay` leaves out the first interval after each reset (Node
 * 24): what blocks the loop right after a sample would never be seen.
 */
export function watchEventLoop(clock: Pick<Clock, 'monotonic' | 'sleep'> = systemClock): EventLoopWatch {
  let isStopped = false;
  let delays = new DurationHistogram();
  let before = performance.eventLoopUtilization();
  void watch();
  return {
    read() {
      const now = performance.eventLoopUtilization();
      const { utilization } = performance.eventLoopUtilization(now, before);
      before = now;
      if (delays.count === 0) return null;
      const { p50Ms, p99Ms, maxMs } = delays.summary();
      delays = new DurationHistogram();
      return { p50Ms: p50Ms ?? 0, p99Ms: p99Ms ?? 0, maxMs: maxMs ?? 0, utilization: Math.min(1, utilization) };
    },
    stop: () => {
      isStopped = true;
    },
  };

  /** Sleeps without a signal, which would cost as much as the timer; the last sleep keeps no process alive. */
  async function watch(): Promise<void> {
    while (!isStopped) {
      const due = clock.monotonic() + intervalMs;
      await clock.sleep(intervalMs);
      delays.record(Math.max(0, clock.monotonic() - due));
    }
  }
}
