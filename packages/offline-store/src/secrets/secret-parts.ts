/**
 * Takes the secret parts out of a value and puts them back: the place of each holds `null` meanwhile. Which
 * parts are secret is the caller's to say, by path. Pure.
 */
import { StoreError } from '../errors.ts';
import type { JsonValue } from '../json.ts';

/** The way from a value's root to one of its parts: `['variables', 'token']`. */
export type SecretPath = readonly (string | number)[];

export type SecretPart = readonly [path: SecretPath, value: JsonValue];

type Container = Record<string | number, unknown>;

/** @throws StoreError `INVALID_ARGUMENT` when a path leads nowhere: nothing secret is to be stored by a typo */
export function takeSecrets(
  value: object,
  paths: readonly SecretPath[],
): { readonly open: object; readonly secrets: readonly SecretPart[] } {
  let open: unknown = value;
  const secrets = paths.map((path): SecretPart => [path, partOf(value, path)]);
  for (const path of paths) open = replaced(open, path, null);
  return { open: open as object, secrets };
}

/** Puts the parts into `value` itself, which must be the caller's own. */
export function putSecrets<T>(value: T, secrets: readonly SecretPart[]): T {
  for (const [path, part] of secrets) {
    const target = path.slice(0, -1).reduce<unknown>((at, key) => (at as Container | undefined)?.[key], value);
    const last = path.at(-1);
    if (last === undefined || typeof target !== 'object' || target === null) continue;
    Object.defineProperty(target, last, { value: part, enumerable: true, configurable: true, writable: true });
  }
  return value;
}

function partOf(value: unknown, path: SecretPath): JsonValue {
  let at = value;
  for (const key of path) at = hasPart(at, key) ? (at as Container)[key] : undefined;
  if (path.length > 0 && at !== undefined) return at as JsonValue;
  throw new StoreError('INVALID_ARGUMENT', `There is no value at the secret path ${JSON.stringify(path)}.`);
}

/** Whether there is a part under the key: `5` and `'5'` name the same one, and of a list its items only are parts. */
function hasPart(value: unknown, key: string | number): boolean {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return false;
  return !Array.isArray(value) || Number.isInteger(Number(key));
}

function replaced(value: unknown, path: SecretPath, part: null): unknown {
  const [key, ...rest] = path;
  if (key === undefined || typeof value !== 'object' || value === null) return part;
  if (Array.isArray(value))
    return value.map((item, index) => (index === Number(key) ? replaced(item, rest, part) : item));
  const entries = Object.entries(value).map(([name, item]) => [
    name,
    name === String(key) ? replaced(item, rest, part) : item,
  ]);
  return Object.fromEntries(entries);
}
