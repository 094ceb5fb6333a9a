/**
 * Keeps a collector's counts over restarts, in one small file that is replaced in one step: once a minute, when a job
 * has ended, and at the end. A file that cannot be read is set aside (`<path>.damaged`), and counting begins anew:
 * metrics are no record. What was counted since the last save is lost when the process is killed: of the jobs that
 * ended, those of the last second; of the nodes of jobs that run, those of the last minute.
 */
import { open, readFile, rename, stat } from 'node:fs/promises';
import * as must from '../arguments.ts';
import { messageOf } from '../errors.ts';
import type { Clock, Logger } from '../ports.ts';
import { systemClock } from '../system-clock.ts';
import type { MetricsCollector } from './metrics-collector.ts';

export interface MetricsHistoryOptions {
  readonly path: string;
  readonly collector: MetricsCollector;
  readonly logger: Logger;
  readonly clock?: Clock;
  /** Time between two saves. Default 60,000. */
  readonly intervalMs?: number;
  /** Least time between two saves, however many jobs end. Default 1,000. */
  readonly minIntervalMs?: number;
}

/** What this package writes takes a small part of it. */
const maxBytes = 16 * 1024 * 1024;

/**
 * @example
 * const history = new MetricsHistory({ path: 'metrics.json', collector: metrics, logger });
 * await history.start(); // goes on from what the file holds
 * await history.stop(); // saves once more
 */
export class MetricsHistory {
  readonly #options: MetricsHistoryOptions;
  readonly #clock: Clock;
  #running: { readonly stop: AbortController; readonly loop: Promise<void> } | null = null;
  #problem: string | null = null;
  #isDue = false;
  #wake = new AbortController();

  /** @throws ArgumentError */
  constructor(options: MetricsHistoryOptions) {
    requireOptions('options', options);
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  /** Takes up what the file holds, and saves from now on. Never rejects: a robot without its history works. */
  async start(): Promise<void> {
    if (this.#running !== null) return;
    const stop = new AbortController();
    const loaded = this.#load();
    this.#running = { stop, loop: loaded.then(() => this.#loop(stop.signal)) };
    await loaded;
  }

  /** A job has ended: its counts are saved at once, or as soon as the last save is long enough ago. */
  saveSoon(): void {
    this.#isDue = true;
    this.#wake.abort();
  }

  /** Saves a last time. Never rejects. */
  async stop(): Promise<void> {
    const running = this.#running;
    if (running === null) return;
    this.#running = null;
    running.stop.abort();
    await running.loop;
    await this.#save();
  }

  async #loop(signal: AbortSignal): Promise<void> {
    const { intervalMs = 60_000, minIntervalMs = 1_000 } = this.#options;
    while (!signal.aborted) {
      await this.#sleep(minIntervalMs, signal);
      this.#wake = new AbortController();
      if (!this.#isDue) await this.#sleep(intervalMs - minIntervalMs, AbortSignal.any([signal, this.#wake.signal]));
      if (signal.aborted) return;
      this.#isDue = false;
      await this.#save();
    }
  }

  #sleep(ms: number, signal: AbortSignal): Promise<void> {
    return this.#clock.sleep(ms, signal).catch(() => undefined);
  }

  async #load(): Promise<void> {
    const { path, collector, logger } = this.#options;
    try {
      const { size } = await stat(path);
      if (size > maxBytes) throw new RangeError(`it has ${size} bytes`);
      collector.restore(JSON.parse(await readFile(path, 'utf8')));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
      const aside = `${path}.damaged`;
      const isAside = await rename(path, aside).then(
        () => true,
        () => false,
      );
      const where = isAside ? `it is now ${aside}` : 'it will be overwritten';
      logger.log('warning', `the history of the metrics cannot be used (${messageOf(error)}); ${where}`, { path });
    }
  }

  /** The same problem is told once. */
  async #save(): Promise<void> {
    const { path, collector, logger } = this.#options;
    try {
      await replaceFile(path, JSON.stringify(collector.snapshot()));
      this.#problem = null;
    } catch (error) {
      const problem = messageOf(error);
      if (this.#problem !== problem) logger.log('warning', `the metrics could not be saved: ${problem}`, { path });
      this.#problem = problem;
    }
  }
}

async function replaceFile(path: string, text: string): Promise<void> {
  const temporary = `${path}.tmp`;
  const file = await open(temporary, 'w', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
}

const requireOptions = must.only({
  path: must.filledText,
  collector: must.withMethods('snapshot', 'restore'),
  logger: must.logger,
  clock: must.optional(must.withMethods('sleep')),
  intervalMs: must.optional(must.positive),
  minIntervalMs: must.optional(must.count),
});
