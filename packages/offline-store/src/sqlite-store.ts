/**
 * The store on one SQLite file with one owner (design 4.5). It is open until `close()`; afterwards every
 * call fails with `STORE_CLOSED`.
 *
 * Reads run at once, on a connection of the caller's thread, and see what has been committed; writes go to
 * the writer's thread (`writer/`), so that a slow disk holds up nobody but those who wait for it.
 *
 * Keeps I3 (what was acknowledged is on disk), I5 (final is final), I6 (outbox numbered without gaps),
 * I7 (size limits with counters) and I10 (a step costs what it changed).
 */
import { statSync } from 'node:fs';
import type Database from 'better-sqlite3';
import { cleanStore } from './cleanup.ts';
import type { OwnerLock } from './database/owner-lock.ts';
import { translateStorageError } from './database/storage-errors.ts';
import { type CorruptRecordError, StoreError, ValueTooLargeError } from './errors.ts';
import type { RunRef } from './jobs/job-rows.ts';
import { RunReader } from './journal/run-reader.ts';
import type { OutboxLimits } from './outbox/outbox.ts';
import { SqliteOutbox } from './outbox/sqlite-outbox.ts';
import { explainFull } from './own-share.ts';
import type { Clock } from './ports.ts';
import { checkCleanup, checkLimit } from './queue-arguments.ts';
import { type Incident, listIncidents } from './rescue/incidents.ts';
import type { OpeningReport } from './rescue/open-rescued.ts';
import { SecretBox } from './secrets/secret-box.ts';
import type { SecretKeys } from './secrets/secret-keys.ts';
import type { CleanupOptions, CleanupReport, KeyUse, Store, StoreOptions, StoreStats, Synchronous } from './store.ts';
import type { StoreAccess } from './store-access.ts';
import type { StoreCommand, ValueOf } from './writer/commands.ts';
import { largestWriteBytes } from './writer/quota.ts';
import { type StoreTables, storeTables } from './writer/store-tables.ts';
import type { Writer } from './writer/writer.ts';

export interface SqliteStoreOptions extends Omit<StoreOptions, 'outbox'> {
  readonly synchronous: Synchronous;
  readonly maxBytes: number | null;
  readonly reserveBytes: number;
  readonly outbox: OutboxLimits;
  readonly clock: Clock;
}

export interface SqliteStoreParts {
  /** For reads. */
  readonly db: Database.Database;
  readonly lock: OwnerLock;
  readonly writer: Writer;
  readonly report: OpeningReport;
}

/** The store with what the parts of this package need of it; users see `Store`. */
export class SqliteStore implements Store, StoreAccess {
  readonly path: string;
  readonly robotId: string;
  readonly clock: Clock;
  readonly outbox: SqliteOutbox;
  readonly opening: OpeningReport;
  readonly tables: StoreTables;
  readonly reader: RunReader;
  /** Run ids of the claims that are being recorded: each has one handle, whichever manager made it. */
  readonly recording: Set<number> = new Set();
  readonly #parts: SqliteStoreParts;
  readonly #options: SqliteStoreOptions;
  readonly #fileId: string | null;
  readonly #largestWriteBytes: number | null;
  /** Runs a query of several statements on one state of the file. */
  readonly #snapshot: (query: () => unknown) => unknown;
  #closing: Promise<void> | null = null;

  constructor(parts: SqliteStoreParts, options: SqliteStoreOptions) {
    const { clock, logger } = options;
    this.path = options.path;
    this.robotId = options.robotId;
    this.clock = clock;
    this.opening = parts.report;
    this.#fileId = fileIdOf(options.path);
    this.#parts = parts;
    this.#options = options;
    this.#largestWriteBytes = largestWriteBytes(options);
    this.#snapshot = parts.db.transaction((query: () => unknown) => query());
    const box = new SecretBox(options.keys ?? null);
    this.tables = storeTables(parts.db, { box, outbox: options.outbox });
    this.reader = new RunReader(this.tables);
    const { outbox: table, deadLetters: dead, counters } = this.tables;
    this.outbox = new SqliteOutbox({ access: this, table, dead, counters, clock, logger });
  }

  /** The inside of a store that `openStore` made. */
  static of(store: Store): SqliteStore {
    if (store instanceof SqliteStore) return store;
    throw new StoreError('INVALID_ARGUMENT', 'A store is what openStore returns.');
  }

  get isOpen(): boolean {
    return this.#closing === null;
  }

  /** Resolves once the writer has opened the file, with the settings asserted on its connection. */
  async ready(): Promise<void> {
    await this.#parts.writer.opened;
  }

  async read<T>(query: () => T): Promise<T> {
    return this.readNow(query);
  }

  readNow<T>(query: () => T): T {
    this.#assertOpen();
    try {
      return this.#snapshot(query) as T;
    } catch (error) {
      throw translateStorageError(error, this.path);
    }
  }

  /**
   * @param texts what is to be written at once
   * @throws ValueTooLargeError when that is more than this store ever takes
   */
  requireFit(what: string, texts: readonly string[]): void {
    if (this.#largestWriteBytes === null) return;
    let length = 0;
    for (const text of texts) length += text.length;
    // A character takes three bytes at most.
    if (length * 3 <= this.#largestWriteBytes) return;
    const bytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
    if (bytes > this.#largestWriteBytes) throw new ValueTooLargeError(what, bytes, this.#largestWriteBytes);
  }

  /** What a refusal for want of room means to the job that met it; any other error stays as it is. */
  explainRefusal(error: unknown, run: RunRef, texts: readonly string[]): unknown {
    if (!(error instanceof StoreError) || error.code !== 'STORE_FULL' || !this.isOpen) return error;
    const bytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
    return this.readNow(() => explainFull(this.#parts.db, run, bytes, this.#options, error));
  }

  write<Command extends StoreCommand>(command: Command): Promise<ValueOf<Command>> {
    if (this.#closing !== null) return Promise.reject(this.#closedError());
    return this.#parts.writer.run(command);
  }

  async stats(): Promise<StoreStats> {
    this.#assertOpen();
    const { synchronous, maxBytes, reserveBytes } = this.#options;
    const { counters } = this.tables;
    const status = await this.#parts.writer.status();
    return this.read(() => {
      const pageBytes = this.#pragma('page_size');
      return {
        synchronous,
        ...status,
        isInPlace: this.#fileId === fileIdOf(this.path),
        bytes: this.#pragma('page_count') * pageBytes,
        freeBytes: this.#pragma('freelist_count') * pageBytes,
        maxBytes,
        reserveBytes,
        commitsRefused: counters.get('commits_refused'),
        reserveUsed: counters.get('reserve_used'),
        journalCompacted: counters.get('journal_compacted'),
      };
    });
  }

  incidents(limit = 100): Promise<Incident[]> {
    return this.read(() => listIncidents(this.#parts.db, checkLimit(limit)));
  }

  async useKeys(keys: SecretKeys): Promise<void> {
    this.#assertOpen();
    this.tables.box.use(keys);
    await this.write({ op: 'use-keys', keys });
  }

  sealedWith(): Promise<KeyUse[]> {
    return this.read(() =>
      this.#parts.db
        .prepare<[], KeyUse>(
          `SELECT substr(part.value ->> 1, 1, instr(part.value ->> 1, ':') - 1) AS keyId, count(*) AS entries
           FROM journal, json_each(journal.sealed) AS part WHERE sealed IS NOT NULL GROUP BY keyId ORDER BY keyId`,
        )
        .all(),
    );
  }

  async cleanup(options: CleanupOptions = {}): Promise<CleanupReport> {
    const report = await cleanStore(
      { db: this.#parts.db, access: this, outbox: this.outbox, clock: this.clock },
      checkCleanup(options),
    );
    if (Object.values(report).some((removed) => removed > 0)) await this.#parts.writer.truncate();
    return report;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** A damaged record that a list leaves out. */
  reportDamage(error: CorruptRecordError): void {
    this.#options.logger?.log('critical', error.message, { job_id: error.jobId });
  }

  /** The connection that was closed last moves the log into the file: that is the writer's, in its thread. */
  async #close(): Promise<void> {
    const { db, writer, lock } = this.#parts;
    await writer.opened.catch(() => {});
    if (!writer.sharesConnection) db.close();
    await writer.close();
    lock.release();
  }

  #assertOpen(): void {
    if (this.#closing !== null) throw this.#closedError();
  }

  #closedError(): StoreError {
    return new StoreError('STORE_CLOSED', `The store ${this.path} has been closed.`);
  }

  #pragma(name: string): number {
    return this.#parts.db.pragma(name, { simple: true }) as number;
  }
}

/** Tells a file from another one in its place; null when there is none. */
function fileIdOf(path: string): string | null {
  const found = statSync(path, { throwIfNoEntry: false, bigint: true });
  return found === undefined ? null : `${found.dev}:${found.ino}`;
}
