/** Parameters that hold lists, objects or anything. */
import type { JsonObject, JsonValue } from '../ports.ts';
import { isObject, kindOf } from '../values/kind-of.ts';
import { type Param, param } from './param.ts';

/** A list, or JSON text of one; nothing, null and "" are the empty list. */
export function list(): Param<readonly JsonValue[]> {
  return param((value) => {
    const given = parsed(value) ?? [];
    return Array.isArray(given)
      ? { value: given as readonly JsonValue[] }
      : { problem: `must be a list, such as ["a", "b"], but is ${described(given)}` };
  }, 'list');
}

/** An object, or JSON text of one; nothing, null and "" are the empty object. */
export function dict(): Param<JsonObject> {
  return param((value) => {
    const given = parsed(value) ?? {};
    return isObject(given)
      ? { value: given as JsonObject }
      : { problem: `must be an object, such as {"name": "value"}, but is ${described(given)}` };
  }, 'object');
}

/** Any value; null when nothing is given. */
export function anything(): Param<JsonValue> {
  return param((value) => ({ value: (value ?? null) as JsonValue }));
}

function parsed(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  if (value.trim() === '') return null;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

/** Quotes nothing: headers and the like may hold what should not be shown. */
function described(value: unknown): string {
  return typeof value === 'string' ? 'text that is not JSON' : kindOf(value);
}
