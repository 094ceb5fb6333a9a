/** Whether the robot could record a result now: tried out every few seconds, since nothing else tells in time. */
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '@casare/execution';
import type { QueueStats } from '@casare/offline-store';
import { messageOf } from '../message-of.ts';

export interface StoreProbeOptions {
  readonly home: string;
  readonly queue: { getStats(): Promise<QueueStats> };
  readonly clock: Clock;
}

/** A disk or a store that takes longer than this to answer is too slow for more jobs; those that are here wait for it. */
const answerLimitMs = 5_000;
/** More than a file system keeps in the entry of a file itself. */
const trial = Buffer.alloc(8_192, 0x20);

export class StoreProbe {
  readonly #options: StoreProbeOptions;
  #problem: string | null | undefined;
  #stats: QueueStats | null = null;
  /** The trial that is not over yet: no further one begins meanwhile (I7). */
  #trial: Promise<QueueStats> | null = null;

  constructor(options: StoreProbeOptions) {
    this.#options = options;
  }

  /** Null: it can be written to; undefined: nobody has looked yet. */
  get problem(): string | null | undefined {
    return this.#problem;
  }

  /** What the store said last; null before the first look. */
  get stats(): QueueStats | null {
    return this.#stats;
  }

  /** Never rejects. */
  async look(): Promise<void> {
    this.#trial ??= this.#tryOut().finally(() => {
      this.#trial = null;
    });
    try {
      const answer = await this.#withinLimit(this.#trial);
      if (answer === 'late') {
        this.#problem = `the store is slow: it has not answered for ${answerLimitMs / 1_000} s`;
        return;
      }
      this.#stats = answer;
      this.#problem = problemOf(answer.store);
    } catch (error) {
      this.#problem = `the store cannot be written to: ${messageOf(error)}`;
    }
  }

  async #tryOut(): Promise<QueueStats> {
    await this.#tryFile();
    return this.#options.queue.getStats();
  }

  /** A new file each time: what is overwritten needs no room. */
  async #tryFile(): Promise<void> {
    const path = join(this.#options.home, `write-test.${process.pid}.tmp`);
    try {
      const file = await open(path, 'w', 0o600);
      try {
        await file.writeFile(trial);
        await file.sync();
      } finally {
        await file.close();
      }
    } finally {
      await rm(path, { force: true });
    }
  }

  async #withinLimit(stats: Promise<QueueStats>): Promise<QueueStats | 'late'> {
    const answered = new AbortController();
    const late = this.#options.clock.sleep(answerLimitMs, answered.signal).then(
      () => 'late' as const,
      () => 'late' as const,
    );
    try {
      return await Promise.race([stats, late]);
    } finally {
      answered.abort();
    }
  }
}

function problemOf({ isInPlace, pressure, marksProblem }: QueueStats['store']): string | null {
  if (!isInPlace)
    return 'the file of the store was moved, deleted or replaced under the robot: stop it, put its home back, start it again';
  if (pressure === 'steps') return 'the store is at its size limit and takes no further steps';
  return marksProblem === null ? null : `the high-water marks of the store cannot be written: ${marksProblem}`;
}
