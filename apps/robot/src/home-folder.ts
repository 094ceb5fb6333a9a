/** The robot's home: made when it is missing, for its owner only; and small files in it, written durably. */
import { chmod, lstat, mkdir, open, readdir, readFile, rename, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** Something in the home folder that a person has to look at. */
export class HomeError extends Error {
  readonly code = 'CONFIG_HOME';
  readonly category = 'permanent' as const;
}

/** @throws HomeError when the folder cannot be made */
export async function prepareHome(home: string): Promise<void> {
  try {
    await makeFolder(home, 0o700);
    await chmod(home, 0o700);
    await closeContents(home);
  } catch (error) {
    throw new HomeError(`the robot's home ${home} cannot be used: ${(error as Error).message}; set CASARE_HOME`, {
      cause: error,
    });
  }
}

/** A person's own; who may read them is told where they are read, so that a secret that was open is known to have been. */
const persons: ReadonlySet<string> = new Set(['config.json', 'secrets.json']);

/** What an earlier copy or another program has left open to others. A file of another user is for whoever uses it to refuse. */
async function closeContents(home: string): Promise<void> {
  if (process.platform === 'win32') return;
  for (const name of await readdir(home)) {
    const path = join(home, name);
    const found = await lstat(path).catch(() => null);
    if (found === null || persons.has(name) || (found.mode & 0o077) === 0) continue;
    if (found.isDirectory()) await chmod(path, 0o700).catch(() => undefined);
    else if (found.isFile()) await chmod(path, 0o600).catch(() => undefined);
  }
}

/**
 * Makes a folder and those above it, one by one: Node's recursive mkdir never returns in places such as
 * /proc, where nothing can be made.
 */
export async function makeFolder(path: string, mode?: number): Promise<void> {
  const options = mode === undefined ? {} : { mode };
  try {
    await mkdir(path, options);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST' && (await stat(path)).isDirectory()) return;
    if (code !== 'ENOENT' || dirname(path) === path) throw error;
    await makeFolder(dirname(path), mode);
    await mkdir(path, options);
  }
}

/**
 * The file's JSON; undefined when there is no file.
 *
 * @throws HomeError when it is not JSON
 */
export async function readJson(path: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new HomeError(`${path} cannot be read: ${(error as Error).message}`, { cause: error });
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new HomeError(`${path} is not valid JSON; restore or delete it`, { cause: error });
  }
}

/** Replaces the file in one step; when this resolves, the new content survives a crash. */
export async function writeJsonDurably(path: string, value: unknown): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`;
  const file = await open(temporary, 'w', 0o600);
  try {
    await file.writeFile(`${JSON.stringify(value)}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
}
