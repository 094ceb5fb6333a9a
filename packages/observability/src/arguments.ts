/** Checks of what callers without a type checker may get wrong. A check throws an ArgumentError, or says nothing. */

/** Thrown before anything is changed or written. */
export class ArgumentError extends RangeError {
  readonly code = 'INVALID_ARGUMENT' as const;
  readonly category = 'permanent' as const;
  /** The argument's name, as the caller writes it. */
  readonly argument: string;

  constructor(argument: string, message: string) {
    super(message);
    this.name = 'ArgumentError';
    this.argument = argument;
  }
}

export type Check = (argument: string, value: unknown) => void;

export const text: Check = rule('a text', (value) => typeof value === 'string');
export const filledText: Check = rule('a text that is not empty', (value) => typeof value === 'string' && value !== '');
export const aFunction: Check = rule('a function', (value) => typeof value === 'function');
export const flag: Check = rule('true or false', (value) => typeof value === 'boolean');
export const object: Check = rule('an object', isObject);
export const aNumber: Check = rule('a number', (value) => typeof value === 'number');
/** Infinity is one. */
export const count: Check = rule('a number of at least 0', (value) => typeof value === 'number' && value >= 0);
export const positive: Check = rule('a number above 0', (value) => typeof value === 'number' && value > 0);
export const wholeCount: Check = rule('a whole number of at least 0', (value) => isWhole(value, 0));
export const positiveWhole: Check = rule('a whole number of at least 1', (value) => isWhole(value, 1));
export const date: Check = rule('a date, or a number of ms', (value) =>
  value instanceof Date ? !Number.isNaN(value.getTime()) : Number.isFinite(value),
);

export function oneOf(choices: readonly unknown[]): Check {
  return rule(`one of ${choices.map(String).join(', ')}`, (value) => choices.includes(value));
}

export function optional(check: Check): Check {
  return (argument, value) => value === undefined || check(argument, value);
}

export function nullable(check: Check): Check {
  return (argument, value) => value === null || check(argument, value);
}

export function listOf(check: Check): Check {
  return (argument, value) => {
    if (!Array.isArray(value)) refuse(argument, 'a list', value);
    for (const [index, item] of value.entries()) check(`${argument}[${index}]`, item);
  };
}

export function withMethods(...methods: readonly string[]): Check {
  return rule(
    `an object with ${methods.join('(), ')}()`,
    (value) => isObject(value) && methods.every((method) => typeof Reflect.get(value, method) === 'function'),
  );
}

/** An object of which at least these parts are as they must be. */
export function shape(parts: Readonly<Record<string, Check>>): Check {
  return (argument, value) => {
    object(argument, value);
    for (const [name, check] of Object.entries(parts)) check(`${argument}.${name}`, Reflect.get(value as object, name));
  };
}

/**
 * As `shape`, for options: a part of another name is refused where that is nearly the name of one that is read, because
 * nobody would read it.
 */
export function options(parts: Readonly<Record<string, Check>>): Check {
  const check = shape(parts);
  return (argument, value) => {
    check(argument, value);
    for (const [name, given] of Object.entries(value as object)) {
      if (Object.hasOwn(parts, name)) continue;
      const meant = Object.keys(parts).find((known) => isNearly(name.toLowerCase(), known.toLowerCase()));
      if (meant !== undefined) refuse(`${argument}.${name}`, `left out, or be written ${meant}`, given);
    }
  };
}

/** As `options`, and a part of any other name is refused: left out, it would let through what was meant to be kept out. */
export function only(parts: Readonly<Record<string, Check>>): Check {
  const check = options(parts);
  return (argument, value) => {
    check(argument, value);
    const names = Object.keys(parts);
    for (const [name, given] of Object.entries(value as object)) {
      if (Object.hasOwn(parts, name)) continue;
      const lower = name.toLowerCase();
      const meant = names.filter((known) => lower.length > 2 && known.toLowerCase().includes(lower));
      const choices = meant.length > 0 ? meant : names;
      refuse(`${argument}.${name}`, `left out, or be written ${choices.join(' or ')}`, given);
    }
  };
}

export const clock: Check = withMethods('now', 'monotonic', 'sleep');
export const logger: Check = withMethods('log');

/** @param must what the argument must be, after "must be" */
export function refuse(argument: string, must: string, value: unknown): never {
  throw new ArgumentError(argument, `${argument} must be ${must}, but is ${shown(value)}`);
}

export function rule(must: string, isRight: (value: unknown) => boolean): Check {
  return (argument, value) => isRight(value) || refuse(argument, must, value);
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isWhole(value: unknown, least: number): boolean {
  return typeof value === 'number' && value >= least && (Number.isInteger(value) || value === Number.POSITIVE_INFINITY);
}

/** Case, a missing or additional end, or one letter that is missing, too many or another one. */
function isNearly(name: string, known: string): boolean {
  if (name.length < 4) return name === known;
  if (name.startsWith(known) || known.startsWith(name)) return true;
  let start = 0;
  while (start < name.length && name[start] === known[start]) start += 1;
  const [rest, other] = [name.slice(start), known.slice(start)];
  const isSwapped = rest[0] === other[1] && rest[1] === other[0] && rest.slice(2) === other.slice(2);
  return isSwapped || rest.slice(1) === other || rest === other.slice(1) || rest.slice(1) === other.slice(1);
}

function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}…` : value);
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'a list' : 'an object';
  return String(value);
}
