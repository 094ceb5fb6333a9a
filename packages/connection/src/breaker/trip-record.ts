/** Reads what a trip rule saved; anything may have happened to it since. */

/** @throws TypeError naming the field that is not a whole number from 0 on */
export function savedCount(record: { readonly [field: string]: unknown }, field: string): number {
  const value = record[field];
  if (!isCount(value)) throw new TypeError(`${field} must be a whole number from 0 on`);
  return value;
}

/** @throws TypeError naming the field that is not a list of whole numbers from 0 on, at most `longest` of them */
export function savedCounts(
  record: { readonly [field: string]: unknown },
  field: string,
  longest: number,
): readonly number[] {
  const value = record[field];
  if (!Array.isArray(value) || value.length > longest || !value.every(isCount)) {
    throw new TypeError(`counts.${field} must be a list of at most ${longest} whole numbers from 0 on`);
  }
  return value;
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
