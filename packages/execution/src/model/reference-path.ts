/**
 * References to values: `name`, `node_id.port`, and paths into them such as `user.emails[0].address`.
 *
 * A reference is resolved by its longest leading part that the scope knows (`node_id.port` before a variable
 * `node_id`); the rest is walked through own properties and list items only, so nothing of JavaScript's objects
 * (`constructor`, `__proto__`) can be reached.
 */
import type { JsonValue } from '../json.ts';
import { isJsonObject } from './value-text.ts';

export type Lookup = { readonly found: true; readonly value: JsonValue } | { readonly found: false };

/** Where references are looked up. */
export interface ReferenceScope {
  /**
   * `name` is a variable's name, `node_id.port`, a system value such as `$currentDate`, or a secret
   * (`$secret:id`). A name that the scope does not know is answered with `{ found: false }`.
   */
  lookup(name: string): Lookup;
  /** Told of a reference of which it knows no part; throws when the reference must not stay as it is written. */
  refuse?(reference: Reference): void;
}

export interface Reference {
  /** Dotted names at the start: a variable, a node id and port, keys. Never empty. */
  readonly names: readonly string[];
  /** What follows the first bracket: list positions and keys. */
  readonly steps: readonly (string | number)[];
}

export const NOT_FOUND: Lookup = { found: false };
export const MAX_REFERENCE_LENGTH = 256;

const NAME = /[\p{L}\p{N}_][\p{L}\p{N}_-]*/uy;
const SYSTEM_NAME = /\$[A-Za-z]\w*/y;
const BRACKET = /\[\s*(?:(-?\d{1,9})|'([^'\]]*)'|"([^"\]]*)")\s*\]/y;
const SECRET = /^\$secret:\S+$/;

/** Reads the text between the braces; null when it is no reference. */
export function parseReference(text: string): Reference | null {
  const source = text.trim();
  if (source === '' || source.length > MAX_REFERENCE_LENGTH) return null;
  if (SECRET.test(source)) return { names: [source], steps: [] };
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const match = pattern.exec(source);
    if (match !== null) at += match[0].length;
    return match;
  };
  const first = take(SYSTEM_NAME) ?? take(NAME);
  if (first === null) return null;
  const names = [first[0]];
  const steps: (string | number)[] = [];
  while (at < source.length) {
    if (source[at] === '.') {
      at += 1;
      const name = take(NAME)?.[0];
      if (name === undefined) return null;
      if (steps.length === 0) names.push(name);
      else steps.push(name);
      continue;
    }
    const bracket = take(BRACKET);
    if (bracket === null) return null;
    steps.push(bracket[1] === undefined ? (bracket[2] ?? bracket[3] ?? '') : Number(bracket[1]));
  }
  return { names, steps };
}

/** The reference as text again, in its usual form. */
export function referenceText(reference: Reference): string {
  const steps = reference.steps.map((step) => `[${typeof step === 'number' ? step : JSON.stringify(step)}]`);
  return reference.names.join('.') + steps.join('');
}

export function isSecretReference(reference: Reference): boolean {
  return reference.names[0]?.startsWith('$secret:') === true;
}

/**
 * Looks a reference up: the longest part that the scope knows first.
 *
 * @throws what the scope's `refuse` throws
 */
export function lookupReference(reference: Reference, scope: ReferenceScope): Lookup {
  const { names, steps } = reference;
  let isKnown = false;
  for (let length = names.length; length > 0; length -= 1) {
    const head = scope.lookup(names.slice(0, length).join('.'));
    if (!head.found) continue;
    isKnown = true;
    const found = walk(head.value, [...names.slice(length), ...steps]);
    if (found.found) return found;
  }
  if (!isKnown) scope.refuse?.(reference);
  return NOT_FOUND;
}

function walk(start: JsonValue, steps: readonly (string | number)[]): Lookup {
  let value: JsonValue | undefined = start;
  for (const step of steps) {
    value = stepInto(value, step);
    if (value === undefined) return NOT_FOUND;
  }
  return { found: true, value };
}

/** An own property or a list item (negative counts from the end); undefined when there is none. */
export function stepInto(value: JsonValue, step: string | number): JsonValue | undefined {
  if (Array.isArray(value)) {
    const position = typeof step === 'number' ? step : /^-?\d{1,9}$/.test(step) ? Number(step) : Number.NaN;
    return Number.isInteger(position) ? (value.at(position) as JsonValue | undefined) : undefined;
  }
  const key = String(step);
  return isJsonObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}
