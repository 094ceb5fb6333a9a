/**
 * PostgreSQL refuses to run as root. Who it runs as instead, without touching the machine's users:
 *
 *   self       the caller is an ordinary user: just run it
 *   namespace  the caller is root: `unshare --user` gives the process another user id in its own eyes, while files
 *              still see root, so that it reaches folders that nobody else can read
 *   nobody     the caller is root and user namespaces are forbidden (containers): really become the user "nobody",
 *              for whom the programs are copied where it can read them
 */
import { spawnSync } from 'node:child_process';
import { chmod, chown, cp, lchown, mkdir, readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { LocalSupabaseError } from '../errors.ts';

export type RunAs =
  | { readonly kind: 'self' }
  | { readonly kind: 'namespace' }
  | { readonly kind: 'nobody'; readonly ids: { readonly uid: number; readonly gid: number } };

const forBuildingOnly = /\/pgxs$|\/include$|\.a$/;
const nobody = { uid: 65_534, gid: 65_534 };

export function chooseRunAs(): RunAs {
  if (process.getuid?.() !== 0) return { kind: 'self' };
  const [program, ...args] = inNamespace(['id', '-u']);
  const probe = spawnSync(program, args, { encoding: 'utf8' });
  return probe.status === 0 && probe.stdout.trim() !== '0' ? { kind: 'namespace' } : { kind: 'nobody', ids: nobody };
}

/** The command that runs `command` in a user namespace of its own. */
export function inNamespace(command: readonly string[]): readonly [string, ...string[]] {
  return ['unshare', '--user', '--', ...command];
}

/** The programs, or a copy of them in `scratchDir` when the user they run as cannot read the originals. */
export async function reachablePrograms(runAs: RunAs, home: string, scratchDir: string): Promise<string> {
  if (runAs.kind !== 'nobody' || (await canEnter(runAs.ids.uid, home))) return home;
  const copy = join(scratchDir, 'programs');
  await cp(home, copy, { recursive: true, verbatimSymlinks: true, filter: (path) => !forBuildingOnly.test(path) });
  await own(copy, runAs.ids);
  return copy;
}

/** Makes a folder that the server can call its own. Throws with code `SERVER_FAILED` where it could never get to it. */
export async function prepareFolder(runAs: RunAs, path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  if (runAs.kind === 'self') return;
  if (runAs.kind === 'nobody' && !(await canEnter(runAs.ids.uid, dirname(path)))) {
    throw new LocalSupabaseError(
      'SERVER_FAILED',
      `PostgreSQL cannot run as root here, and the user nobody cannot enter ${dirname(path)}; choose another dataDir`,
    );
  }
  await own(path, runAs.kind === 'nobody' ? runAs.ids : { uid: 0, gid: 0 });
}

/** Makes the folder above the server's own one; it can pass through, but sees nothing there. */
export async function prepareParentFolder(runAs: RunAs, path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  if (runAs.kind === 'nobody') await chmod(path, (await stat(path)).mode | 0o001);
}

async function canEnter(uid: number, path: string): Promise<boolean> {
  const { mode, uid: owner } = await stat(path);
  if ((mode & (owner === uid ? 0o100 : 0o001)) === 0) return false;
  return dirname(path) === path || canEnter(uid, dirname(path));
}

/** Changes the owner of a whole tree, unless its root shows that this was done before. */
async function own(path: string, ids: { readonly uid: number; readonly gid: number }): Promise<void> {
  if ((await stat(path)).uid === ids.uid) return;
  for (const entry of await readdir(path, { recursive: true })) await lchown(join(path, entry), ids.uid, ids.gid);
  await chown(path, ids.uid, ids.gid);
}
