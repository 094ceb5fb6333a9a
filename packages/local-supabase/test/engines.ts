/** The servers that must behave alike. The real ones exist for Linux x64 only; elsewhere the embedded one runs alone. */
import { type SupabaseServer, type SupabaseServerOptions, startEmbeddedSupabase } from '../src/index.ts';
import { startPostgresSupabase } from '../src/postgres/index.ts';

export interface Engine {
  readonly name: string;
  /** Whether statements of several clients really run at the same time. */
  readonly parallel: boolean;
  start(options?: SupabaseServerOptions): Promise<SupabaseServer>;
}

export const hasRealPostgres: boolean = process.platform === 'linux' && process.arch === 'x64';

const embedded: Engine = { name: 'embedded', parallel: false, start: startEmbeddedSupabase };
const real: Engine = { name: 'PostgreSQL and PostgREST', parallel: true, start: startPostgresSupabase };

if (!hasRealPostgres) console.warn('No PostgREST for this platform: the suite runs on the embedded server only.');

export const engines: readonly Engine[] = hasRealPostgres ? [embedded, real] : [embedded];
