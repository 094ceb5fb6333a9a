/** Puts a checkpoint's state back: into maps and scopes by `set`, into plain objects by assignment. */
import { StoreError } from './errors.ts';
import { isPlainObject, type JsonObject, type JsonValue } from './json.ts';

/**
 * Each field of `state` goes into the target's field of that name; the target's other fields stay.
 *
 * @throws StoreError `INVALID_ARGUMENT` naming a field that the target does not take
 */
export function restoreState(state: JsonObject, target: object): void {
  for (const [field, value] of Object.entries(structuredClone(state))) {
    try {
      restoreField(target as Record<string, unknown>, field, value);
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      const said = `The target of restoreFromCheckpoint does not take the field ${JSON.stringify(field)}: ${why}`;
      throw new StoreError('INVALID_ARGUMENT', said, { cause });
    }
  }
}

function restoreField(target: Record<string, unknown>, field: string, value: JsonValue): void {
  // An assignment to it would change what the target inherits.
  if (field === '__proto__') {
    Object.defineProperty(target, field, { value, configurable: true, enumerable: true, writable: true });
    return;
  }
  const sink = target[field];
  if (!isSink(sink) || !isPlainObject(value)) {
    target[field] = value;
    return;
  }
  for (const [name, inner] of Object.entries(value as JsonObject)) sink.set(name, inner);
}

function isSink(value: unknown): value is { set(name: string, value: JsonValue): unknown } {
  return typeof value === 'object' && value !== null && 'set' in value && typeof value.set === 'function';
}
