import { ArgumentError } from './argument-error.ts';

/**
 * Refuses settings that cannot mean anything.
 *
 * @throws ArgumentError naming the first setting that is not a number of at least `minimum`
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
      throw new ArgumentError(name, `${options.whole === true ? 'a whole number' : 'a number'} >= ${minimum}`, value);
    }
  }
}

/** The defaults, and over them what is given: a setting that is there but undefined means its default. */
export function withDefaults<T extends object>(defaults: T, given: Partial<T>): T {
  return { ...defaults, ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) };
}
