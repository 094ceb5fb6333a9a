/**
 * Makes plain JSON of anything, whatever it holds: cycles, errors, big numbers, getters that throw. Never throws.
 * Depth and width are bounded (I7); texts pass through `text`, and `hides` tells which keys lose their value.
 */

export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject;

export interface JsonObject {
  readonly [key: string]: JsonValue;
}

export interface PlainJsonRules {
  readonly text: (text: string) => string;
  readonly hides: (key: string) => boolean;
}

const deepest = 8;
const widest = 200;
export const hidden = '[redacted]';

export function toPlainJson(value: unknown, rules: PlainJsonRules): JsonValue {
  return plain(value, rules, 0, new Set());
}

function plain(value: unknown, rules: PlainJsonRules, depth: number, above: ReadonlySet<object>): JsonValue {
  switch (typeof value) {
    case 'string':
      return rules.text(value);
    case 'boolean':
      return value;
    case 'number':
      return plainNumber(value, rules);
    case 'bigint':
      return value.toString();
    case 'object':
      return value === null ? null : plainObject(value, rules, depth, above);
    case 'undefined':
      return null;
    default:
      return `[${typeof value}]`;
  }
}

/** A number stays one, unless its digits are a secret. */
function plainNumber(value: number, rules: PlainJsonRules): JsonValue {
  const digits = String(value);
  const shown = rules.text(digits);
  return shown === digits && Number.isFinite(value) ? value : shown;
}

function plainObject(value: object, rules: PlainJsonRules, depth: number, above: ReadonlySet<object>): JsonValue {
  if (above.has(value)) return '[circular]';
  if (depth >= deepest) return '[too deep]';
  const within = new Set(above).add(value);
  try {
    if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString();
    if (value instanceof Error) return plainError(value, rules, depth, within);
    if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
    if (value instanceof Map)
      return plainRecord(
        [...value].map(([key, item]) => [String(key), item]),
        rules,
        depth,
        within,
      );
    if (Array.isArray(value) || value instanceof Set) return plainList([...value], rules, depth, within);
    if ('toJSON' in value && typeof value.toJSON === 'function') return plain(value.toJSON(), rules, depth + 1, within);
    return plainRecord(Object.entries(value), rules, depth, within);
  } catch (error) {
    return rules.text(`[unreadable: ${error instanceof Error ? error.message : 'it threw'}]`);
  }
}

function plainList(
  items: readonly unknown[],
  rules: PlainJsonRules,
  depth: number,
  within: ReadonlySet<object>,
): JsonValue {
  const kept = items.slice(0, widest).map((item) => plain(item, rules, depth + 1, within));
  return items.length > widest ? [...kept, `[${items.length - widest} more]`] : kept;
}

function plainRecord(
  entries: readonly (readonly [string, unknown])[],
  rules: PlainJsonRules,
  depth: number,
  within: ReadonlySet<object>,
): JsonValue {
  const kept = entries
    .filter(([, item]) => item !== undefined)
    .slice(0, widest)
    .map(
      ([key, item]) => [rules.text(key), rules.hides(key) ? hidden : plain(item, rules, depth + 1, within)] as const,
    );
  if (entries.length > widest) kept.push(['...', `[${entries.length - widest} more]`]);
  return Object.fromEntries(kept);
}

function plainError(error: Error, rules: PlainJsonRules, depth: number, within: ReadonlySet<object>): JsonValue {
  const { name, message, cause } = error;
  const own = Object.entries(error).filter(([key]) => key !== 'stack');
  const entries = [['name', name], ['message', message], ['cause', cause], ...own] as const;
  return plainRecord(
    entries.map(([key, item]) => [String(key), item] as const),
    rules,
    depth,
    within,
  );
}
