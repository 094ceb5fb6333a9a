/** The tables as Kysely sees them, and a builder that only compiles: the store runs statements itself. */
import { DummyDriver, type Generated, Kysely, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler } from 'kysely';

/** What was known when the job was cached; never changed. One row per claim of a job. */
export interface JobsTable {
  run_id: Generated<number>;
  job_id: string;
  /** Decimal text; empty for a job without a lease. */
  lease_token: string;
  robot_id: string;
  name: string | null;
  workflow_json: string;
  variables: string;
  original_status: string;
  on_lost: string;
  in_doubt_policy: string | null;
  timeout_ms: number | null;
  cached_at_ms: number;
  crc: number;
}

/** What changes while the job lives: small, since every commit rewrites it. */
export interface JobStatesTable {
  run_id: number;
  status: string;
  state: string;
  lease: string | null;
  /** Last sequence numbers given out. */
  journal_seq: number;
  outbox_seq: number;
  synced_at_ms: number | null;
  crc: number;
}

export interface JournalTable {
  run_id: number;
  seq: number;
  kind: string;
  node_id: string | null;
  recorded_at_ms: number;
  payload: string;
  crc: number;
}

export interface OutboxTable {
  id: Generated<number>;
  run_id: number;
  seq: number;
  kind: string;
  payload: string;
  recorded_at_ms: number;
  /** 1: never dropped to make room. */
  keep: number;
  crc: number;
  /** Permanent answers so far. */
  attempts: number;
  last_error: string | null;
}

export interface DeadLettersTable {
  id: number;
  job_id: string;
  lease_token: string;
  seq: number;
  kind: string;
  payload: string;
  recorded_at_ms: number;
  keep: number;
  crc: number;
  attempts: number;
  reason: string;
  dead_at_ms: number;
}

export interface CountersTable {
  name: string;
  value: number;
}

export interface StoreSchema {
  jobs: JobsTable;
  job_states: JobStatesTable;
  journal: JournalTable;
  outbox: OutboxTable;
  dead_letters: DeadLettersTable;
  counters: CountersTable;
}

/** Compiles cold queries; hot ones are prepared statements beside their table. */
export const sqlBuilder: Kysely<StoreSchema> = new Kysely<StoreSchema>({
  dialect: {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  },
});
