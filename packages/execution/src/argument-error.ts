/** Refusals of arguments: which one, what it must be, and what it was. */
import { Speller } from './model/nearest.ts';

/** Thrown before anything is changed or sent. */
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

/** @throws ArgumentError unless `value` is a text */
export function requireAnyText(argument: string, value: unknown): asserts value is string {
  if (typeof value !== 'string') throw new ArgumentError(argument, 'a text', value);
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

/** @throws ArgumentError unless `value` is an object with methods of these names */
export function requireMethods(argument: string, value: unknown, methods: readonly string[]): void {
  const isWhole = typeof value === 'object' && value !== null && methods.every((method) => isFunctionOf(value, method));
  if (!isWhole) throw new ArgumentError(argument, `an object with ${described(methods)}`, value);
}

/** @throws ArgumentError unless `value` is an object, and no list */
export function requireObject(argument: string, value: unknown): asserts value is object {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new ArgumentError(argument, 'an object', value);
}

/**
 * Refuses what is probably a slip: an option that nobody reads, and whose name is nearly that of one that is read.
 *
 * @throws ArgumentError unless `value` is an object; naming the option that was meant
 */
export function requireOptions(argument: string, value: unknown, known: readonly string[]): void {
  requireObject(argument, value);
  for (const [key, given] of Object.entries(value)) {
    if (known.includes(key) || given === undefined) continue;
    const meant = new Speller().nearest(key, known, 0.34);
    if (meant !== null) throw new ArgumentError(`${argument}.${key}`, `left out, or be written ${meant}`, given);
  }
}

/** @throws ArgumentError unless `value` is left out or a function */
export function requireFunctions(functions: Readonly<Record<string, unknown>>): void {
  for (const [argument, value] of Object.entries(functions)) {
    if (value !== undefined && typeof value !== 'function') throw new ArgumentError(argument, 'a function', value);
  }
}

/** @throws ArgumentError unless `value` is left out or a clock */
export function requireClock(value: unknown): void {
  if (value !== undefined) requireMethods('clock', value, ['now', 'monotonic', 'sleep']);
}

/** @throws ArgumentError unless `value` is a list of objects */
export function requireObjects(argument: string, value: unknown): asserts value is readonly object[] {
  if (!Array.isArray(value)) throw new ArgumentError(argument, 'a list of objects', value);
  for (const [index, one] of value.entries()) requireObject(`${argument}[${index}]`, one);
}

/** @throws ArgumentError unless `value` is a list of texts */
export function requireTexts(argument: string, value: unknown): void {
  if (!Array.isArray(value)) throw new ArgumentError(argument, 'a list of texts', value);
  const index = value.findIndex((one) => typeof one !== 'string');
  if (index >= 0) throw new ArgumentError(`${argument}[${index}]`, 'a text', value[index]);
}

function isFunctionOf(value: object, method: string): boolean {
  return typeof (value as Record<string, unknown>)[method] === 'function';
}

function described(methods: readonly string[]): string {
  return `${methods.length === 1 ? 'a method' : 'methods'} ${methods.join(' and ')}`;
}

/** A value in a message, whatever it is. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}…` : value);
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'a list' : 'an object';
  return String(value);
}
