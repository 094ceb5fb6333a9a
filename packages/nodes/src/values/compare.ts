/**
 * Equality and order of JSON values.
 *
 * Strict: as Python has it, types apart (`"5"` is not `5`).
 * Loose: for values that a person typed into a node, where a number may be written as text and true as `"true"`.
 */
import type { JsonValue } from '../ports.ts';
import { isObject } from './kind-of.ts';
import { numericText } from './numeric-text.ts';

export function strictlyEqual(a: JsonValue, b: JsonValue): boolean {
  if (a === b) return true;
  if (Array.isArray(a)) {
    return Array.isArray(b) && a.length === b.length && a.every((item, index) => strictlyEqual(item, b[index]));
  }
  if (!isObject(a) || !isObject(b)) return false;
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length &&
    keys.every((key) => Object.hasOwn(b, key) && strictlyEqual(a[key] as JsonValue, b[key] as JsonValue))
  );
}

export function looselyEqual(a: JsonValue, b: JsonValue): boolean {
  const [left, right] = alike(a, b);
  return strictlyEqual(left, right);
}

/** Below, at or above zero as `a` comes before, with or after `b`; null when the two have no order. */
export function strictOrder(a: JsonValue, b: JsonValue): number | null {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  if (typeof a === 'boolean' && typeof b === 'boolean') return Number(a) - Number(b);
  if (typeof a === 'string' && typeof b === 'string') return a === b ? 0 : a < b ? -1 : 1;
  if (!Array.isArray(a) || !Array.isArray(b)) return null;
  for (let index = 0; index < Math.min(a.length, b.length); index += 1) {
    if (strictlyEqual(a[index], b[index])) continue;
    return strictOrder(a[index], b[index]);
  }
  return a.length - b.length;
}

/** Like {@link strictOrder}, but text that spells a number counts as that number, on both sides. */
export function looseOrder(a: JsonValue, b: JsonValue): number | null {
  if (typeof a === 'string' && typeof b === 'string') {
    const left = numericText(a);
    const right = numericText(b);
    if (left !== null && right !== null) return left - right;
  }
  const [left, right] = alike(a, b);
  return strictOrder(left, right);
}

/** Both values in one type when one of them is the other's text. */
function alike(a: JsonValue, b: JsonValue): [JsonValue, JsonValue] {
  if (typeof a === 'string' && typeof b !== 'string') return [inTypeOf(b, a), b];
  if (typeof b === 'string' && typeof a !== 'string') return [a, inTypeOf(a, b)];
  return [a, b];
}

function inTypeOf(model: JsonValue, text: string): JsonValue {
  if (typeof model === 'number') return numericText(text) ?? text;
  if (typeof model === 'boolean') {
    const word = text.trim().toLowerCase();
    return word === 'true' ? true : word === 'false' ? false : text;
  }
  return text;
}
