/** An embedded Supabase on loopback: for demos, tests and `--local`. The real servers are in `./postgres`. */
export { type EmbeddedSupabaseServer, startEmbeddedSupabase } from './embedded/start-embedded-supabase.ts';
export { LocalSupabaseError, type LocalSupabaseErrorCode, SqlError } from './errors.ts';
export type { Log, LogLevel, SupabaseServer, SupabaseServerOptions } from './ports.ts';
