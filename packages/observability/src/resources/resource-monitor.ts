/**
 * Samples what the robot and the processes it started use. States: stopped -> running -> stopped. A sample that
 * fails is counted and the next one tried; nothing is left running after `stop` (I9), the history is bounded (I7).
 */
import { messageOf } from '../errors.ts';
import { notify } from '../notify.ts';
import type { Clock } from '../ports.ts';
import { systemClock } from '../system-clock.ts';
import { memoryLimitBytes } from './memory-limit.ts';
import { type ReadProcessTree, readProcessTree } from './process-tree.ts';
import { type ProcessUsage, type ReadProcessUsage, readProcessUsage } from './process-usage.ts';

export interface ResourceSample {
  /** Wall-clock ms since the epoch. */
  readonly atMs: number;
  /** Since the sample before, 100 being one core in full; null in a first sample, which has none before it. */
  readonly cpuPercent: number | null;
  /** Resident memory of all processes of the robot; pages that they share count for each. */
  readonly memoryMb: number;
  /** Of `memoryLimitMb`. */
  readonly memoryPercent: number;
  /** The container's limit, else the machine's memory. */
  readonly memoryLimitMb: number;
  /** Processes that were measured. */
  readonly processes: number;
}

export interface ResourceMonitorOptions {
  readonly clock?: Clock;
  /** Time between two samples. Default 5,000. */
  readonly intervalMs?: number;
  /** Samples kept. Default 720: an hour at the default interval. */
  readonly maxSamples?: number;
  /** Root of the processes to measure. Default: this one. */
  readonly pid?: number;
  /** Processes measured at most. Default 500. */
  readonly maxProcesses?: number;
  /** Told of every sample that failed. */
  readonly onError?: (message: string) => void;
  readonly readUsage?: ReadProcessUsage;
  readonly readTree?: ReadProcessTree;
  /** In bytes. Default: the container's limit, else the machine's memory. */
  readonly memoryLimit?: () => number;
}

const mebibyte = 1024 * 1024;

interface Reading {
  readonly monotonic: number;
  readonly usage: ReadonlyMap<number, ProcessUsage>;
}

/**
 * @example
 * const monitor = new ResourceMonitor({ intervalMs: 1_000 });
 * await monitor.start();
 * console.log(monitor.current?.memoryMb);
 * await monitor.stop();
 */
export class ResourceMonitor {
  readonly #options: ResourceMonitorOptions;
  readonly #clock: Clock;
  readonly #samples: ResourceSample[] = [];
  #last: Reading | null = null;
  #failures = 0;
  #running: { readonly stop: AbortController; readonly started: Promise<void>; readonly loop: Promise<void> } | null =
    null;

  constructor(options: ResourceMonitorOptions = {}) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  /** The last sample; null before the first. */
  get current(): ResourceSample | null {
    return this.#samples.at(-1) ?? null;
  }

  /** Samples that failed, and times that `onError` did. */
  get failures(): number {
    return this.#failures;
  }

  /** Samples of the last `minutes`, oldest first. */
  history(range: { readonly minutes: number }): readonly ResourceSample[] {
    const since = this.#clock.now() - range.minutes * 60_000;
    return this.#samples.filter((sample) => sample.atMs >= since);
  }

  /** Resolves after the first sample; a second call joins the first. */
  async start(): Promise<void> {
    if (this.#running === null) {
      const stop = new AbortController();
      this.#last = null;
      const started = this.#sample();
      this.#running = { stop, started, loop: started.then(() => this.#loop(stop.signal)) };
    }
    await this.#running.started;
  }

  /** Resolves when no sample is under way and none will follow. */
  async stop(): Promise<void> {
    const running = this.#running;
    if (running === null) return;
    this.#running = null;
    running.stop.abort();
    await running.loop;
  }

  async #loop(signal: AbortSignal): Promise<void> {
    for (;;) {
      try {
        await this.#clock.sleep(this.#options.intervalMs ?? 5_000, signal);
      } catch (error) {
        if (signal.aborted) return;
        throw error;
      }
      await this.#sample();
    }
  }

  /** Never rejects. */
  async #sample(): Promise<void> {
    try {
      const { pid = process.pid, maxProcesses = 500, maxSamples = 720 } = this.#options;
      const pids = (this.#options.readTree ?? readProcessTree)(pid, maxProcesses);
      const usage = await (this.#options.readUsage ?? readProcessUsage)(pids);
      const reading = { monotonic: this.#clock.monotonic(), usage };
      const limit = (this.#options.memoryLimit ?? memoryLimitBytes)();
      this.#samples.push(toSample(this.#clock.now(), this.#last, reading, limit));
      if (this.#samples.length > maxSamples) this.#samples.shift();
      this.#last = reading;
    } catch (error) {
      this.#failures += 1;
      if (!notify(this.#options.onError, messageOf(error))) this.#failures += 1;
    }
  }
}

function toSample(atMs: number, last: Reading | null, reading: Reading, limitBytes: number): ResourceSample {
  const memoryBytes = [...reading.usage.values()].reduce((sum, { memoryBytes: bytes }) => sum + bytes, 0);
  return {
    atMs,
    cpuPercent: last === null ? null : cpuPercent(last, reading),
    memoryMb: memoryBytes / mebibyte,
    memoryPercent: (memoryBytes / limitBytes) * 100,
    memoryLimitMb: limitBytes / mebibyte,
    processes: reading.usage.size,
  };
}

/** What a process used before it ended, after the sample before, is not known and not counted. */
function cpuPercent(last: Reading, reading: Reading): number | null {
  const elapsedMs = reading.monotonic - last.monotonic;
  if (elapsedMs <= 0) return null;
  let usedMs = 0;
  for (const [pid, { cpuTimeMs }] of reading.usage) {
    const before = last.usage.get(pid)?.cpuTimeMs ?? 0;
    // Less than before means that the pid has been given to a new process.
    usedMs += cpuTimeMs >= before ? cpuTimeMs - before : cpuTimeMs;
  }
  return (usedMs / elapsedMs) * 100;
}
