/** Guards against nesting that recursive code could not walk. */
import type { JsonValue } from '../json.ts';

/** Deeper than any value that a workflow needs. */
export const MAX_VALUE_DEPTH = 100;

/** True when objects and lists are nested more than `levels` deep. */
export function isDeeperThan(value: JsonValue, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (levels <= 0) return true;
  const children: readonly JsonValue[] = Array.isArray(value) ? value : Object.values(value);
  return children.some((child) => isDeeperThan(child, levels - 1));
}

/** The value of a JSON text; undefined when it is none, or nested too deep. */
export function parseJsonText(text: string): JsonValue | undefined {
  try {
    const value = JSON.parse(text) as JsonValue;
    return isDeeperThan(value, MAX_VALUE_DEPTH) ? undefined : value;
  } catch {
    return undefined;
  }
}
