/** Totals that outlive the rows they count: what was dropped, refused, given up or cleaned away (I7). */
import type Database from 'better-sqlite3';
import { rowChecksum } from './checksum.ts';

export type CounterName =
  | 'outbox_acknowledged'
  | 'outbox_dropped'
  | 'outbox_refused'
  | 'outbox_dead'
  | 'outbox_superseded'
  | 'outbox_requeued'
  | 'outbox_discarded'
  | 'dead_letters_cleaned'
  | 'jobs_cleaned'
  | 'journal_compacted'
  | 'commits_refused'
  | 'reserve_used';

export class Counters {
  readonly #set: Database.Statement<[string, number, number]>;
  readonly #get: Database.Statement<[string], { value: number; crc: number }>;

  constructor(db: Database.Database) {
    this.#set = db.prepare('INSERT OR REPLACE INTO counters (name, value, crc) VALUES (?, ?, ?)');
    this.#get = db.prepare('SELECT value, crc FROM counters WHERE name = ?');
  }

  /** Part of the caller's transaction. */
  add(name: CounterName, count: number): void {
    if (count <= 0) return;
    const value = this.get(name) + count;
    this.#set.run(name, value, rowChecksum([name, value]));
  }

  /** A damaged counter begins again at 0. */
  get(name: CounterName): number {
    const row = this.#get.get(name);
    return row !== undefined && rowChecksum([name, row.value]) === row.crc ? row.value : 0;
  }
}
