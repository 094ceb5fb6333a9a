/**
 * The thread of the embedded server. PostgreSQL as WebAssembly computes synchronously; in a thread of its own it
 * delays neither the heartbeat nor the timers of the process that started it.
 *
 * Stages: lock the folder, open the database, migrate, listen ("ready"), answer, stop.
 */
import { existsSync } from 'node:fs';
import { chmod, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { Closers } from '../closers.ts';
import { LocalSupabaseError } from '../errors.ts';
import { lockFolder } from '../folder-lock.ts';
import { freshSettings } from '../fresh-settings.ts';
import { readSettings, writeSettings } from '../kept-settings.ts';
import { applyMigrations, defaultMigrationsDir, type Migration, readMigrations } from '../migrations.ts';
import type { Log } from '../ports.ts';
import { systemClock } from '../system-clock.ts';
import { type Engine, openEngine } from './engine.ts';
import { openHttpDoor } from './http-door.ts';
import { pristineDatabase } from './pristine-database.ts';
import { quietConsole } from './quiet-console.ts';
import type { FromWorker, ToWorker, WorkerInput } from './worker-protocol.ts';

const owner = parentPort;
if (owner === null) throw new Error('this module runs in a worker thread only');

const say = (message: FromWorker): void => owner.postMessage(message);
const log: Log = (level, message) => say({ kind: 'log', level, message });
const closers = new Closers();

quietConsole(log);
owner.on('message', (message: ToWorker) => {
  if (message.kind === 'stop') void stop();
});

try {
  await start(workerData as WorkerInput);
} catch (error) {
  await close();
  say({
    kind: 'failed',
    code: error instanceof LocalSupabaseError ? error.code : 'SERVER_FAILED',
    message: messageOf(error),
  });
  owner.close();
}

async function start(input: WorkerInput): Promise<void> {
  const { dataDir } = input;
  const migrations = await readMigrations(input.migrationsDir);
  if (dataDir !== null) await takeFolder(dataDir);
  const kept = dataDir === null ? null : await readSettings(settingsPath(dataDir));
  const settings = kept ?? (await freshSettings());

  const folder = dataDir === null ? null : databasePath(dataDir);
  const isNew = folder === null || (await readdir(folder)).length === 0;
  const fresh = isNew ? await newDatabase(input.migrationsDir, migrations) : null;
  const engine = await openEngine({ folder, fresh }, settings);
  closers.add(() => engine.close());
  await applyMigrations(engine, migrations, log);

  const door = await openHttpDoor((request) => engine.fetch(request), {
    asked: input.port,
    last: settings.port,
    log,
  });
  closers.add(() => door.close());
  if (dataDir !== null && (kept === null || door.port !== kept.port)) {
    await writeSettings(settingsPath(dataDir), { ...settings, port: door.port });
  }
  if (dataDir !== null) await rm(firstStartPath(dataDir), { force: true });
  owner?.on('message', (message: ToWorker) => {
    if (message.kind === 'sql') void answerSql(engine, message);
  });
  say({ kind: 'ready', port: door.port, settings });
}

/** Migrations of the caller's own may change from start to start: they are applied each time. */
async function newDatabase(migrationsDir: string, migrations: readonly Migration[]): Promise<Blob | null> {
  const isOurs = migrationsDir === defaultMigrationsDir();
  const database = await pristineDatabase(log, isOurs ? migrations : []);
  if (isOurs && database !== null) log('info', `new database with all migrations up to ${migrations.at(-1)?.name}`);
  return database;
}

function settingsPath(dataDir: string): string {
  return join(dataDir, 'embedded.json');
}

function databasePath(dataDir: string): string {
  return join(dataDir, 'database');
}

/** There from the making of the database until the first "ready": what it marks holds nothing that counts. */
function firstStartPath(dataDir: string): string {
  return join(dataDir, 'first-start');
}

async function takeFolder(dataDir: string): Promise<void> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const lock = await lockFolder(dataDir, { clock: systemClock });
  closers.add(() => lock.release());
  if (existsSync(firstStartPath(dataDir))) await rm(databasePath(dataDir), { recursive: true, force: true });
  if (!existsSync(databasePath(dataDir))) {
    await writeFile(firstStartPath(dataDir), '', { mode: 0o600 });
    await mkdir(databasePath(dataDir));
  }
  await chmod(databasePath(dataDir), 0o700);
}

async function answerSql(engine: Engine, message: Extract<ToWorker, { kind: 'sql' }>): Promise<void> {
  try {
    say({ kind: 'rows', id: message.id, rows: await engine.sql(message.text, message.params) });
  } catch (error) {
    const { code = '', hint } = error as { code?: string; hint?: string };
    say({ kind: 'refused', id: message.id, message: messageOf(error), code, hint });
  }
}

async function stop(): Promise<void> {
  await close();
  owner?.close();
}

async function close(): Promise<void> {
  try {
    await closers.close();
  } catch (error) {
    log('error', `while stopping: ${messageOf(error)}`);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
