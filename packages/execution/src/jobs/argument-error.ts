/** Refusals of arguments: which one, what it must be, and what it was. */

/** Thrown by the classes of this folder before anything is changed. */
export class ArgumentError extends RangeError {
  readonly code = 'INVALID_ARGUMENT' as const;
  readonly category = 'permanent' as const;
  /** The argument's name, as the caller writes it. */
  readonly argument: string;

  /** @param rule what the argument must be, after "must be" */
  constructor(argument: string, rule: string, value: unknown) {
    super(`${argument} must be ${rule}, but is ${shown(value)}`);
    this.name = 'ArgumentError';
    this.argument = argument;
  }
}

/** @throws ArgumentError unless `value` is a whole number (of at least `minimum`) */
export function requireWhole(argument: string, value: unknown, minimum?: number): asserts value is number {
  if (Number.isSafeInteger(value) && (minimum === undefined || (value as number) >= minimum)) return;
  throw new ArgumentError(
    argument,
    minimum === undefined ? 'a whole number' : `a whole number of at least ${minimum}`,
    value,
  );
}

/** @throws ArgumentError unless `value` is a text that is not empty */
export function requireText(argument: string, value: unknown, hint = ''): asserts value is string {
  if (typeof value !== 'string' || value === '')
    throw new ArgumentError(argument, `a text that is not empty${hint}`, value);
}

/** @throws ArgumentError unless `value` is one of `choices` */
export function requireOneOf<T extends string>(
  argument: string,
  value: unknown,
  choices: readonly T[],
): asserts value is T {
  if (!choices.includes(value as T)) {
    throw new ArgumentError(argument, `one of ${choices.map((choice) => `"${choice}"`).join(', ')}`, value);
  }
}

function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}…` : value);
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'a list' : 'an object';
  return String(value);
}
