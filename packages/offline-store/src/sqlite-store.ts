/**
 * The store on one SQLite file with one owner (design 4.5). It is open until `close()`; afterwards every
 * call fails with `STORE_CLOSED`.
 *
 * Keeps I3 (what was acknowledged is on disk), I5 (final is final), I6 (outbox numbered without gaps),
 * I7 (size limits with counters) and I10 (a step costs what it changed).
 */
import type Database from 'better-sqlite3';
import { cleanStore } from './cleanup.ts';
import { Counters } from './database/counters.ts';
import { GroupCommit } from './database/group-commit.ts';
import type { OwnerLock } from './database/owner-lock.ts';
import { translateStorageError } from './database/storage-errors.ts';
import { StoreError } from './errors.ts';
import { JobTable } from './jobs/job-table.ts';
import { CheckpointLog } from './journal/checkpoint-log.ts';
import { JournalTable } from './journal/journal-table.ts';
import { RunLog } from './journal/run-log.ts';
import type { Outbox } from './outbox/outbox.ts';
import { OutboxTable } from './outbox/outbox-table.ts';
import { SqliteOutbox } from './outbox/sqlite-outbox.ts';
import type { Clock } from './ports.ts';
import type { CleanupOptions, CleanupReport, Store, StoreOptions, StoreStats, Synchronous } from './store.ts';
import type { StoreAccess } from './store-access.ts';

export interface SqliteStoreOptions extends StoreOptions {
  readonly synchronous: Synchronous;
  readonly maxBytes: number | null;
  readonly clock: Clock;
}

/** The store with what the parts of this package need of it; users see `Store`. */
export class SqliteStore implements Store, StoreAccess {
  readonly path: string;
  readonly robotId: string;
  readonly clock: Clock;
  /** For reads; writes go through `write`. */
  readonly db: Database.Database;
  readonly outbox: Outbox;
  readonly jobs: JobTable;
  readonly runLog: RunLog;
  readonly checkpoints: CheckpointLog;
  readonly #lock: OwnerLock;
  readonly #options: SqliteStoreOptions;
  readonly #commits: GroupCommit;
  readonly #counters: Counters;
  #closing: Promise<void> | null = null;

  constructor(db: Database.Database, lock: OwnerLock, options: SqliteStoreOptions) {
    const { clock, logger } = options;
    this.path = options.path;
    this.robotId = options.robotId;
    this.clock = clock;
    this.db = db;
    this.#lock = lock;
    this.#options = options;
    this.#commits = new GroupCommit(db, { clock });
    this.#counters = new Counters(db);
    const table = new OutboxTable(db, this.#counters, {
      maxEntries: options.outbox?.maxEntries ?? 100_000,
      maxPermanentFailures: options.outbox?.maxPermanentFailures ?? 5,
    });
    this.outbox = new SqliteOutbox({ access: this, table, counters: this.#counters, clock, logger });
    this.jobs = new JobTable(db);
    this.runLog = new RunLog({ jobs: this.jobs, journal: new JournalTable(db), outbox: table, clock });
    this.checkpoints = new CheckpointLog(this, this.jobs, this.runLog);
  }

  /** The inside of a store that `openStore` made. */
  static of(store: Store): SqliteStore {
    if (store instanceof SqliteStore) return store;
    throw new StoreError('INVALID_ARGUMENT', 'A store is what openStore returns.');
  }

  get isOpen(): boolean {
    return this.#closing === null;
  }

  async read<T>(query: () => T): Promise<T> {
    return this.readNow(query);
  }

  readNow<T>(query: () => T): T {
    this.#assertOpen();
    try {
      return query();
    } catch (error) {
      throw translateStorageError(error, this.path);
    }
  }

  async write<T>(work: () => T): Promise<T> {
    this.#assertOpen();
    return this.#commits.add(work);
  }

  stats(): Promise<StoreStats> {
    return this.read(() => ({
      synchronous: this.#options.synchronous,
      bytes: (this.#pragma('page_count') as number) * (this.#pragma('page_size') as number),
      maxBytes: this.#options.maxBytes,
      ...this.#commits.counts,
    }));
  }

  async cleanup(options: CleanupOptions = {}): Promise<CleanupReport> {
    const report = await cleanStore(
      { db: this.db, access: this, counters: this.#counters, clock: this.clock },
      options,
    );
    for (const runId of report.runIds) this.checkpoints.forget(runId);
    await this.read(() => this.db.pragma('wal_checkpoint(TRUNCATE)'));
    return report.counts;
  }

  close(): Promise<void> {
    this.#closing ??= this.#commits.idle().then(() => {
      this.db.close();
      this.#lock.release();
    });
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #assertOpen(): void {
    if (this.#closing !== null) throw new StoreError('STORE_CLOSED', `The store ${this.path} has been closed.`);
  }

  #pragma(name: string): unknown {
    return this.db.pragma(name, { simple: true });
  }
}
