/**
 * Reads JSON text and tells what `JSON.parse` does not: the line and column of a fault in plain words, keys that
 * appear twice, and nesting past a limit (refused before it can exhaust anything).
 */
import type { JsonValue } from '../json.ts';

export interface JsonPlace {
  readonly line: number;
  readonly column: number;
}

export interface DuplicateKey {
  /** Keys that lead to the object, outermost first. */
  readonly path: readonly (string | number)[];
  readonly key: string;
  readonly line: number;
}

export type JsonReading =
  | {
      readonly ok: true;
      readonly value: JsonValue;
      readonly duplicates: readonly DuplicateKey[];
      /** The keys of an object as the file orders them (JavaScript would put keys such as "10" first). */
      readonly keysOf: (object: object) => readonly string[];
    }
  | { readonly ok: false; readonly problem: 'syntax' | 'depth'; readonly message: string; readonly place: JsonPlace };

const MAX_DEPTH = 200;
const MAX_DUPLICATES = 100;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON strings must not hold them, so they end the plain part
const PLAIN_TEXT = /[^"\\\u0000-\u001f]*/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;
const WORD = /[A-Za-z_][A-Za-z0-9_]*/y;
const SPACE = /[ \t\r\n]*/y;

class JsonFault extends Error {
  readonly problem: 'syntax' | 'depth';
  readonly position: number;

  constructor(problem: 'syntax' | 'depth', message: string, position: number) {
    super(message);
    this.problem = problem;
    this.position = position;
  }
}

/** Parses `text`; a leading byte order mark is skipped. Never throws. */
export function readJson(text: string): JsonReading {
  const reader = new JsonReader(text);
  try {
    const value = reader.document();
    return { ok: true, value, duplicates: reader.duplicates, keysOf: (object) => reader.keysOf(object) };
  } catch (error) {
    if (!(error instanceof JsonFault)) throw error;
    return { ok: false, problem: error.problem, message: error.message, place: placeOf(text, error.position) };
  }
}

class JsonReader {
  readonly duplicates: DuplicateKey[] = [];
  readonly #text: string;
  readonly #path: (string | number)[] = [];
  /** Only for objects whose keys JavaScript reorders. */
  readonly #keyOrder = new WeakMap<object, readonly string[]>();
  #at: number;

  constructor(text: string) {
    this.#text = text;
    this.#at = text.startsWith('\ufeff') ? 1 : 0;
  }

  document(): JsonValue {
    const value = this.#value();
    this.#space();
    if (this.#at < this.#text.length) this.#fail('there is more text after the end of the JSON value');
    return value;
  }

  keysOf(object: object): readonly string[] {
    return this.#keyOrder.get(object) ?? Object.keys(object);
  }

  #value(): JsonValue {
    this.#space();
    const next = this.#text[this.#at];
    if (next === '{') return this.#object();
    if (next === '[') return this.#list();
    if (next === '"') return this.#string();
    if (next === '-' || (next !== undefined && next >= '0' && next <= '9')) return this.#number();
    return this.#word();
  }

  #object(): JsonValue {
    const object: Record<string, JsonValue> = {};
    const keys: string[] = [];
    let isReordered = false;
    this.#open();
    while (!this.#closes('}', keys.length > 0)) {
      const start = this.#at;
      const key = this.#key();
      if (Object.hasOwn(object, key)) this.#noteDuplicate(key, start);
      else keys.push(key);
      isReordered ||= startsWithDigit(key);
      this.#path.push(key);
      setOwn(object, key, this.#value());
      this.#path.pop();
    }
    if (isReordered) this.#keyOrder.set(object, keys);
    return object;
  }

  #key(): string {
    if (this.#text[this.#at] !== '"') this.#fail('a key in double quotes is expected here');
    const key = this.#string();
    this.#space();
    if (this.#text[this.#at] !== ':') this.#fail(`":" is expected after the key "${key.slice(0, 40)}"`);
    this.#at += 1;
    return key;
  }

  #list(): JsonValue {
    const items: JsonValue[] = [];
    this.#open();
    while (!this.#closes(']', items.length > 0)) {
      this.#path.push(items.length);
      items.push(this.#value());
      this.#path.pop();
    }
    return items;
  }

  #open(): void {
    if (this.#path.length >= MAX_DEPTH) {
      throw new JsonFault('depth', `objects and lists are nested more than ${MAX_DEPTH} levels deep`, this.#at);
    }
    this.#at += 1;
  }

  /** Eats the closing bracket, or the comma between two members; leaves the reader at the next member. */
  #closes(bracket: '}' | ']', hasMembers: boolean): boolean {
    this.#space();
    const next = this.#text[this.#at];
    if (next === bracket) {
      this.#at += 1;
      return true;
    }
    if (!hasMembers) return false;
    if (next !== ',') this.#fail(`"," or "${bracket}" is expected here`);
    this.#at += 1;
    this.#space();
    if (this.#text[this.#at] === bracket) this.#fail(`a comma must not stand before "${bracket}"`);
    return false;
  }

  #string(): string {
    const start = this.#at;
    this.#at += 1;
    let escaped = false;
    for (;;) {
      this.#take(PLAIN_TEXT);
      const next = this.#text[this.#at];
      if (next === '"') break;
      if (next === undefined) this.#fail('a text is not closed with "', start);
      if (next !== '\\') this.#fail('a text contains a line break or another control character; write \\n instead');
      if (this.#take(ESCAPE) === '') this.#fail('a text contains an unknown escape; write \\\\ for a backslash');
      escaped = true;
    }
    this.#at += 1;
    const body = this.#text.slice(start, this.#at);
    return escaped ? (JSON.parse(body) as string) : body.slice(1, -1);
  }

  #number(): number {
    const start = this.#at;
    const value = Number(this.#take(NUMBER) || Number.NaN);
    const follows = this.#text[this.#at] ?? '';
    if (Number.isNaN(value) || /[0-9A-Za-z.+-]/.test(follows)) this.#fail('this is not a JSON number', start);
    if (!Number.isFinite(value)) this.#fail('this number is too large', start);
    return value;
  }

  #word(): JsonValue {
    const start = this.#at;
    const word = this.#take(WORD);
    if (word === 'true') return true;
    if (word === 'false') return false;
    if (word === 'null') return null;
    if (word !== '') this.#fail(`"${word.slice(0, 40)}" is not a JSON value; texts stand in double quotes`, start);
    if (this.#at >= this.#text.length) this.#fail('the text ends too early');
    return this.#fail(`a value is expected here, not "${this.#text[this.#at]}"`);
  }

  #space(): void {
    if (this.#text.charCodeAt(this.#at) <= 0x20) this.#take(SPACE);
  }

  #take(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0] ?? '';
    this.#at += found.length;
    return found;
  }

  #noteDuplicate(key: string, position: number): void {
    if (this.duplicates.length >= MAX_DUPLICATES) return;
    this.duplicates.push({ path: [...this.#path], key, line: placeOf(this.#text, position).line });
  }

  #fail(message: string, position: number = this.#at): never {
    throw new JsonFault('syntax', message, position);
  }
}

/** `__proto__` becomes a key like any other. */
function setOwn(object: Record<string, JsonValue>, key: string, value: JsonValue): void {
  if (key !== '__proto__') object[key] = value;
  else Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
}

function startsWithDigit(key: string): boolean {
  const code = key.charCodeAt(0);
  return code >= 0x30 && code <= 0x39;
}

function placeOf(text: string, position: number): JsonPlace {
  let line = 1;
  let lineStart = 0;
  for (let at = text.indexOf('\n'); at !== -1 && at < position; at = text.indexOf('\n', at + 1)) {
    line += 1;
    lineStart = at + 1;
  }
  return { line, column: position - lineStart + 1 };
}
