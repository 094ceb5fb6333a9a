/** Secrets whose name stands beside them in place of above them: `{name, value}`, `[name, value]`. */

const nameKeys: ReadonlySet<string> = new Set(['name', 'key', 'header', 'field']);
export const valueKeys: ReadonlySet<string> = new Set(['value', 'values', 'val']);

/** Whether this entry of an object says of its `value` that it is secret: `name: 'Authorization'`, `type: 'password'`. */
export function isNameOfSecret(key: string, item: unknown, hides: (key: string) => boolean): boolean {
  if (typeof item !== 'string') return false;
  return nameKeys.has(key) ? hides(item) : key === 'type' && item === 'password';
}

/** A pair in a list of pairs, as headers are often kept, whose value is secret; null for anything else. */
export function secretPair(item: unknown, hides: (key: string) => boolean): readonly [name: string] | null {
  if (!Array.isArray(item) || item.length !== 2) return null;
  const [name] = item as readonly unknown[];
  return typeof name === 'string' && hides(name) ? [name] : null;
}
