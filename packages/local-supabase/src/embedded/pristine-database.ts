/**
 * A new database with the migrations in it, kept as one file for this user: making one takes several seconds of
 * computing in WebAssembly, reading it back about one. It holds no data and no keys. Without such a file (a folder that
 * cannot be written, say) everything works, each first start only takes longer.
 */
import { createHash, randomBytes } from 'node:crypto';
import { chmod, lstat, mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freshSettings } from '../fresh-settings.ts';
import { applyMigrations, type Migration } from '../migrations.ts';
import type { Log } from '../ports.ts';
import { systemClock } from '../system-clock.ts';
import { openEngine } from './engine.ts';

/** Files that are kept, of those used last (I7): each is about 40 MB, and each set of migrations has its own. */
const filesKept = 4;

/**
 * @param migrations those that are to be applied already
 * @param folder default: one of this user's below the system's folder for temporary files
 * @returns null when there is none and none can be kept
 */
export async function pristineDatabase(
  log: Log,
  migrations: readonly Migration[],
  folder: string = ownFolder(),
  make: (migrations: readonly Migration[]) => Promise<Blob> = dumpNewDatabase,
): Promise<Blob | null> {
  try {
    await claimPrivateFolder(folder);
    const path = join(folder, `${await engineVersion()}-${digestOf(migrations)}${suffix}`);
    const kept = await readKept(path);
    if (kept !== null) return kept;
    const made = await keep(path, await make(migrations));
    await removeOld(folder);
    return made;
  } catch (error) {
    log('debug', `no prepared database to start from: ${error instanceof Error ? error.message : String(error)}`);
    return null;
  }
}

function ownFolder(): string {
  return join(tmpdir(), `casare-embedded-${process.getuid?.() ?? 'user'}`);
}

/** What lies there becomes a database that programs trust: nobody else may be able to put a file there. */
async function claimPrivateFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const found = await lstat(folder);
  if (!found.isDirectory() || (process.getuid !== undefined && found.uid !== process.getuid())) {
    throw new Error(`${folder} is not a folder of this user`);
  }
  if ((found.mode & 0o022) !== 0) await chmod(folder, 0o700);
}

/** The library pins the database engine that it comes with. */
async function engineVersion(): Promise<string> {
  for (let folder = dirname(fileURLToPath(import.meta.resolve('@supabase/lite/pglite'))); ; folder = dirname(folder)) {
    const text = await readFile(join(folder, 'package.json'), 'utf8').catch(() => '{}');
    const { name, version } = JSON.parse(text) as { name?: string; version?: string };
    if (name === '@supabase/lite' && version !== undefined) return version;
    if (folder === dirname(folder)) throw new Error('the version of @supabase/lite is unknown');
  }
}

/** Null when there is none, or when it is not what was written. */
async function readKept(path: string): Promise<Blob | null> {
  const kept = await readFile(path).catch(() => null);
  if (kept === null) return null;
  const content = kept.subarray(checksumBytes);
  if (!kept.subarray(0, checksumBytes).equals(checksumOf(content))) return null;
  const now = systemClock.now() / 1_000;
  await utimes(path, now, now);
  return new Blob([content]);
}

const suffix = '.database';
const checksumBytes = 32;

function digestOf(migrations: readonly Migration[]): string {
  const hash = createHash('sha256');
  for (const { name, text } of migrations) hash.update(`${name}\0${text}\0`);
  return hash.digest('hex').slice(0, 16);
}

function checksumOf(content: Uint8Array): Buffer {
  return createHash('sha256').update(content).digest();
}

async function dumpNewDatabase(migrations: readonly Migration[]): Promise<Blob> {
  const engine = await openEngine({ folder: null, fresh: null }, await freshSettings());
  try {
    await applyMigrations(engine, migrations, () => undefined);
    return await engine.dump();
  } finally {
    await engine.close();
  }
}

/** Written beside and renamed: whoever does it at the same time leaves an equally good one. */
async function keep(path: string, made: Blob): Promise<Blob> {
  const content = new Uint8Array(await made.arrayBuffer());
  const beside = `${path}-${randomBytes(6).toString('hex')}`;
  try {
    await writeFile(beside, Buffer.concat([checksumOf(content), content]), { mode: 0o600 });
    await rename(beside, path);
  } catch (error) {
    await rm(beside, { force: true });
    throw error;
  }
  return made;
}

async function removeOld(folder: string): Promise<void> {
  const names = (await readdir(folder)).filter((name) => name.endsWith(suffix));
  const files = await Promise.all(
    names.map(async (name) => {
      const path = join(folder, name);
      return { path, usedAt: (await stat(path).catch(() => null))?.mtimeMs ?? 0 };
    }),
  );
  files.sort((a, b) => b.usedAt - a.usedAt);
  await Promise.all(files.slice(filesKept).map(({ path }) => rm(path, { force: true })));
}
