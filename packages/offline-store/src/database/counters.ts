/** Totals that outlive the rows they count: what was dropped, given up or cleaned away (I7). */
import type Database from 'better-sqlite3';

export type CounterName =
  | 'outbox_acknowledged'
  | 'outbox_dropped'
  | 'outbox_dead'
  | 'dead_letters_cleaned'
  | 'jobs_cleaned';

export class Counters {
  readonly #add: Database.Statement<[string, number]>;
  readonly #get: Database.Statement<[string], { value: number }>;

  constructor(db: Database.Database) {
    this.#add = db.prepare(
      'INSERT INTO counters (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = value + excluded.value',
    );
    this.#get = db.prepare('SELECT value FROM counters WHERE name = ?');
  }

  /** Part of the caller's transaction. */
  add(name: CounterName, count: number): void {
    if (count > 0) this.#add.run(name, count);
  }

  get(name: CounterName): number {
    return this.#get.get(name)?.value ?? 0;
  }
}
