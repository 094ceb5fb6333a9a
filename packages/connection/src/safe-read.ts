/** Reads what others made: getters that throw and proxies that were revoked must not replace the failure at hand. */

/** A field of anything at all; undefined where it cannot be read. */
export function readField(value: unknown, field: string): unknown {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return undefined;
  try {
    return (value as { readonly [field: string]: unknown })[field];
  } catch {
    return undefined;
  }
}

/** What a thrown thing says, in at most `longest` characters. */
export function messageOf(thrown: unknown, longest = 300): string {
  const message = readField(thrown, 'message');
  if (typeof message === 'string' && message !== '') return message.slice(0, longest);
  try {
    return String(thrown).slice(0, longest);
  } catch {
    return 'something that cannot be shown';
  }
}
