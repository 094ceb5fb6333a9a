/**
 * The soft quota of a store's file, in three steps: first events are not written any more, then no steps, and
 * what ends a job is still saved from the reserve below `maxBytes`. SQLite enforces it by `max_page_count`;
 * pages that were freed count as room, so work goes on by itself once something has been sent or cleaned away.
 */
import Database from 'better-sqlite3';

export interface QuotaLimits {
  /** Null for no limit. */
  readonly maxBytes: number | null;
  /** Part of `maxBytes` that only outcomes may use. */
  readonly reserveBytes: number;
}

/**
 * How much may be written at once, in bytes: half of what steps may use, so that there is room for it, and for a whole state
 * that holds it, once nothing else is in the way. Null for no limit.
 */
export function largestWriteBytes({ maxBytes, reserveBytes }: QuotaLimits): number | null {
  return maxBytes === null ? null : Math.floor((maxBytes - reserveBytes) / 2);
}

/** `none`: all is written. `events`: events are refused. `steps`: only what ends a job is written. */
export type Pressure = 'none' | 'events' | 'steps';

/** Events are refused once the pages in use exceed this part of what steps may use. */
const eventsShare = 0.9;

/** Looks that may be left out while there is room: a hundredth of what steps may use must not go by unseen. */
const maxCommitsBetweenLooks = 64;
/** Pages that a commit writes, roughly. */
const pagesPerCommit = 4;

export class Quota {
  readonly #db: Database.Database;
  readonly #limits: { readonly steps: number; readonly all: number } | null;
  readonly #pageCount: Database.Statement<[], number>;
  readonly #freePages: Database.Statement<[], number>;
  readonly #lookEvery: number;
  #commitsUntilLook = 0;
  /** The reserve was used once: SQLite limits the file no more, since it never limits one below its size. */
  #isFileLarger = false;
  /** The limit for steps is to be set again. */
  #isReserveInReach = false;
  #pressure: Pressure = 'none';

  constructor(db: Database.Database, limits: QuotaLimits) {
    this.#db = db;
    this.#pageCount = db.prepare<[], number>('PRAGMA page_count').pluck() as never;
    this.#freePages = db.prepare<[], number>('PRAGMA freelist_count').pluck() as never;
    const { maxBytes, reserveBytes } = limits;
    if (maxBytes === null) {
      this.#limits = null;
      this.#lookEvery = Number.POSITIVE_INFINITY;
      return;
    }
    const pageSize = db.pragma('page_size', { simple: true }) as number;
    const all = Math.max(1, Math.floor(maxBytes / pageSize));
    this.#limits = { all, steps: Math.max(1, all - Math.ceil(reserveBytes / pageSize)) };
    const rarely = Math.floor(this.#limits.steps / 100 / pagesPerCommit);
    this.#lookEvery = Math.min(maxCommitsBetweenLooks, Math.max(1, rarely));
    this.#setLimit(this.#limits.steps);
  }

  get pressure(): Pressure {
    return this.#pressure;
  }

  /** Whether steps may have to leave the reserve alone. */
  get mayHoldBack(): boolean {
    return this.#isFileLarger;
  }

  /** After a commit: looks how much is in use if it has not done so for a while, or if that matters. Does not throw. */
  committed(): void {
    this.#commitsUntilLook -= 1;
    if (this.#commitsUntilLook <= 0 || this.#pressure !== 'none') this.look();
  }

  /** Does not throw: what cannot be read now is looked at after the next commit, and what was known holds until then. */
  look(): void {
    try {
      this.#look();
      this.#commitsUntilLook = this.#lookEvery;
    } catch {
      this.#commitsUntilLook = 0;
    }
  }

  #look(): void {
    if (this.#limits === null) return;
    const { steps } = this.#limits;
    if (this.#isReserveInReach) this.#closeReserve(steps);
    const inUse = this.#pagesInUse();
    this.#isFileLarger = (this.#pageCount.get() ?? 0) > steps;
    this.#pressure = inUse >= steps ? 'steps' : inUse >= steps * eventsShare ? 'events' : 'none';
  }

  /**
   * To be called in the transaction of what must leave the reserve alone: pages that were freed since the reserve was
   * used belong to it as long as more is in use than steps may take.
   *
   * @throws SqliteError `SQLITE_FULL`
   */
  requireRoomForSteps(): void {
    if (!this.#isFileLarger || this.#limits === null || this.#pagesInUse() <= this.#limits.steps) return;
    throw new Database.SqliteError('what is left is the reserve for outcomes', 'SQLITE_FULL');
  }

  /**
   * Runs `work` with the reserve in reach: half of it for what has happened, however large that is, so that the other half
   * is there for the ends of the jobs.
   */
  withReserve<T>(part: 'half' | 'whole', work: () => T): T {
    if (this.#limits === null) return work();
    this.#isReserveInReach = true;
    try {
      const { steps, all } = this.#limits;
      this.#setLimit(part === 'whole' ? all : Math.floor((steps + all) / 2));
    } catch {
      // The work says so itself, as far as it needs the reserve.
    }
    try {
      return work();
    } finally {
      this.look();
    }
  }

  #closeReserve(steps: number): void {
    this.#setLimit(steps);
    this.#isReserveInReach = false;
  }

  #pagesInUse(): number {
    return (this.#pageCount.get() ?? 0) - (this.#freePages.get() ?? 0);
  }

  /** SQLite raises a limit that is below the file's present size to that size. */
  #setLimit(pages: number): void {
    this.#db.pragma(`max_page_count = ${pages}`);
  }
}
