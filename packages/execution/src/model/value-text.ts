/** How values read as text, and which of them count as true: one rule for templates, conditions and expressions. */
import type { JsonValue } from '../json.ts';
import { isPlaceholder, placeholderText } from './placeholder.ts';

/**
 * A value as text: strings as they are, numbers in their shortest form, `true` and `false`, null as nothing,
 * objects and lists as JSON; a value that only its name is known of (`placeholder.ts`) as its kind says.
 *
 * @example
 * toText([1, true]); // '[1,true]'
 * toText(null); // ''
 */
export function toText(value: JsonValue): string {
  if (typeof value === 'string') return value;
  if (value === null) return '';
  if (isPlaceholder(value)) return placeholderText(value);
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

const FALSE_TEXTS = new Set(['false', '0', 'no', '']);

/** True for the texts that mean false: `false`, `0`, `no` and blank, whatever the case. */
export function isFalseText(text: string): boolean {
  return text.length <= 16 ? FALSE_TEXTS.has(text.trim().toLowerCase()) : text.trim() === '';
}

/**
 * Whether a value counts as true. False are `false`, null, 0, empty lists and objects, and the texts `"false"`,
 * `"0"`, `"no"` and `""`.
 */
export function isTruthy(value: JsonValue): boolean {
  if (typeof value === 'string') return !isFalseText(value);
  if (value === null || typeof value !== 'object') return Boolean(value);
  return Array.isArray(value) ? value.length > 0 : Object.keys(value).length > 0;
}

/** What a value is, in the words of messages. */
export function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'string') return 'text';
  if (typeof value === 'number') return 'a number';
  return typeof value === 'boolean' ? 'a boolean' : 'an object';
}

export function isJsonObject(value: unknown): value is Readonly<Record<string, JsonValue>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
