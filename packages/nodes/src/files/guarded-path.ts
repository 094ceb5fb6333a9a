/**
 * Guards against accidents, not against a hostile author: folders that hold keys are closed, and those of the
 * system are read-only, unless the node sets `allow_dangerous_paths`.
 */
import { homedir } from 'node:os';
import { join, relative, sep } from 'node:path';
import { NodeError } from '../errors.ts';

export type Access = 'read' | 'write';

const KEY_FOLDERS = ['.ssh', '.gnupg', '.aws', '.azure', '.kube'];
const SYSTEM_FOLDERS =
  process.platform === 'win32'
    ? ['C:\\Windows', 'C:\\Program Files', 'C:\\Program Files (x86)']
    : ['/bin', '/boot', '/etc', '/lib', '/lib32', '/lib64', '/proc', '/sbin', '/sys', '/usr'];

interface PathDoor {
  resolvePath(path: string): string;
}

/**
 * The absolute path of a workflow's path.
 *
 * @throws NodeError `FILE_PATH_INVALID` or `FILE_PATH_PROTECTED`
 */
export function guardedPath(door: PathDoor, path: string, access: Access, allowDangerous: boolean): string {
  if (path.includes('\0')) {
    throw new NodeError('The path holds a NUL character', { code: 'FILE_PATH_INVALID' });
  }
  const absolute = door.resolvePath(path);
  const home = homedir();
  const closed = KEY_FOLDERS.map((name) => join(home, name));
  const protectedFolders = access === 'write' ? [...closed, ...SYSTEM_FOLDERS] : closed;
  const folder = protectedFolders.find((candidate) => isWithin(absolute, candidate));
  if (folder !== undefined && !allowDangerous) {
    throw new NodeError(
      `${absolute} is in the protected folder ${folder}: set allow_dangerous_paths if this is meant`,
      {
        code: 'FILE_PATH_PROTECTED',
        errorType: 'PermissionError',
      },
    );
  }
  return absolute;
}

function isWithin(path: string, folder: string): boolean {
  const rest = relative(folder, path);
  return rest === '' || (rest !== '..' && !rest.startsWith(`..${sep}`) && !/^[A-Za-z]:/.test(rest));
}
