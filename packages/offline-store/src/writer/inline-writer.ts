/**
 * A writer in the caller's own thread: commits what was asked for within one turn of the event loop, at its end.
 * It saves a step the way to another thread and back, and holds the event loop up for as long as the disk takes.
 */
import { translateStorageError } from '../database/storage-errors.ts';
import { StoreError } from '../errors.ts';
import type { StoreCommand, ValueOf } from './commands.ts';
import { type CommitEngine, openEngine } from './commit-engine.ts';
import type { Writer } from './writer.ts';
import type { EngineSetup, WriterStatus } from './writer-messages.ts';

interface Waiting {
  readonly command: StoreCommand;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

export class InlineWriter implements Writer {
  readonly opened: Promise<void> = Promise.resolve();
  readonly #path: string;
  readonly #engine: CommitEngine;
  readonly #maxWaiting: number;
  #waiting: Waiting[] = [];

  /** @throws StoreError see `openEngine` */
  constructor(setup: EngineSetup, maxWaiting: number) {
    this.#path = setup.path;
    this.#maxWaiting = maxWaiting;
    this.#engine = openEngine(setup, null);
  }

  async run<Command extends StoreCommand>(command: Command): Promise<ValueOf<Command>> {
    if (this.#waiting.length >= this.#maxWaiting) {
      throw new StoreError('STORE_BUSY', `${this.#maxWaiting} writes are waiting for ${this.#path}.`);
    }
    return new Promise<ValueOf<Command>>((resolve, reject) => {
      if (this.#waiting.length === 0) setImmediate(() => this.#commit());
      this.#waiting.push({ command, resolve: resolve as (value: unknown) => void, reject });
    });
  }

  async status(): Promise<WriterStatus> {
    return this.#engine.status();
  }

  async truncate(): Promise<void> {
    this.#engine.truncate();
  }

  async close(): Promise<void> {
    this.#commit();
    this.#engine.close();
  }

  #commit(): void {
    const group = this.#waiting;
    if (group.length === 0) return;
    this.#waiting = [];
    const outcomes = this.#engine.commits.run(group.map(({ command }) => command));
    for (const [index, { resolve, reject }] of group.entries()) {
      const outcome = outcomes[index];
      if (outcome?.ok === true) resolve(outcome.value);
      else reject(translateStorageError(outcome?.error, this.#path));
    }
  }
}
