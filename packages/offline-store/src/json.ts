/**
 * JSON in and out of the store. What is written must come back as the same value, so anything that
 * `JSON.stringify` would change or drop in silence is refused before a byte is written.
 */
import { StoreError } from './errors.ts';

export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject;

export interface JsonObject {
  readonly [key: string]: JsonValue;
}

/** A value to be stored: JSON, also when its type is an interface. What is not JSON is refused when written. */
export type Storable = JsonValue | object;

const maxDepth = 1_000;

/**
 * The JSON text of `value`. A property whose value is `undefined` counts as absent.
 *
 * @param what names the value in the error: `checkpoint state`
 * @throws StoreError `NOT_SERIALIZABLE` with the path to the offending part
 */
export function encodeJson(value: unknown, what: string): string {
  assertSerializable(value, what);
  return JSON.stringify(value);
}

/** @throws StoreError `NOT_SERIALIZABLE` with the path to the offending part */
export function assertSerializable(value: unknown, what: string): void {
  assertJson(value, what, [], 0);
}

export function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype || Object.getPrototypeOf(prototype) === null;
}

function assertJson(value: unknown, what: string, path: (string | number)[], depth: number): void {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return;
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) refuse(what, path, `${value} has no JSON form`);
    return;
  }
  if (depth >= maxDepth) refuse(what, path.slice(0, 5), `it is circular or nested deeper than ${maxDepth} levels`);
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index += 1) {
      path.push(index);
      assertJson(value[index], what, path, depth + 1);
      path.pop();
    }
    return;
  }
  if (!isPlainObject(value)) refuse(what, path, `${describe(value)} has no JSON form`);
  for (const key in value) {
    if (value[key] === undefined) continue;
    path.push(key);
    assertJson(value[key], what, path, depth + 1);
    path.pop();
  }
}

function describe(value: unknown): string {
  if (typeof value !== 'object') return value === undefined ? 'undefined' : `a ${typeof value}`;
  return `an instance of ${value?.constructor?.name ?? 'an unknown class'}`;
}

function refuse(what: string, path: readonly (string | number)[], reason: string): never {
  const where = path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${part}`)).join('');
  throw new StoreError('NOT_SERIALIZABLE', `The ${what} cannot be stored: at "$${where}", ${reason}.`);
}
