/**
 * Makes plain JSON of anything, whatever it holds: cycles, errors, big numbers, proxies, getters that throw. Never throws.
 * Texts pass through `text`, and `hides` tells which keys lose their value. What comes out is bounded (I7): in depth and
 * width, and as a whole in values and characters, so that what is shared by many parts does not grow with every way to
 * it. Each cut is named where it was made. A list pays for all its items before any of them is looked into, so that one
 * large item does not take the room of those behind it.
 */
import { isNameOfSecret, secretPair, valueKeys } from './named-values.ts';

export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject;

export interface JsonObject {
  readonly [key: string]: JsonValue;
}

export interface PlainJsonRules {
  readonly text: (text: string) => string;
  readonly hides: (key: string) => boolean;
  /** So much more of a text than is shown is looked at, so that no beginning of a secret stays at its end. */
  readonly overlap: () => number;
}

const deepest = 8;
const widest = 200;
const mostValues = 10_000;
const mostCharacters = 256 * 1024;
const longestText = 16 * 1024;
/** A larger number is not written out: that takes time that grows with its square. */
const largestBigint = 2n ** 4_096n;
export const hidden = '[redacted]';

export function toPlainJson(value: unknown, rules: PlainJsonRules): JsonValue {
  try {
    return new PlainJson(rules).of(value);
  } catch {
    return '[unreadable]';
  }
}

type Entry = readonly [key: string, item: unknown];

class PlainJson {
  readonly #rules: PlainJsonRules;
  readonly #above: object[] = [];
  #valuesLeft = mostValues;
  #charactersLeft = mostCharacters;

  constructor(rules: PlainJsonRules) {
    this.#rules = rules;
  }

  of(value: unknown): JsonValue {
    switch (typeof value) {
      case 'string':
        return this.#text(value);
      case 'boolean':
        return value;
      case 'number':
        return this.#number(value);
      case 'bigint':
        return value <= largestBigint && value >= -largestBigint ? this.#text(value.toString()) : '[a huge number]';
      case 'object':
        return value === null ? null : this.#object(value);
      case 'undefined':
        return null;
      default:
        return `[${typeof value}]`;
    }
  }

  #text(text: string): string {
    const most = Math.min(longestText, this.#charactersLeft);
    if (text.length <= most) {
      this.#charactersLeft -= text.length;
      return this.#clean(text);
    }
    this.#charactersLeft -= most;
    const overlap = this.#rules.overlap();
    const isAllSeen = text.length <= most + overlap;
    const clean = this.#clean(isAllSeen ? text : text.slice(0, most + overlap));
    const shown = clean.slice(0, Math.min(most, isAllSeen ? clean.length : Math.max(0, clean.length - overlap)));
    return `${shown.toWellFormed()}[${text.length - most} more characters]`;
  }

  #clean(text: string): string {
    try {
      return this.#rules.text(text);
    } catch {
      return '[unreadable]';
    }
  }

  /** A number stays one, unless its digits are a secret; JSON has no -0. */
  #number(value: number): JsonValue {
    const digits = String(value);
    const shown = this.#clean(digits);
    if (shown !== digits || !Number.isFinite(value)) return shown;
    return Object.is(value, -0) ? 0 : value;
  }

  #object(value: object): JsonValue {
    if (this.#above.includes(value)) return '[circular]';
    const depth = this.#above.length;
    if (depth >= deepest) return '[too deep]';
    this.#above.push(value);
    try {
      return this.#parts(value);
    } catch (error) {
      return this.#text(`[unreadable: ${reasonOf(error)}]`);
    } finally {
      this.#above.length = depth;
    }
  }

  #parts(value: object): JsonValue {
    if (value instanceof Date) {
      return Number.isNaN(Date.prototype.getTime.call(value)) ? 'Invalid Date' : Date.prototype.toISOString.call(value);
    }
    if (value instanceof Error) return this.#record(errorEntries(value));
    const bytes = byteLengthOf(value);
    if (bytes !== null) return `[${bytes} bytes]`;
    const boxed = primitiveIn(value);
    if (boxed !== undefined) return this.of(boxed);
    if (value instanceof Map) {
      const entries = firstOf(Map.prototype.entries.call(value) as IterableIterator<[unknown, unknown]>);
      const named = entries.map(([key, item]): Entry => [String(key), item]);
      return this.#record(named, sizeOf(Map.prototype, value) - named.length);
    }
    if (value instanceof Set) {
      const items = firstOf(Set.prototype.values.call(value) as IterableIterator<unknown>);
      return this.#list(items, sizeOf(Set.prototype, value) - items.length);
    }
    if (Array.isArray(value)) {
      const length = Number(value.length);
      const items = Array.from({ length: Math.min(widest, length) }, (_, index) => value[index] as unknown);
      return this.#spellsSecret(items) ? hidden : this.#list(items, length - items.length);
    }
    if ('toJSON' in value && typeof value.toJSON === 'function') return this.of(value.toJSON());
    return this.#record(...ownEntries(value));
  }

  /** @param more items that are not among them */
  #list(items: readonly unknown[], more: number): JsonValue {
    const room = this.#take(items.length);
    const kept: JsonValue[] = [];
    for (const item of items.slice(0, room)) {
      const pair = secretPair(item, this.#rules.hides);
      kept.push(pair === null ? this.of(item) : [this.#text(pair[0]), hidden]);
    }
    const rest = more + items.length - room;
    return rest > 0 ? [...kept, `[${rest} more]`] : kept;
  }

  /** @param more entries that are not among them */
  #record(entries: readonly Entry[], more = 0): JsonValue {
    const room = this.#take(Math.min(widest, entries.length));
    const isNamed = entries.some(([key, item]) => isNameOfSecret(key, item, this.#rules.hides));
    const kept = entries.slice(0, room).map(([key, item]): [string, JsonValue] => {
      const isHidden = this.#rules.hides(key) || (isNamed && valueKeys.has(key));
      return [this.#text(key), isHidden ? hidden : this.#entry(key, item)];
    });
    const rest = more + entries.length - room;
    if (rest > 0) kept.push(['...', `[${rest} more]`]);
    return Object.fromEntries(kept);
  }

  /** The headers of a request may be one list: a name, its value, a name, its value. */
  #entry(key: string, item: unknown): JsonValue {
    if (!Array.isArray(item) || !/(?:headers|trailers)$/i.test(key)) return this.of(item);
    return this.of(
      item.slice(0, widest + 1).map((part: unknown, index) => {
        const name: unknown = index % 2 === 1 ? item[index - 1] : null;
        return typeof name === 'string' && typeof part === 'string' && this.#rules.hides(name) ? hidden : part;
      }),
    );
  }

  /** Whether a list is the bytes of a text with a secret in it. */
  #spellsSecret(items: readonly unknown[]): boolean {
    if (items.length < 4 || !items.every((item) => Number.isInteger(item) && Number(item) >= 0 && Number(item) < 256))
      return false;
    const text = Buffer.from(items as number[]).toString('utf8');
    return this.#clean(text) !== text;
  }

  #take(wanted: number): number {
    const room = Math.min(wanted, this.#valuesLeft);
    this.#valuesLeft -= room;
    return room;
  }
}

function firstOf<T>(items: Iterable<T>): readonly T[] {
  const first: T[] = [];
  for (const item of items) if (first.push(item) >= widest) break;
  return first;
}

function sizeOf(prototype: object, value: object): number {
  return Number(Reflect.get(prototype, 'size', value));
}

/** The first ones that have a value, and how many there are besides. */
function ownEntries(value: object): readonly [entries: readonly Entry[], more: number] {
  const keys = Object.keys(value);
  const entries: Entry[] = [];
  let seen = 0;
  for (; seen < keys.length && entries.length < widest; seen += 1) {
    const key = keys[seen] as string;
    const item: unknown = Reflect.get(value, key);
    if (item !== undefined) entries.push([key, item]);
  }
  return [entries, keys.length - seen];
}

function errorEntries(error: Error): readonly Entry[] {
  const { name, message, cause } = error;
  const [own] = ownEntries(error);
  const entries: readonly Entry[] = [['name', name], ['message', message], ['cause', cause], ...own];
  return entries.filter(([key, item]) => key !== 'stack' && item !== undefined);
}

/** Of bytes, also as `JSON.parse` gives back what a Buffer became; null for anything else. */
function byteLengthOf(value: object): number | null {
  if (ArrayBuffer.isView(value)) return value.byteLength;
  if (value instanceof ArrayBuffer) return value.byteLength;
  const { type, data } = value as { readonly type?: unknown; readonly data?: unknown };
  return type === 'Buffer' && Array.isArray(data) ? data.length : null;
}

/** What `new String(...)` and the like hold. */
function primitiveIn(value: object): unknown {
  for (const type of [String, Number, Boolean, BigInt]) {
    if (value instanceof type) return Reflect.apply(type.prototype.valueOf, value, []);
  }
  return undefined;
}

function reasonOf(error: unknown): string {
  try {
    return error instanceof Error && typeof error.message === 'string' ? error.message : 'it threw';
  } catch {
    return 'it threw';
  }
}
