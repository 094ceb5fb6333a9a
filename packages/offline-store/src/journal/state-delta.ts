/**
 * How one state of a run differs from the one before, as JSON text: by field, and within fields that are
 * objects by key. Works on texts, so that a caller may go on changing the object it handed over. Pure.
 */
import { isPlainObject, type JsonObject, type JsonValue } from '../json.ts';

export interface StateDelta {
  /** Fields that are new or replaced as a whole. */
  readonly set: JsonObject;
  readonly unset: readonly string[];
  /** Fields of which only some keys changed. */
  readonly inside: Readonly<Record<string, { readonly set: JsonObject; readonly unset: readonly string[] }>>;
}

/** The JSON texts of a state's fields, or of their keys where a field is an object. */
export type StateTexts = ReadonlyMap<string, string | ReadonlyMap<string, string>>;

export function textsOf(state: JsonObject): StateTexts {
  return new Map(
    present(state).map(([field, value]) => [
      field,
      isPlainObject(value)
        ? new Map(present(value as JsonObject).map(([key, inner]) => [key, JSON.stringify(inner)]))
        : JSON.stringify(value),
    ]),
  );
}

/** The JSON text of a whole state. */
export function stateText(texts: StateTexts): string {
  return objectText(new Map([...texts].map(([field, text]) => [field, fieldText(text)])));
}

/** The JSON text of the `StateDelta` that leads from `before` to `after`. */
export function deltaText(before: StateTexts, after: StateTexts): string {
  const set = new Map<string, string>();
  const inside = new Map<string, string>();
  for (const [field, text] of after) {
    const old = before.get(field);
    if (typeof text === 'string' || typeof old === 'string' || old === undefined) {
      if (text !== old) set.set(field, fieldText(text));
      continue;
    }
    const changed = new Map([...text].filter(([key, value]) => old.get(key) !== value));
    const gone = [...old.keys()].filter((key) => !text.has(key));
    if (changed.size === 0 && gone.length === 0) continue;
    inside.set(field, `{"set":${objectText(changed)},"unset":${JSON.stringify(gone)}}`);
  }
  const unset = [...before.keys()].filter((field) => !after.has(field));
  return `{"set":${objectText(set)},"unset":${JSON.stringify(unset)},"inside":${objectText(inside)}}`;
}

function present(value: JsonObject): (readonly [string, JsonValue])[] {
  return Object.entries(value).filter(([, item]) => item !== undefined);
}

function fieldText(text: string | ReadonlyMap<string, string>): string {
  return typeof text === 'string' ? text : objectText(text);
}

function objectText(texts: ReadonlyMap<string, string>): string {
  return `{${[...texts].map(([key, text]) => `${JSON.stringify(key)}:${text}`).join(',')}}`;
}
