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
 * The JSON text of `value`. A property whose value is `undefined` counts as absent, and `-0` is `0`: JSON has one zero.
 *
 * @param what names the value in the error: `checkpoint state`
 * @throws StoreError `NOT_SERIALIZABLE` with the path to the offending part
 */
export function encodeJson(value: unknown, what: string): string {
  assertSerializable(value, what);
  return JSON.stringify(value);
}

/**
 * A copy, which nobody else can change: as it comes back from its JSON text.
 *
 * @throws StoreError `NOT_SERIALIZABLE` with the path to the offending part
 */
export function copyOf<T>(value: T, what: string): T {
  return JSON.parse(encodeJson(value, what)) as T;
}

/** @throws StoreError `NOT_SERIALIZABLE` with the path to the offending part */
export function assertSerializable(value: unknown, what: string): void {
  const fault = faultIn(value, 0);
  if (fault === null) return;
  const path = fault.depth < maxDepth ? fault.path : fault.path.slice(0, 5);
  const where = path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${part}`)).join('');
  throw new StoreError('NOT_SERIALIZABLE', `The ${what} cannot be stored: at "$${where}", ${fault.reason}.`);
}

export function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype || Object.getPrototypeOf(prototype) === null;
}

/** What has no JSON form, and where: the path is put together on the way back, so that a whole value costs none. */
interface Fault {
  readonly path: (string | number)[];
  readonly depth: number;
  readonly reason: string;
}

function faultIn(value: unknown, depth: number): Fault | null {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return null;
  if (typeof value === 'number') {
    return Number.isFinite(value) ? null : { path: [], depth, reason: `${value} has no JSON form` };
  }
  if (depth >= maxDepth) return { path: [], depth, reason: `it is circular or nested deeper than ${maxDepth} levels` };
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index += 1) {
      const fault = faultIn(value[index], depth + 1);
      if (fault !== null) return inside(index, fault);
    }
    return standIn(value, depth);
  }
  if (!isPlainObject(value)) return { path: [], depth, reason: `${describe(value)} has no JSON form` };
  for (const key in value) {
    const part = value[key];
    const fault = part === undefined ? null : faultIn(part, depth + 1);
    if (fault !== null) return inside(key, fault);
  }
  return standIn(value, depth);
}

/** `JSON.stringify` asks also a `toJSON` that is not enumerable. */
function standIn(value: object, depth: number): Fault | null {
  if (typeof (value as { readonly toJSON?: unknown }).toJSON !== 'function') return null;
  return { path: [], depth, reason: 'what its toJSON() answers would be stored in its stead' };
}

function inside(key: string | number, fault: Fault): Fault {
  fault.path.unshift(key);
  return fault;
}

function describe(value: unknown): string {
  if (typeof value !== 'object') return value === undefined ? 'undefined' : `a ${typeof value}`;
  return `an instance of ${value?.constructor?.name ?? 'an unknown class'}`;
}
