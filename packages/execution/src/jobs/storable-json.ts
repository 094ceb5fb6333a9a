/**
 * JSON that Postgres takes. Its `jsonb` refuses U+0000 and halves of surrogate pairs, and with them the
 * whole request; a job's result must not be lost to a stray character, so they become U+FFFD.
 *
 * Source: PostgreSQL manual, "JSON Types" (`\u0000` is rejected, surrogates must form pairs).
 */
import type { JsonValue } from '../json.ts';

const replacement = '\u{fffd}';

export function storableJson(value: JsonValue): JsonValue {
  if (typeof value === 'string') return storableText(value);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item: JsonValue) => storableJson(item));
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [storableText(key), storableJson(item)]));
}

function storableText(text: string): string {
  return text.toWellFormed().replaceAll('\u0000', replacement);
}
