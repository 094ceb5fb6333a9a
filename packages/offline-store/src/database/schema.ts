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
  revision: number;
  /** Last sequence numbers given out. */
  journal_seq: number;
  first_seq: number;
  snapshot_seq: number;
  checkpoint_seq: number;
  outbox_seq: number;
  synced_at_ms: number | null;
  crc: number;
}

/** The tables that cold queries are about; the others are reached by prepared statements only. */
export interface StoreSchema {
  jobs: JobsTable;
  job_states: JobStatesTable;
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
