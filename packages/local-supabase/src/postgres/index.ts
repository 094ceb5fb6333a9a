/** Real PostgreSQL and real PostgREST behind the interface of the embedded server: the conformance twin. */
export { LocalSupabaseError, type LocalSupabaseErrorCode, SqlError } from '../errors.ts';
export type { Log, LogLevel, SupabaseServer, SupabaseServerOptions } from '../ports.ts';
export { type PostgresSupabaseServer, startPostgresSupabase } from './start-postgres-supabase.ts';
