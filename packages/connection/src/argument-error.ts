/** Refusals of arguments: which one, what it must be, and what it was. */
import type { ErrorCategory, ErrorClass, ErrorVerdict } from './classification/verdict.ts';

/** Thrown before anything is changed, asked or sent: the call itself is wrong (class P). */
export class ArgumentError extends RangeError implements ErrorVerdict {
  readonly code = 'INVALID_ARGUMENT' as const;
  readonly category: ErrorCategory = 'permanent';
  readonly class: ErrorClass = 'P';
  readonly ambiguous: boolean = false;
  /** The argument's name, as the caller writes it. */
  readonly argument: string;

  /** @param rule what the argument must be, after "must be" */
  constructor(argument: string, rule: string, value: unknown) {
    super(`${argument} must be ${rule}, but is ${shown(value)}`);
    this.name = 'ArgumentError';
    this.argument = argument;
  }
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
export function requireOptions(argument: string, value: unknown, known: ReadonlySet<string>): void {
  requireObject(argument, value);
  for (const key in value) {
    if (known.has(key)) continue;
    const meant = [...known].find((name) => isNearly(key.toLowerCase(), name.toLowerCase()));
    if (meant !== undefined)
      throw new ArgumentError(`${argument}.${key}`, `left out, or be written ${meant}`, Reflect.get(value, key));
  }
}

/** @throws ArgumentError unless `value` is a list */
export function requireList(argument: string, value: unknown): void {
  if (!Array.isArray(value)) throw new ArgumentError(argument, 'a list', value);
}

/** @throws ArgumentError unless `value` is a function */
export function requireFunction(argument: string, value: unknown): void {
  if (typeof value !== 'function') throw new ArgumentError(argument, 'a function', value);
}

/** @throws ArgumentError naming the first one that is neither left out nor a function */
export function requireFunctions(functions: { readonly [argument: string]: unknown }): void {
  for (const [argument, value] of Object.entries(functions)) {
    if (value !== undefined) requireFunction(argument, value);
  }
}

/** @throws ArgumentError unless `value` is left out, or an object with methods of these names */
export function requireMethods(argument: string, value: unknown, methods: readonly string[]): void {
  if (value === undefined) return;
  const isWhole =
    typeof value === 'object' &&
    value !== null &&
    methods.every((method) => typeof Reflect.get(value, method) === 'function');
  if (!isWhole) throw new ArgumentError(argument, `an object with ${methods.join('(), ')}()`, value);
}

/** @throws ArgumentError unless `value` is a text that is not empty */
export function requireText(argument: string, value: unknown): asserts value is string {
  if (typeof value !== 'string' || value === '') throw new ArgumentError(argument, 'a text that is not empty', value);
}

/** @throws ArgumentError unless `value` is left out or an AbortSignal */
export function requireSignal(value: unknown): void {
  if (value !== undefined && !isSignal(value)) throw new ArgumentError('signal', 'an AbortSignal', value);
}

/** Anything that behaves like one. */
export function isSignal(value: unknown): boolean {
  return typeof value === 'object' && value !== null && typeof Reflect.get(value, 'addEventListener') === 'function';
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
