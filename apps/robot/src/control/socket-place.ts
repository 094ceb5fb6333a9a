/**
 * Where a robot's control socket is: `robot.sock` in its home. The system allows such a path only about a hundred
 * bytes; for a home whose path is longer, the socket is made in a folder of its own below the temporary folder, and
 * `robot.sock.json` in the home says where, and for which home: in a copy of it it means nothing. On Windows it is a named pipe whose name is derived from the home.
 */
import { createHash } from 'node:crypto';
import { chmod, lstat, mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { readJson, writeJsonDurably } from '../home-folder.ts';

/** Longest path of a socket in bytes: `sun_path` without its end mark; unix(7), and sys/un.h of macOS and the BSDs. */
export function longestSocketPath(platform: NodeJS.Platform): number {
  return platform === 'linux' ? 107 : 103;
}

export interface SocketPlace {
  readonly path: string;
  /** Removes what was made for the socket beside it. */
  dispose(): Promise<void>;
}

const nothing = async (): Promise<void> => undefined;

/**
 * Prepares the place for a socket. Only the one robot that owns the home may ask: a socket that is there already is
 * one that a dead robot left, and is removed.
 *
 * @throws Error when something else than a socket is in its place, or no path is short enough
 */
export async function prepareSocketPlace(
  home: string,
  platform: NodeJS.Platform = process.platform,
): Promise<SocketPlace> {
  if (platform === 'win32') return { path: pipeName(home), dispose: nothing };
  const ownPath = join(home, 'robot.sock');
  await forgetPointer(home);
  if (isShortEnough(ownPath, platform)) {
    await removeStaleSocket(ownPath);
    return { path: ownPath, dispose: nothing };
  }
  const folder = await mkdtemp(join(tmpdir(), 'casare-'));
  await chmod(folder, 0o700);
  const path = join(folder, 'robot.sock');
  const dispose = async (): Promise<void> => {
    await rm(pointerOf(home), { force: true });
    await rm(folder, { recursive: true, force: true });
  };
  if (!isShortEnough(path, platform)) {
    await dispose();
    throw new Error(`${ownPath} and ${path} are both too long for a socket; choose a shorter CASARE_HOME`);
  }
  await writeJsonDurably(pointerOf(home), { path, home: await realpath(home) });
  return { path, dispose };
}

/** Where the socket of the robot of this home is, if it runs. */
export async function findSocket(home: string, platform: NodeJS.Platform = process.platform): Promise<string> {
  if (platform === 'win32') return pipeName(home);
  return (await pointedPath(home)) ?? join(home, 'robot.sock');
}

function isShortEnough(path: string, platform: NodeJS.Platform): boolean {
  return Buffer.byteLength(path) <= longestSocketPath(platform);
}

function pipeName(home: string): string {
  const digest = createHash('sha256').update(home.toLowerCase()).digest('hex').slice(0, 32);
  return `\\\\.\\pipe\\casare-robot-${digest}`;
}

function pointerOf(home: string): string {
  return join(home, 'robot.sock.json');
}

async function pointedPath(home: string): Promise<string | null> {
  const pointer = (await readJson(pointerOf(home))) as { path?: unknown; home?: unknown } | null | undefined;
  if (typeof pointer?.path !== 'string') return null;
  // Earlier versions did not say whose it is.
  const isOwn = pointer.home === undefined || pointer.home === (await realpath(home));
  return isOwn ? pointer.path : null;
}

/** What a robot that died left below the temporary folder; only folders that we make ourselves are removed. */
async function forgetPointer(home: string): Promise<void> {
  const path = await pointedPath(home).catch(() => null);
  await rm(pointerOf(home), { force: true });
  if (path === null || !dirname(path).startsWith(join(tmpdir(), 'casare-'))) return;
  await rm(path, { force: true });
  await rm(dirname(path), { recursive: true, force: true });
}

async function removeStaleSocket(path: string): Promise<void> {
  const found = await lstat(path).catch(() => null);
  if (found === null) return;
  if (!found.isSocket()) throw new Error(`${path} is no socket; move it away`);
  await rm(path, { force: true });
}
