/**
 * Group commit: writes that are asked for within one turn of the event loop share one transaction, and
 * with it one flush to disk. A promise settles only after its COMMIT has returned (I3).
 *
 * If a group fails it is rolled back as a whole and each write runs again in a transaction of its own, so
 * one bad write costs the others nothing. Works must therefore change nothing but the database.
 */
import type Database from 'better-sqlite3';
import { StoreError } from '../errors.ts';
import type { Clock } from '../ports.ts';
import { isBusy, translateStorageError } from './storage-errors.ts';

export interface GroupCommitOptions {
  readonly clock: Clock;
  /** Runs a callback after the present turn. Default `setImmediate`. */
  readonly schedule?: (callback: () => void) => void;
  /** Largest number of writes in one transaction. Default 500. */
  readonly maxGroup?: number;
  /** Writes that may wait; one more is refused (I7). Default 10,000. */
  readonly maxWaiting?: number;
}

interface Write {
  readonly work: () => unknown;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** Pauses between attempts while somebody else has the file locked; the event loop runs meanwhile. */
const busyPausesMs = [20, 50, 100, 200, 500, 1_000, 1_000, 1_000, 1_000] as const;

export class GroupCommit {
  readonly #path: string;
  readonly #clock: Clock;
  readonly #schedule: (callback: () => void) => void;
  readonly #maxGroup: number;
  readonly #maxWaiting: number;
  readonly #runAll: Database.Transaction<(group: readonly Write[]) => unknown[]>;
  #waiting: Write[] = [];
  #draining: Promise<void> | null = null;
  #commits = 0;
  #transactions = 0;

  constructor(db: Database.Database, options: GroupCommitOptions) {
    this.#path = db.name;
    this.#clock = options.clock;
    this.#schedule = options.schedule ?? setImmediate;
    this.#maxGroup = options.maxGroup ?? 500;
    this.#maxWaiting = options.maxWaiting ?? 10_000;
    this.#runAll = db.transaction((group: readonly Write[]) => group.map((write) => write.work()));
  }

  /** Writes that were committed, and the transactions that it took. */
  get counts(): { readonly commits: number; readonly transactions: number } {
    return { commits: this.#commits, transactions: this.#transactions };
  }

  /** Runs `work` in a transaction; resolves with its value once that is committed. */
  add<T>(work: () => T): Promise<T> {
    if (this.#waiting.length >= this.#maxWaiting) {
      return Promise.reject(new StoreError('STORE_BUSY', `${this.#maxWaiting} writes are waiting for ${this.#path}.`));
    }
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({ work, resolve: resolve as (value: unknown) => void, reject });
      this.#draining ??= this.#drain();
    });
  }

  /** Resolves when nothing is waiting any more. */
  async idle(): Promise<void> {
    while (this.#draining !== null) await this.#draining;
  }

  async #drain(): Promise<void> {
    while (this.#waiting.length > 0) {
      await new Promise<void>((resolve) => this.#schedule(resolve));
      await this.#commit(this.#waiting.splice(0, this.#maxGroup));
    }
    this.#draining = null;
  }

  async #commit(group: readonly Write[]): Promise<void> {
    for (const pauseMs of [...busyPausesMs, null]) {
      const failure = this.#attempt(group);
      if (failure === null) return;
      if (isBusy(failure.error) && pauseMs !== null) {
        await this.#clock.sleep(pauseMs);
      } else if (group.length === 1 || isBusy(failure.error)) {
        for (const write of group) write.reject(translateStorageError(failure.error, this.#path));
        return;
      } else {
        for (const write of group) await this.#commit([write]);
        return;
      }
    }
  }

  #attempt(group: readonly Write[]): { readonly error: unknown } | null {
    let values: unknown[];
    try {
      values = this.#runAll.immediate(group);
    } catch (error) {
      return { error };
    }
    this.#transactions += 1;
    this.#commits += group.length;
    for (const [index, write] of group.entries()) write.resolve(values[index]);
    return null;
  }
}
