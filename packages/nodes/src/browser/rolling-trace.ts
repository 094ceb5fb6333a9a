/**
 * Playwright's trace of one browser, of its last actions only: begun anew every so many actions, so that a long job
 * neither fills the disk nor slows down.
 */
import { join } from 'node:path';
import type { BrowserContext } from 'playwright-core';

const ACTIONS_PER_CHUNK = 100;

export class RollingTrace {
  readonly #context: BrowserContext;
  readonly #folder: string;
  #actions = 0;
  #taken = 0;
  /** Chunks are begun and ended one after the other. */
  #turn: Promise<void> = Promise.resolve();

  private constructor(context: BrowserContext, folder: string) {
    this.#context = context;
    this.#folder = folder;
  }

  /** Without pictures: secrets in them could not be found. */
  static async start(context: BrowserContext, folder: string): Promise<RollingTrace> {
    await context.tracing.start({ snapshots: true, screenshots: false, sources: false });
    return new RollingTrace(context, folder);
  }

  /** To be called before an action. */
  async acted(): Promise<void> {
    this.#actions += 1;
    if (this.#actions % ACTIONS_PER_CHUNK !== 0) return;
    await this.#next(undefined);
  }

  /** The path of a zip with the last actions. */
  async take(): Promise<string> {
    this.#taken += 1;
    const path = join(this.#folder, `trace-${this.#taken}.zip`);
    await this.#next(path);
    return path;
  }

  #next(path: string | undefined): Promise<void> {
    const { tracing } = this.#context;
    const turn = this.#turn.then(async () => {
      await tracing.stopChunk(path === undefined ? {} : { path });
      await tracing.startChunk();
    });
    this.#turn = turn.catch(() => undefined);
    return turn;
  }
}
