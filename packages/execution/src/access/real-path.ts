/**
 * Where a path really leads: every link on the way is followed, also those of folders above something that does not
 * exist yet, and a link that leads to nothing counts as its target, because writing through it makes that file.
 */
import { lstatSync, readlinkSync, realpathSync } from 'node:fs';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';

/** As many links as Linux follows in one path. */
const MAX_LINKS = 40;

/**
 * @param path absolute
 * @throws Error (`ELOOP`) when links lead in a circle
 */
export function realPathOf(path: string): string {
  return follow(resolve(path), 0);
}

function follow(path: string, links: number): string {
  if (links > MAX_LINKS) throw Object.assign(new Error(`${path} is a link in a circle`), { code: 'ELOOP' });
  try {
    return realpathSync.native(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ELOOP') throw error;
  }
  const parent = dirname(path);
  if (parent === path) return path;
  const realParent = follow(parent, links);
  const here = join(realParent, basename(path));
  const target = linkTarget(here);
  return target === null ? here : follow(resolve(realParent, target), links + 1);
}

function linkTarget(path: string): string | null {
  try {
    return lstatSync(path).isSymbolicLink() ? readlinkSync(path) : null;
  } catch {
    return null;
  }
}

/** True when `path` is `folder` or lies in it; both real. */
export function isWithin(path: string, folder: string): boolean {
  const rest = relative(folder, path);
  return rest === '' || (rest !== '..' && !rest.startsWith(`..${sep}`) && resolve(folder, rest) === resolve(path));
}
