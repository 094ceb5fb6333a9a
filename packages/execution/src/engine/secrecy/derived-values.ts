/**
 * What a node that was given secrets makes of them is secret, too, unless its type says that its outputs come from
 * outside: then only what holds a known secret is. Texts that the node was given openly stay open, and so do truth values
 * and small numbers.
 */
import type { JsonObject } from '../../json.ts';
import { isPlaceholder } from '../../model/placeholder.ts';
import { type RunSecrets, textsIn } from './run-secrets.ts';
import type { SecretPath } from './secret-path.ts';

/** A number with fewer digits is a count or an index. */
const MIN_DIGITS = 4;
const MAX_PARTS = 50;

export interface GivenValues {
  readonly outputs: JsonObject;
  readonly variables: JsonObject;
}

/**
 * Learns the derived texts of a result.
 *
 * @param inputs what the node was given
 * @returns the paths of the derived parts of the result's entry
 */
export function learnDerivedValues(
  secrets: RunSecrets,
  { outputs, variables }: GivenValues,
  inputs: unknown,
): readonly SecretPath[] {
  const open = new Set([...textsIn(inputs)].filter((text) => !secrets.holds(text)));
  const isDerived = (value: unknown): boolean => {
    if (typeof value === 'number') return String(value).length >= MIN_DIGITS && !open.has(String(value));
    return typeof value === 'string' && value.trim() !== '' && !open.has(value);
  };
  const parts = (values: JsonObject, place: string): [SecretPath, unknown][] =>
    Object.entries(values).flatMap(([name, value]) => {
      const found = [...derivedIn(value, [place, name], isDerived)];
      return found.length > MAX_PARTS ? [[[place, name], value] as [SecretPath, unknown]] : found;
    });
  const derived = [...parts(outputs, 'outputs'), ...parts(variables, 'variables')];
  for (const [, value] of derived) secrets.learnDerived(value);
  return derived.map(([path]) => path);
}

function* derivedIn(
  value: unknown,
  at: SecretPath,
  isDerived: (value: unknown) => boolean,
): Generator<[SecretPath, unknown]> {
  if (typeof value !== 'object' || value === null) {
    if (isDerived(value)) yield [at, value];
    return;
  }
  // Names of live objects are no data.
  if (Object.hasOwn(value, '$resource') || isPlaceholder(value)) return;
  for (const [key, item] of Object.entries(value)) {
    yield* derivedIn(item, [...at, Array.isArray(value) ? Number(key) : key], isDerived);
  }
}
