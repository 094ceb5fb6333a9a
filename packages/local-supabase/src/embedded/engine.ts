/**
 * `@supabase/lite` on PGlite: REST, RPC and Auth over one PostgreSQL session inside this process.
 *
 * That library opens a transaction per request on its single session without keeping other requests out of it: two
 * requests at a time would share roles, and one's failure would undo the other's work. So everything that touches
 * the database goes through one queue here, requests and SQL alike.
 */
import { App } from '@supabase/lite';
import { createPgliteConnection } from '@supabase/lite/pglite';
import type { KeptSettings } from '../kept-settings.ts';
import type { MigrationTarget } from '../migrations.ts';
import { batchSettings, type Session } from './batched-settings.ts';
import { TaskQueue } from './task-queue.ts';

/** Where a database is; `fresh`: what a new one begins with, if there is such a thing. */
export interface DatabasePlace {
  /** Folder of the database, or null to keep it in memory. */
  readonly folder: string | null;
  readonly fresh: Blob | null;
}

export interface Engine extends MigrationTarget {
  fetch(request: Request): Promise<Response>;
  sql(text: string, params: readonly unknown[]): Promise<Record<string, unknown>[]>;
  /** The whole database as one file, to begin another one with. */
  dump(): Promise<Blob>;
  close(): Promise<void>;
}

export async function openEngine({ folder, fresh }: DatabasePlace, settings: KeptSettings): Promise<Engine> {
  const connection = await createPgliteConnection({
    ...(folder === null ? {} : { url: folder }),
    ...(fresh === null ? {} : { pgliteOptions: { loadDataDir: fresh } }),
  });
  batchSettings(connection.driver);
  const queue = new TaskQueue();
  const app = new App({
    connection,
    auth: {
      enabled: true,
      jwt_secret: settings.jwtSecret,
      secret_key: settings.serviceKey,
      publishable_key: settings.anonKey,
      email: { enable_confirmations: false },
    },
    options: { server: { admin: false, disableStudio: true, disableFallback: true } },
  });
  await app.init();
  await app.ensureSystemSchema();

  return {
    fetch: (request) => queue.run(async () => app.fetch(request)),
    sql: (text, params) => queue.run(() => runOn(connection.driver, text, params)),
    transaction: (work) =>
      queue.run(async () => {
        await connection.driver.transaction((tx) => work((text, params = []) => runOn(tx, text, params)));
        await connection.clearSchemaCache();
      }),
    dump: () =>
      queue.run(async () => {
        await connection.driver.exec('checkpoint');
        return connection.driver.dumpDataDir('none');
      }),
    close: () => queue.close(() => connection.close()),
  };
}

async function runOn(session: Session, text: string, params: readonly unknown[]): Promise<Record<string, unknown>[]> {
  if (params.length > 0) return (await session.query<Record<string, unknown>>(text, [...params])).rows;
  return (await session.exec(text)).at(-1)?.rows ?? [];
}
