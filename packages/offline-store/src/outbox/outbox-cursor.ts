/**
 * How far the outbox has taken in what lies in the journal: the id of a row, in the file's own table of facts. One that
 * is missing or damaged counts as 0: then all is taken in again, and sending twice changes nothing (I6).
 */
import type Database from 'better-sqlite3';
import { rowChecksum } from '../database/checksum.ts';

const name = 'outbox_cursor';

/** The same as an SQL expression, as the file has it: for what asks for the rows behind it in one statement. */
export const storedCursor: string = `coalesce((SELECT CAST(value AS INTEGER) FROM meta WHERE name = '${name}'), 0)`;

export class OutboxCursor {
  readonly #select: Database.Statement<[], { value: string; crc: number }>;
  readonly #write: Database.Statement<[string, string, number]>;
  /** Null when the file is to be asked. */
  #known: number | null = null;
  #written = 0;

  constructor(db: Database.Database) {
    this.#select = db.prepare(`SELECT value, crc FROM meta WHERE name = '${name}'`);
    this.#write = db.prepare('INSERT OR REPLACE INTO meta VALUES (?, ?, ?)');
  }

  get id(): number {
    if (this.#known !== null) return this.#known;
    const row = this.#select.get();
    const isWhole = row !== undefined && rowChecksum([name, row.value]) === row.crc;
    this.#written = isWhole ? Number(row.value) : 0;
    this.#known = this.#written;
    return this.#known;
  }

  /** Remembers that there is nothing to take in up to `id`; what is forgotten of that costs a look. */
  pass(id: number): void {
    this.#known = Math.max(this.id, id);
  }

  /** Part of the caller's transaction. */
  save(): void {
    if (this.id === this.#written) return;
    this.#written = this.id;
    this.#write.run(name, String(this.id), rowChecksum([name, String(this.id)]));
  }

  /** Called after a ROLLBACK. */
  forget(): void {
    this.#known = null;
  }
}
