/**
 * JSON that Postgres takes. Its `jsonb` refuses U+0000 and halves of surrogate pairs, and with them the
 * whole request; a job's result must not be lost to a stray character, so they become U+FFFD.
 *
 * Source: PostgreSQL manual, "JSON Types" (`\u0000` is rejected, surrogates must form pairs).
 */
import { ArgumentError } from '../argument-error.ts';
import { isPlainObject } from '../argument-shapes.ts';
import type { JsonObject, JsonValue } from '../json.ts';

const replacement = '\u{fffd}';

/** @throws ArgumentError naming the innermost key whose value is no JSON */
export function storableJson(value: JsonValue, key = 'value'): JsonValue {
  if (typeof value === 'string') return storableText(value);
  if (typeof value === 'bigint' || typeof value === 'symbol' || typeof value === 'function')
    throw new ArgumentError(key, 'a value of JSON: a text, number, boolean, null, list or object', value);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item: JsonValue) => storableJson(item, key));
  if (!isPlainObject(value)) throw new ArgumentError(key, 'plain JSON, not an instance of a class', value);
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [storableText(name), storableJson(item, name)]),
  );
}

/** @throws ArgumentError also for values that are circular, or nested too deep to be read */
export function storableArguments(args: JsonObject): JsonObject {
  try {
    return storableJson(args) as JsonObject;
  } catch (error) {
    if (!(error instanceof RangeError) || error instanceof ArgumentError) throw error;
    throw new ArgumentError(Object.keys(args).join(', '), 'nested less deep, and not circular', args);
  }
}

function storableText(text: string): string {
  return text.toWellFormed().replaceAll('\u0000', replacement);
}
