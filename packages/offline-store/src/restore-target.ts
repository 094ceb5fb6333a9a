/** Puts a checkpoint's state back: into maps and scopes by `set`, into plain objects by assignment. */
import { isPlainObject, type JsonObject, type JsonValue } from './json.ts';

/** Each field of `state` goes into the target's field of that name; the target's other fields stay. */
export function restoreState(state: JsonObject, target: object): void {
  const fields = target as Record<string, unknown>;
  for (const [field, value] of Object.entries(structuredClone(state))) {
    const sink = fields[field];
    if (isSink(sink) && isPlainObject(value)) {
      for (const [name, inner] of Object.entries(value as JsonObject)) sink.set(name, inner);
    } else {
      fields[field] = value;
    }
  }
}

function isSink(value: unknown): value is { set(name: string, value: JsonValue): unknown } {
  return typeof value === 'object' && value !== null && 'set' in value && typeof value.set === 'function';
}
