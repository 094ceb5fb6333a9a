/** Shapes of arguments. What a shape says in its `error` is the rule that the refusal states. */
import { z } from 'zod';
import { ArgumentError } from './argument-error.ts';

export const text: z.ZodString = z.string({ error: 'a text' });
export const filledText: z.ZodString = z.string({ error: 'a text' }).min(1, { error: 'a text that is not empty' });
export const texts: z.ZodArray<z.ZodString> = z.array(text, { error: 'a list of texts' });
/** It is not looked into. */
export const object: z.ZodType = z.custom(
  (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  { error: 'an object' },
);
export const aFunction: z.ZodType = z.custom((value) => typeof value === 'function', { error: 'a function' });
export const stopSignal: z.ZodType = z.instanceof(AbortSignal, { error: 'an AbortSignal' });

/** What JSON keeps as it is: not an Error, a Map or a Date, of which only `{}` would arrive. */
export const plainObject: z.ZodType = z.custom(isPlainObject, {
  error: 'a plain object (of an Error: { code, message })',
});

/** Also one of another realm. */
export function isPlainObject(value: unknown): value is object {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** A finite number from `minimum` on. */
export function numberFrom(minimum: number): z.ZodNumber {
  const error = `a number of at least ${minimum}`;
  return z.number({ error }).min(minimum, { error });
}

export function wholeFrom(minimum: number): z.ZodNumber {
  const error = `a whole number of at least ${minimum}`;
  return z.int({ error }).min(minimum, { error });
}

export const wholeNumber: z.ZodNumber = z.int({ error: 'a whole number' });
/** Also below 0. */
export const anyMs: z.ZodType = z.custom((value) => typeof value === 'number' && !Number.isNaN(value), {
  error: 'a number of ms',
});
export const durationMs: z.ZodNumber = z
  .number({ error: 'a number of ms above 0' })
  .positive({ error: 'a number of ms above 0' });

const longestLockMs = 604_800_000;
const lockMs = `a whole number of ms from 1 to ${longestLockMs} (7 days)`;
export const lockTimeMs: z.ZodNumber = z
  .int({ error: lockMs })
  .min(1, { error: lockMs })
  .max(longestLockMs, { error: lockMs });

const longestDelayMs = 2_147_483_647;
const aDelay = `a whole number of ms from 0 to ${longestDelayMs}`;
export const delayTimeMs: z.ZodNumber = z
  .int({ error: aDelay })
  .min(0, { error: aDelay })
  .max(longestDelayMs, { error: aDelay });

/** A limit of time above 0; Infinity is one. */
export const timeLimitMs: z.ZodType = z.custom((value) => typeof value === 'number' && value > 0, {
  error: 'a number of ms above 0',
});

export function oneOf<const Choices extends readonly [string, ...string[]]>(choices: Choices): z.ZodType {
  return z.enum(choices, { error: `one of ${choices.map((choice) => `"${choice}"`).join(', ')}` });
}

/** An object of which at least these parts are as they must be. */
export function shapeOf(parts: Readonly<Record<string, z.ZodType>>): z.ZodType {
  return z.looseObject(parts, { error: 'an object' });
}

export function listOf(shape: z.ZodType): z.ZodType {
  return z.array(shape, { error: 'a list' });
}

/** @throws ArgumentError naming the first part of `value` that is not as `shape` says */
export function requireShape(argument: string, value: unknown, shape: z.ZodType): void {
  const parsed = shape.safeParse(value);
  const issue = parsed.error?.issues[0];
  if (issue === undefined) return;
  const place = issue.path.map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`)).join('');
  throw new ArgumentError(`${argument}${place}`, issue.message, partAt(value, issue.path));
}

function partAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((part, key) => (part as Record<PropertyKey, unknown> | undefined)?.[key], value);
}
