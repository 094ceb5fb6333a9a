/** Rows of the dead letters: what was given up, superseded or found damaged. Part of the caller's transaction. */
import type Database from 'better-sqlite3';
import { rowChecksum } from '../database/checksum.ts';
import type { DeadLetter, Disposition } from './outbox.ts';
import { type DeadLetterRow, deadLetterChecksum, isIntact, type OutboxRow, toDeadLetter } from './outbox-row.ts';

const lastName = 'dead_letter_last';

/**
 * The highest number that a dead letter ever had, as an SQL expression; 0 for none. Operators name dead letters by their
 * numbers, so none is given again, also when the one that had it is gone.
 */
export const lastDeadLetter: string = `coalesce((SELECT CAST(value AS INTEGER) FROM meta WHERE name = '${lastName}'), 0)`;

export class DeadLetterTable {
  readonly #insert: Database.Statement<unknown[]>;
  readonly #select: Database.Statement<[string, number], DeadLetterRow>;
  readonly #selectOne: Database.Statement<[number], DeadLetterRow>;
  readonly #delete: Database.Statement<[number]>;
  readonly #deleteBefore: Database.Statement<[number]>;
  readonly #count: Database.Statement<[], { n: number }>;
  readonly #last: Database.Statement<[], number>;
  readonly #noteLast: Database.Statement<[string, string, number]>;

  constructor(db: Database.Database) {
    this.#insert = db.prepare('INSERT INTO dead_letters VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)');
    this.#select = db.prepare(
      `SELECT * FROM dead_letters WHERE disposition IN (SELECT value FROM json_each(?))
       ORDER BY dead_at_ms DESC, id DESC LIMIT ?`,
    );
    this.#selectOne = db.prepare('SELECT * FROM dead_letters WHERE id = ?');
    this.#delete = db.prepare('DELETE FROM dead_letters WHERE id = ?');
    this.#deleteBefore = db.prepare('DELETE FROM dead_letters WHERE dead_at_ms < ?');
    this.#last = db.prepare<[], number>(`SELECT ${lastDeadLetter}`).pluck() as never;
    this.#noteLast = db.prepare('INSERT OR REPLACE INTO meta VALUES (?, ?, ?)');
    this.#count = db.prepare("SELECT count(*) AS n FROM dead_letters WHERE disposition <> 'superseded'");
  }

  insert(
    entry: OutboxRow & { readonly job_id: string; readonly lease_token: string },
    disposition: Disposition,
    reason: string,
    nowMs: number,
  ): void {
    const { id, job_id, lease_token, seq, kind, payload, recorded_at_ms, keep, attempts } = entry;
    const kept = isIntact(entry) ? disposition : 'damaged';
    const claim = { job_id, lease_token, seq, kind, payload, recorded_at_ms, keep };
    const row = { ...claim, attempts, disposition: kept, reason, dead_at_ms: nowMs };
    this.#insert.run(id, ...Object.values(row), deadLetterChecksum(row));
    const last = String(Math.max(id, this.#last.get() ?? 0));
    this.#noteLast.run(lastName, last, rowChecksum([lastName, last]));
  }

  /** An intact one. */
  find(id: number): DeadLetterRow | undefined {
    const row = this.#selectOne.get(id);
    return row !== undefined && toDeadLetter(row).disposition !== 'damaged' ? row : undefined;
  }

  /** The newest first. */
  list(dispositions: readonly Disposition[], limit: number): DeadLetter[] {
    return this.#select.all(JSON.stringify(dispositions), limit).map(toDeadLetter);
  }

  remove(id: number): number {
    return this.#delete.run(id).changes;
  }

  removeBefore(beforeMs: number): number {
    return this.#deleteBefore.run(beforeMs).changes;
  }

  /** Without superseded ones: those were delivered. */
  count(): number {
    return this.#count.get()?.n ?? 0;
  }
}
