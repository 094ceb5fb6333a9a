/** Values that are no JSON, but that a text can bring back: they need nothing else after a restart. */
import type { Placeholder } from '../../model/placeholder.ts';

/** Null for a value that a text does not bring back. */
export function textOfValue(value: unknown): string | null {
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (typeof value === 'bigint' || typeof value === 'number') return String(value);
  return null;
}

/** Undefined when the placeholder's text does not bring it back. */
export function valueOfText({ kind, text }: Placeholder): unknown {
  if (typeof text !== 'string') return undefined;
  switch (kind) {
    case 'Date':
      return new Date(text);
    case 'bigint':
      return /^-?\d+$/.test(text) ? BigInt(text) : undefined;
    case 'number':
      return Number(text);
    default:
      return undefined;
  }
}
