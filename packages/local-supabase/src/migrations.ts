/**
 * Applies the numbered SQL files, in the order of their names, each in a transaction of its own.
 *
 * What was applied is recorded with a checksum in `casare_migrations.applied`. A file is applied when it is new or
 * has changed since, and so are those behind it, which may replace what it defines; the files are written so that
 * applying one again is safe.
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LocalSupabaseError } from './errors.ts';
import type { Log } from './ports.ts';

export type RunSql = (text: string, params?: readonly unknown[]) => Promise<readonly Record<string, unknown>[]>;

/** The database as a migration sees it: everything in `work` happens, or nothing does. */
export interface MigrationTarget {
  transaction(work: (run: RunSql) => Promise<void>): Promise<void>;
}

export interface Migration {
  readonly name: string;
  readonly text: string;
}

const bookkeeping = `
  create schema if not exists casare_migrations;
  create table if not exists casare_migrations.applied (
    name text primary key,
    checksum text not null,
    applied_at timestamptz not null default clock_timestamp()
  );
  alter table casare_migrations.applied enable row level security;
`;

/** Beside the built code in an installed package, at the root of the repository otherwise. */
export function defaultMigrationsDir(): string {
  const candidates = ['./migrations', '../../../migrations'].map((path) =>
    fileURLToPath(new URL(path, import.meta.url)),
  );
  const found = candidates.find((path) => existsSync(path));
  if (found === undefined) {
    throw new LocalSupabaseError('MIGRATION_FAILED', `no migrations folder found in ${candidates.join(' or ')}`);
  }
  return found;
}

/** Reads the migrations in a folder, in the order in which they are applied. */
export async function readMigrations(folder: string): Promise<Migration[]> {
  const entries = await readdir(folder).catch((cause: unknown) => {
    throw new LocalSupabaseError('MIGRATION_FAILED', `cannot read the migrations folder ${folder}`, { cause });
  });
  const names = entries.filter((name) => /^\d+.*\.sql$/.test(name)).sort();
  if (names.length === 0) throw new LocalSupabaseError('MIGRATION_FAILED', `no numbered .sql file in ${folder}`);
  return Promise.all(names.map(async (name) => ({ name, text: await readFile(join(folder, name), 'utf8') })));
}

/** Applies those that are new or changed, and all behind the first of them. */
export async function applyMigrations(
  target: MigrationTarget,
  migrations: readonly Migration[],
  log: Log,
): Promise<void> {
  let follows = false;
  for (const migration of migrations) {
    follows = await applyOne(target, migration, follows);
    if (follows) log('info', `applied migration ${migration.name}`);
  }
}

/** @param follows whether one before it was applied */
async function applyOne(target: MigrationTarget, { name, text }: Migration, follows: boolean): Promise<boolean> {
  const checksum = createHash('sha256').update(text).digest('hex');
  let changed = false;
  try {
    await target.transaction(async (run) => {
      await run("select pg_advisory_xact_lock(hashtextextended('casare.migrations', 0))");
      await run(bookkeeping);
      const known = await run('select checksum from casare_migrations.applied where name = $1', [name]);
      changed = follows || known[0]?.checksum !== checksum;
      if (!changed) return;
      await run(text);
      await run(
        `insert into casare_migrations.applied (name, checksum) values ($1, $2)
             on conflict (name) do update set checksum = excluded.checksum, applied_at = clock_timestamp()`,
        [name, checksum],
      );
    });
  } catch (cause) {
    throw new LocalSupabaseError('MIGRATION_FAILED', `migration ${name}${lineOf(cause, text)}: ${messageOf(cause)}`, {
      cause,
    });
  }
  return changed;
}

function lineOf(error: unknown, text: string): string {
  const position = Number((error as { position?: unknown }).position);
  return Number.isInteger(position) && position > 0 ? ` line ${text.slice(0, position).split('\n').length}` : '';
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
