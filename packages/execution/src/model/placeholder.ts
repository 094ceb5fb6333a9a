/**
 * What stands in the state and the journal of a run for a value that is no JSON (a connection, a function, bytes): its
 * name. The value itself is kept in the process, where nodes get it (see `engine/unstorable`).
 */
import type { JsonObject } from '../json.ts';

/** The key that makes a plain object a placeholder; its value names the one value that is meant. */
const KEY = '$unstorable';

export interface Placeholder extends JsonObject {
  readonly [KEY]: string;
  /** What it is: `Date`, `function`, `Socket`. */
  readonly kind: string;
  /** The node that gave it, and as what. */
  readonly node: string;
  readonly place: 'output' | 'variable';
  readonly name: string;
  /** Where in that output or variable: `.rows[2]`; empty for the whole of it. */
  readonly path: string;
}

export function isPlaceholder(value: unknown): value is Placeholder {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, KEY)) return false;
  const { kind, node, place, name, path, [KEY]: id } = value as Record<string, unknown>;
  const texts = [id, kind, node, name, path];
  return texts.every((text) => typeof text === 'string') && (place === 'output' || place === 'variable');
}

/** For people: `the output "rows[2]" of the node "read" (a Date)`. */
export function describePlaceholder({ kind, node, place, name, path }: Placeholder): string {
  return `the ${place} "${name}${path}" of the node "${node}" (${kind})`;
}

/** What a placeholder says where it is written into a text. */
export function placeholderText({ text, kind }: Placeholder): string {
  return typeof text === 'string' ? text : `[${kind}]`;
}
