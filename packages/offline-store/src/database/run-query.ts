/** Runs what the query builder compiled, on the store's own connection and in its present transaction. */
import type Database from 'better-sqlite3';
import type { Compilable } from 'kysely';

export function selectRows<Row>(db: Database.Database, query: Compilable<Row>): Row[] {
  const { sql, parameters } = query.compile();
  return db.prepare<unknown[], Row>(sql).all(...parameters);
}
