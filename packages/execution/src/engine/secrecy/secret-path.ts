/** Parts of a value, named by the way to them. */

import { ArgumentError } from '../../argument-error.ts';

/** The way from a value's root to one of its parts: `['variables', 'token']`. */
export type SecretPath = readonly (string | number)[];

/** What stands in the place of a secret wherever it is shown. */
export const HIDDEN = '[redacted]';

type Container = Record<string | number, unknown>;

/** Undefined where the way leads nowhere. */
export function partAt(value: unknown, path: SecretPath): unknown {
  let at = value;
  for (const key of path) {
    at = typeof at === 'object' && at !== null && Object.hasOwn(at, key) ? (at as Container)[key] : undefined;
  }
  return at;
}

/**
 * A copy in which the parts at these paths are hidden.
 *
 * @throws ArgumentError for `paths` that are no lists of keys
 * @example
 * withHidden({ variables: { token: 't', n: 1 } }, [['variables', 'token']]); // { variables: { token: '[redacted]', n: 1 } }
 */
export function withHidden<T>(value: T, paths: readonly SecretPath[] | undefined): T {
  requirePaths(paths);
  return (paths ?? []).reduce<unknown>((hidden, path) => hiddenAt(hidden, path), value) as T;
}

function requirePaths(paths: unknown): void {
  const isKey = (key: unknown): boolean => typeof key === 'string' || typeof key === 'number';
  const isPath = (path: unknown): boolean => Array.isArray(path) && path.every(isKey);
  if (paths === undefined || (Array.isArray(paths) && paths.every(isPath))) return;
  throw new ArgumentError('paths', "a list of paths, such as [['variables', 'token']]", paths);
}

function hiddenAt(value: unknown, [key, ...rest]: SecretPath): unknown {
  if (key === undefined) return HIDDEN;
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return value;
  if (Array.isArray(value)) {
    const index = Number(key);
    return Number.isInteger(index) ? value.with(index, hiddenAt(value[index], rest)) : value;
  }
  const part = String(key);
  const entries = Object.entries(value).map(([name, item]) => [name, name === part ? hiddenAt(item, rest) : item]);
  return Object.fromEntries(entries);
}
