/** What a for loop goes over, and its elements: pure data, so that a loop goes on after a restart. */
import type { JsonValue } from '../json.ts';
import { parseJsonText } from '../model/json-depth.ts';
import { isPlaceholder } from '../model/placeholder.ts';
import type { LoopSource } from './control-op.ts';

/**
 * Lists by item, objects by value (with the key), text by character, anything else as a single item. Text that is
 * the JSON of a list or an object counts as that.
 */
export function sourceOfItems(given: Exclude<JsonValue, null>): LoopSource {
  const items = typeof given === 'string' ? (structureIn(given) ?? given) : given;
  if (typeof items === 'string') return { kind: 'list', items: Array.from(items) };
  if (Array.isArray(items)) return { kind: 'list', items: items as readonly JsonValue[] };
  if (typeof items !== 'object' || isPlaceholder(items)) return { kind: 'list', items: [items] };
  return { kind: 'dict', keys: Object.keys(items), items: Object.values(items as Record<string, JsonValue>) };
}

function structureIn(text: string): Exclude<JsonValue, null> | undefined {
  return /^\s*[[{]/.test(text) ? (parseJsonText(text) ?? undefined) : undefined;
}

/** Like Python's `range`: the end is not part of it. `step` must not be 0. */
export function sourceOfRange(start: number, end: number, step: number): LoopSource {
  return { kind: 'range', start, step, count: Math.max(0, Math.ceil((end - start) / step)) };
}

export function sizeOf(source: LoopSource): number {
  if (source.kind === 'while') return Number.POSITIVE_INFINITY;
  return source.kind === 'range' ? source.count : source.items.length;
}

export interface LoopElement {
  readonly item: JsonValue;
  /** null unless the loop goes over an object. */
  readonly key: string | null;
}

/** `index` must be within the source's size. */
export function elementAt(source: LoopSource, index: number): LoopElement {
  if (source.kind === 'while') return { item: index, key: null };
  if (source.kind === 'range') return { item: source.start + index * source.step, key: null };
  return { item: source.items[index] ?? null, key: source.kind === 'dict' ? (source.keys[index] ?? null) : null };
}
