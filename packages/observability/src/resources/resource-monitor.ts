/**
 * Samples what the robot and the processes it started use. States: stopped -> running -> stopped. A sample that
 * fails is counted and the next one tried; nothing is left running after `stop` (I9), the history is bounded (I7).
 */
import * as must from '../arguments.ts';
import { messageOf } from '../errors.ts';
import { notify } from '../notify.ts';
import type { Clock } from '../ports.ts';
import { systemClock } from '../system-clock.ts';
import { type ContainerLimits, containerLimits } from './container-limits.ts';
import { type DiskSpace, type ReadDiskSpace, readDiskSpace, readSize } from './disk-usage.ts';
import { type EventLoopWatch, watchEventLoop } from './event-loop.ts';
import { processTreeReader, type ReadProcessTree } from './process-tree.ts';
import { type ReadProcessUsage, readProcessUsage } from './process-usage.ts';
import { type Reading, type ResourceSample, sampleOf } from './resource-sample.ts';

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
  /** Whether a process with this value of `CASARE_JOB_ID` in its environment is the robot's. Default: none is. */
  readonly ownsJob?: (jobId: string) => boolean;
  /** Folder whose disk is looked at. Default: none is. */
  readonly folder?: string;
  /** Files and folders whose sizes are looked at once a minute, by name. Default none. */
  readonly stores?: Readonly<Record<string, string>>;
  /** Told of every sample. */
  readonly onSample?: (sample: ResourceSample) => void;
  /** Told of every sample that failed. */
  readonly onError?: (message: string) => void;
  readonly readUsage?: ReadProcessUsage;
  readonly readTree?: ReadProcessTree;
  readonly readDisk?: ReadDiskSpace;
  /** Default: those of the container, else of the machine. */
  readonly limits?: () => ContainerLimits;
}

interface Running {
  readonly stop: AbortController;
  readonly started: Promise<void>;
  readonly loop: Promise<void>;
}

/** Sizes of stores change slowly and take a look at every file. */
const storesIntervalMs = 60_000;
/** What is kept over a restart. */
const thinnedIntervalMs = 60_000;

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
  readonly #maxSamples: number;
  readonly #readTree: ReadProcessTree;
  #samples: ResourceSample[] = [];
  #current: ResourceSample | null = null;
  #last: Reading | null = null;
  #stores: { readonly at: number; readonly sizesMb: Readonly<Record<string, number>> } | null = null;
  #eventLoop: EventLoopWatch | null = null;
  #failures = 0;
  #running: Running | null = null;

  /** @throws ArgumentError */
  constructor(options: ResourceMonitorOptions = {}) {
    requireOptions('options', options);
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#maxSamples = options.maxSamples ?? 720;
    this.#readTree = options.readTree ?? processTreeReader();
  }

  /** The last sample; null before the first. */
  get current(): ResourceSample | null {
    return this.#current;
  }

  /** Samples that failed, and times that a listener did. */
  get failures(): number {
    return this.#failures;
  }

  /** Samples of the last `minutes`, oldest first. */
  history(range: { readonly minutes: number }): readonly ResourceSample[] {
    requireRange('range', range);
    const since = this.#clock.now() - range.minutes * 60_000;
    return this.#samples.filter((sample) => sample.atMs >= since);
  }

  /** About one sample per minute, oldest first. */
  thinnedHistory(): readonly ResourceSample[] {
    let last = Number.NEGATIVE_INFINITY;
    return this.#samples.filter(({ atMs }) => {
      if (atMs - last < thinnedIntervalMs) return false;
      last = atMs;
      return true;
    });
  }

  /** Puts samples of an earlier process before its own; they show in `history`, never as `current`. */
  restore(samples: readonly ResourceSample[]): void {
    requireSamples('samples', samples);
    this.#samples = [...samples, ...this.#samples].slice(-this.#maxSamples);
  }

  /** Resolves after the first sample; a second call joins the first. */
  async start(): Promise<void> {
    if (this.#running === null) {
      const stop = new AbortController();
      this.#last = null;
      this.#eventLoop = watchEventLoop();
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
    this.#eventLoop?.stop();
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
      const sample = await this.#read();
      this.#current = sample;
      this.#samples.push(sample);
      if (this.#samples.length > this.#maxSamples) this.#samples.shift();
      if (!notify(this.#options.onSample, sample)) this.#failures += 1;
    } catch (error) {
      this.#failures += 1;
      if (!notify(this.#options.onError, messageOf(error))) this.#failures += 1;
    }
  }

  async #read(): Promise<ResourceSample> {
    const { pid = process.pid, maxProcesses = 500, ownsJob = null, limits = containerLimits } = this.#options;
    const pids = this.#readTree({ root: pid, limit: maxProcesses, ownsMark: ownsJob });
    const usage = await (this.#options.readUsage ?? readProcessUsage)(pids);
    const reading = { monotonic: this.#clock.monotonic(), usage };
    const around = {
      limits: limits(),
      eventLoop: this.#eventLoop?.read() ?? null,
      disk: await this.#readDisk(),
      storesMb: await this.#readStores(),
    };
    const sample = sampleOf(this.#clock.now(), this.#last, reading, around);
    this.#last = reading;
    return sample;
  }

  /** A disk that cannot be looked at spoils nothing else. */
  async #readDisk(): Promise<DiskSpace | null> {
    const { folder, readDisk = readDiskSpace } = this.#options;
    return folder === undefined ? null : await readDisk(folder).catch(() => null);
  }

  async #readStores(): Promise<Readonly<Record<string, number>>> {
    const now = this.#clock.monotonic();
    if (this.#stores === null || now - this.#stores.at >= storesIntervalMs) {
      const named = Object.entries(this.#options.stores ?? {});
      const sizes = await Promise.all(named.map(async ([name, path]) => [name, await readSize(path)] as const));
      this.#stores = { at: now, sizesMb: Object.fromEntries(sizes) };
    }
    return this.#stores.sizesMb;
  }
}

const requireOptions = must.only({
  clock: must.optional(must.clock),
  intervalMs: must.optional(must.positive),
  maxSamples: must.optional(must.positiveWhole),
  pid: must.optional(must.positiveWhole),
  maxProcesses: must.optional(must.positiveWhole),
  ownsJob: must.optional(must.aFunction),
  folder: must.optional(must.filledText),
  stores: must.optional(must.object),
  onSample: must.optional(must.aFunction),
  onError: must.optional(must.aFunction),
  readUsage: must.optional(must.aFunction),
  readTree: must.optional(must.aFunction),
  readDisk: must.optional(must.aFunction),
  limits: must.optional(must.aFunction),
});
const requireRange = must.only({ minutes: must.count });
const requireSamples = must.listOf(must.object);
