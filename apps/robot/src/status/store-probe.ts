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

/** A store that takes longer than this to answer cannot be written to. */
const answerLimitMs = 5_000;
/** More than a file system keeps in the entry of a file itself. */
const trial = Buffer.alloc(8_192, 0x20);

export class StoreProbe {
  readonly #options: StoreProbeOptions;
  #problem: string | null | undefined;
  #stats: QueueStats | null = null;
  /** The question that the store has not answered yet: no further one is put meanwhile (I7). */
  #asked: Promise<QueueStats> | null = null;

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
    try {
      await this.#tryFile();
      this.#stats = await this.#askStore();
      this.#problem = problemOf(this.#stats.store);
    } catch (error) {
      this.#problem = `the store cannot be written to: ${messageOf(error)}`;
    }
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

  async #askStore(): Promise<QueueStats> {
    const { queue, clock } = this.#options;
    const answered = new AbortController();
    const late = clock.sleep(answerLimitMs, answered.signal).then(
      () => {
        throw new Error(`it has not answered for ${answerLimitMs / 1_000} s`);
      },
      () => new Promise<never>(() => undefined),
    );
    this.#asked ??= queue.getStats().finally(() => {
      this.#asked = null;
    });
    try {
      return await Promise.race([this.#asked, late]);
    } finally {
      answered.abort();
    }
  }
}

function problemOf({ isInPlace, pressure }: QueueStats['store']): string | null {
  if (!isInPlace)
    return 'the file of the store was moved, deleted or replaced under the robot: stop it, put its home back, start it again';
  return pressure === 'steps' ? 'the store is at its size limit and takes no further steps' : null;
}
