/** Whether a value can be a count or a duration: a number that is finite and not negative. */
export function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}

/** In ms. A longer one, 285,000 years, comes of a broken clock, and a sum would not get over it. */
const longestDurationMs = Number.MAX_SAFE_INTEGER;
export const aDuration: string = `a number of ms from 0 to ${longestDurationMs}`;

export function isDuration(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= longestDurationMs;
}
