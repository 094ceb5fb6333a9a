/** Which file a path means: enough to tell after a crash whether it is still the same one. */
import type { JsonObject, JsonValue } from '../ports.ts';
import { isObject } from '../values/kind-of.ts';
import { lstatOrNull } from './stat-or-null.ts';

export interface FileIdentity extends JsonObject {
  readonly dev: number;
  readonly ino: number;
  readonly size: number;
  readonly modified_ms: number;
  readonly folder: boolean;
}

/** Of the path itself, links not followed; null when there is nothing. */
export async function identityOf(path: string): Promise<FileIdentity | null> {
  const found = await lstatOrNull(path);
  if (found === null) return null;
  return {
    dev: found.dev,
    ino: found.ino,
    size: found.size,
    modified_ms: Math.trunc(found.mtimeMs),
    folder: found.isDirectory(),
  };
}

/**
 * The same file, unchanged. Numbers of deleted files are given out again, so size and time must agree as well
 * (a folder's may change when it is moved); on another disk they alone decide.
 */
export function isSameFile(a: JsonValue, b: JsonValue): boolean {
  if (!isObject(a) || !isObject(b) || a.folder !== b.folder) return false;
  const contentAgrees = a.size === b.size && a.modified_ms === b.modified_ms;
  return a.dev === b.dev ? a.ino === b.ino && (contentAgrees || a.folder === true) : contentAgrees;
}
