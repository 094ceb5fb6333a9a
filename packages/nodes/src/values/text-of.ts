/**
 * How a value reads as text wherever a node needs text (joining, formatting, writing a file): strings as they
 * are, numbers in their shortest form (`3`, `0.5`), `true`/`false`, null as nothing, lists and objects as JSON.
 */
import type { JsonValue } from '../ports.ts';

export function textOf(value: JsonValue): string {
  if (typeof value === 'string') return value;
  if (value === null) return '';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
