/**
 * The character U+0000: JSON can hold it, the database's `jsonb` cannot, so a value with it could be neither enqueued
 * nor reported.
 *
 * Source: PostgreSQL manual, "JSON Types" (`\u0000` is rejected).
 */
import type { JsonValue } from '../json.ts';

/** The way to the first text or name with U+0000 in it; null when there is none. */
export function pathToNul(value: JsonValue): readonly string[] | null {
  if (typeof value === 'string') return value.includes('\u0000') ? [] : null;
  if (typeof value !== 'object' || value === null) return null;
  for (const [key, item] of Object.entries(value) as [string, JsonValue][]) {
    if (key.includes('\u0000')) return [visible(key)];
    const path = pathToNul(item);
    if (path !== null) return [key, ...path];
  }
  return null;
}

/** For messages: what cannot be seen is written as it stands in JSON. */
export function visible(text: string): string {
  return text.replaceAll('\u0000', '\\u0000');
}
