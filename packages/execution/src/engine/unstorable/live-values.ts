/**
 * The values of a run that cannot be stored, alive in this process under the names that stand for them in the journal.
 * Nodes are given the values, never the names. A resumed run knows the names only: `revive.ts` brings values back.
 *
 * A value that nothing in the state names any more is let go now and then (I7).
 */
import type { JsonObject, JsonValue } from '../../json.ts';
import { findNonJson } from '../../model/json-check.ts';
import { isPlaceholder, type Placeholder } from '../../model/placeholder.ts';
import { textOfValue, valueOfText } from './codecs.ts';

/** A value with more unstorable parts than this is kept as one. */
const MAX_PARTS = 100;
const MAX_DEPTH = 1_000;
const FIRST_LIMIT = 1_000;

/** Which run of which node gives a value. */
export interface Origin {
  /** Names the run of the node within the run of the workflow. */
  readonly step: string;
  readonly node: string;
  /** Tells the inputs of that run from others; null: they must not be told. */
  readonly inputs: string | null;
}

interface Place {
  readonly place: Placeholder['place'];
  readonly name: string;
}

export class LiveValues {
  readonly #live = new Map<string, unknown>();
  /** The name of an object that came back in another node's result. */
  readonly #names = new WeakMap<object, Placeholder>();
  /** Made since values were let go last: not all of them are in the state yet. */
  #young = new Set<string>();
  #limit = FIRST_LIMIT;
  #isUsed: boolean;

  /** @param isUsed whether the journal so far names any such value */
  constructor(isUsed: boolean) {
    this.#isUsed = isUsed;
  }

  /** False while there is nothing to look for in any value. */
  get isUsed(): boolean {
    return this.#isUsed;
  }

  get isCrowded(): boolean {
    return this.#young.size > this.#limit;
  }

  /** The value as the journal takes it: its parts that are no JSON have become names. */
  store(value: unknown, place: Place, origin: () => Origin): JsonValue {
    if (findNonJson(value) === null) return value as JsonValue;
    const parts: [Placeholder, unknown][] = [];
    const name = (part: unknown, path: string): Placeholder => {
      const placeholder = this.#nameOf(part, { ...place, path }, origin());
      parts.push([placeholder, part]);
      return placeholder;
    };
    let stored = named(value, '', 0, name);
    if (stored === undefined || parts.length > MAX_PARTS) {
      parts.length = 0;
      stored = name(value, '');
    }
    for (const [placeholder, part] of parts) this.keep(placeholder, part);
    return stored;
  }

  keep(placeholder: Placeholder, value: unknown): void {
    const id = placeholder.$unstorable;
    this.#isUsed = true;
    this.#live.set(id, value);
    this.#young.add(id);
    if (typeof value === 'function' || (typeof value === 'object' && value !== null))
      this.#names.set(value, placeholder);
  }

  /** The value as nodes get it; names of values that are not here stay, and are told to `onLost`. */
  fill(value: JsonValue, onLost: (placeholder: Placeholder) => void = () => undefined): unknown {
    if (!this.#isUsed || typeof value !== 'object' || value === null) return value;
    if (isPlaceholder(value)) return this.#valueOf(value, onLost);
    if (Array.isArray(value)) {
      const items = value.map((item: JsonValue) => this.fill(item, onLost));
      return items.some((item, index) => item !== value[index]) ? items : value;
    }
    const entries = Object.entries(value).map(([key, item]) => [key, item, this.fill(item, onLost)] as const);
    return entries.some(([, item, filled]) => item !== filled)
      ? Object.fromEntries(entries.map(([key, , filled]) => [key, filled]))
      : value;
  }

  /** Lets values go that the state, and what is about to become part of it, do not name. */
  forgetUnless(state: JsonObject): void {
    const kept = new Set(this.#young);
    collectNames(state, kept);
    for (const id of this.#live.keys()) if (!kept.has(id)) this.#live.delete(id);
    this.#young = new Set();
    this.#limit = Math.max(FIRST_LIMIT, this.#live.size);
  }

  #valueOf(placeholder: Placeholder, onLost: (placeholder: Placeholder) => void): unknown {
    const id = placeholder.$unstorable;
    if (this.#live.has(id)) return this.#live.get(id);
    const restored = valueOfText(placeholder);
    if (restored === undefined) {
      onLost(placeholder);
      return placeholder;
    }
    this.keep(placeholder, restored);
    return restored;
  }

  #nameOf(value: unknown, { place, name, path }: Place & { readonly path: string }, origin: Origin): Placeholder {
    const known =
      typeof value === 'function' || (typeof value === 'object' && value !== null) ? this.#names.get(value) : undefined;
    if (known !== undefined) return known;
    const { step, node, inputs } = origin;
    const text = textOfValue(value);
    return {
      $unstorable: placeholderId(step, place, name, path),
      kind: kindOf(value),
      node,
      place,
      name,
      path,
      step,
      ...(text === null ? {} : { text }),
      ...(inputs === null ? {} : { inputs }),
    };
  }
}

export function placeholderId(step: string, place: Placeholder['place'], name: string, path: string): string {
  return `${step} ${place} ${name}${path}`;
}

/** Undefined for what has no end: a circle, or nesting that nobody means. */
function named(
  value: unknown,
  path: string,
  depth: number,
  name: (part: unknown, path: string) => Placeholder,
): JsonValue | undefined {
  if (depth > MAX_DEPTH) return undefined;
  if (Array.isArray(value)) {
    const items: JsonValue[] = [];
    for (let index = 0; index < value.length; index += 1) {
      const item = named(value[index], `${path}[${index}]`, depth + 1, name);
      if (item === undefined) return undefined;
      items.push(item);
    }
    return items;
  }
  if (!isPlainObject(value)) return isJsonScalar(value) ? value : name(value, path);
  const entries: [string, JsonValue][] = [];
  for (const [key, item] of Object.entries(value)) {
    if (item === undefined) continue;
    const stored = named(item, `${path}.${key}`, depth + 1, name);
    if (stored === undefined) return undefined;
    entries.push([key, stored]);
  }
  return Object.fromEntries(entries);
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function isJsonScalar(value: unknown): value is string | number | boolean | null {
  if (typeof value === 'number') return Number.isFinite(value);
  return value === null || typeof value === 'string' || typeof value === 'boolean';
}

function kindOf(value: unknown): string {
  if (typeof value !== 'object' || value === null) return value === undefined ? 'undefined' : typeof value;
  if (Array.isArray(value) || isPlainObject(value)) return 'a circular or very large structure';
  const maker: unknown = value.constructor;
  return typeof maker === 'function' && maker.name !== '' ? maker.name : 'special object';
}

function collectNames(value: JsonValue, names: Set<string>): void {
  if (typeof value !== 'object' || value === null) return;
  if (isPlaceholder(value)) names.add(value.$unstorable);
  else for (const item of Object.values(value as JsonObject)) collectNames(item, names);
}
