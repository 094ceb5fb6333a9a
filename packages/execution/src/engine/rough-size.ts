/** How long a value is as JSON, roughly: text counts by its length, without looking at it, so that a large one costs nothing. */

/** Characters that a number, a literal, or the marks around a value take, roughly. */
const otherLength = 8;

export function roughSize(value: unknown): number {
  if (typeof value === 'string') return value.length + 2;
  if (typeof value !== 'object' || value === null) return otherLength;
  let size = otherLength;
  if (Array.isArray(value)) for (const item of value) size += roughSize(item);
  else for (const key in value) size += key.length + roughSize((value as Record<string, unknown>)[key]);
  return size;
}
