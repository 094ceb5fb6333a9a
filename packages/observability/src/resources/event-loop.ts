/** How late this process's event loop runs what is due, and how much of its time it works. */
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';

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

/** Few enough wake-ups to cost nothing that can be noticed. */
const resolutionMs = 100;

export function watchEventLoop(): EventLoopWatch {
  const delays = monitorEventLoopDelay({ resolution: resolutionMs });
  delays.enable();
  let before = performance.eventLoopUtilization();
  // The histogram holds the time between two timers: what is above their interval is delay.
  const delayMs = (ns: number): number => Math.max(0, ns / 1e6 - resolutionMs);
  return {
    read() {
      const now = performance.eventLoopUtilization();
      const { utilization } = performance.eventLoopUtilization(now, before);
      before = now;
      if (delays.count === 0) return null;
      const usage = {
        p50Ms: delayMs(delays.percentile(50)),
        p99Ms: delayMs(delays.percentile(99)),
        maxMs: delayMs(delays.max),
        utilization: Math.min(1, utilization),
      };
      delays.reset();
      return usage;
    },
    stop: () => void delays.disable(),
  };
}
