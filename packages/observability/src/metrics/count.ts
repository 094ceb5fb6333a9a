/** Whether a value can be a count or a duration: a number that is finite and not negative. */
export function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}
