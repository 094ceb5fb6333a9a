/**
 * A writer in the caller's own thread: commits what was asked for once nothing else is left to run that waits for no
 * event. It saves a step the way to another thread and back, and holds the event loop up for as long as the disk
 * takes; a caller that goes on at once gets a few commits in a row before timers and sockets have their turn.
 */
import type Database from 'better-sqlite3';
import { translateStorageError } from '../database/storage-errors.ts';
import { StoreError } from '../errors.ts';
import type { StoreCommand, ValueOf } from './commands.ts';
import { type CommitEngine, openEngine } from './commit-engine.ts';
import type { Writer } from './writer.ts';
import type { EngineSetup, WriterStatus } from './writer-messages.ts';

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** How long commits may follow each other without a turn of the event loop. */
const maxHoldMs = 4;

const settled = Promise.resolve();

export class InlineWriter implements Writer {
  readonly opened: Promise<void> = Promise.resolve();
  readonly sharesConnection = true;
  readonly #path: string;
  readonly #engine: CommitEngine;
  readonly #maxWaiting: number;
  readonly #monotonic: () => number;
  /** Commands that are not committed yet, and at the same places those who wait for them. */
  #commands: StoreCommand[] = [];
  #waiting: Waiting[] = [];
  /** The event loop had its turn then, on the monotonic clock. */
  #turnAtMs = Number.NEGATIVE_INFINITY;
  readonly #commitNow = (): void => this.#commit();
  readonly #commitNext = (): void => void settled.then(this.#commitNow);

  /**
   * @param db the store's only connection: what is read on it is what has been committed, since no transaction outlasts
   *   a call; closed with the writer
   * @param monotonic ms since an arbitrary origin
   */
  constructor(db: Database.Database, setup: EngineSetup, maxWaiting: number, monotonic: () => number) {
    this.#path = setup.path;
    this.#maxWaiting = maxWaiting;
    this.#monotonic = monotonic;
    this.#engine = openEngine(db, setup, null);
  }

  run<Command extends StoreCommand>(command: Command): Promise<ValueOf<Command>> {
    return new Promise<ValueOf<Command>>((resolve, reject) => {
      if (this.#waiting.length >= this.#maxWaiting) {
        reject(new StoreError('STORE_BUSY', `${this.#maxWaiting} writes are waiting for ${this.#path}.`));
        return;
      }
      if (this.#waiting.length === 0) this.#commitSoon();
      this.#commands.push(command);
      this.#waiting.push({ resolve: resolve as (value: unknown) => void, reject });
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

  /** Two promises later: those that go on with their next step at the same time have asked by then. */
  #commitSoon(): void {
    if (this.#monotonic() - this.#turnAtMs < maxHoldMs) {
      void settled.then(this.#commitNext);
      return;
    }
    setImmediate(() => {
      this.#turnAtMs = this.#monotonic();
      this.#commit();
    });
  }

  #commit(): void {
    const waiting = this.#waiting;
    if (waiting.length === 0) return;
    const commands = this.#commands;
    this.#waiting = [];
    this.#commands = [];
    const outcomes = this.#engine.commits.run(commands);
    for (let index = 0; index < waiting.length; index += 1) {
      const { resolve, reject } = waiting[index] as Waiting;
      const outcome = outcomes[index];
      if (outcome?.ok === true) resolve(outcome.value);
      else reject(translateStorageError(outcome?.error, this.#path));
    }
  }
}
