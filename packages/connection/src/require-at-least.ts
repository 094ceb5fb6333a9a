/**
 * Refuses settings that cannot mean anything.
 *
 * @throws RangeError naming the first setting that is not a number of at least `minimum`
 */
export function requireAtLeast(
  minimum: number,
  settings: { readonly [name: string]: number },
  options: { readonly whole?: boolean } = {},
): void {
  for (const [name, value] of Object.entries(settings)) {
    const fits =
      options.whole === true ? Number.isSafeInteger(value) : typeof value === 'number' && !Number.isNaN(value);
    if (!fits || value < minimum) {
      throw new RangeError(`${name} must be ${options.whole === true ? 'a whole number' : 'a number'} >= ${minimum}`);
    }
  }
}
