/**
 * A node parameter: a zod schema that takes what designer files and templates hold (text where a number,
 * a flag or a list is meant; null or "" for "not set") and answers nonsense with a plain sentence.
 *
 * A parameter without a fallback is required: undefined and null are refused.
 */
import { z } from 'zod';

export type Param<T> = z.ZodType<T, unknown>;

export type Reading<T> = { readonly value: T } | { readonly problem: string };

export const MISSING: { readonly problem: string } = { problem: 'is required, but is not set' };

/** What a parameter is made for; it may take other forms of it, too. */
export type ParamKind = 'text' | 'number' | 'flag' | 'list' | 'object';

/** Makes a schema of a function that reads a raw value; `kind` is told to those who look from outside. */
export function param<T>(read: (value: unknown) => Reading<T>, kind?: ParamKind): Param<T> {
  const schema = z
    .unknown()
    .optional()
    .transform((value, context) => {
      const reading = read(value);
      if ('value' in reading) return reading.value;
      context.addIssue(reading.problem);
      return z.NEVER;
    });
  return kind === undefined ? schema : schema.meta({ kind });
}

/** A short quotation of a value for a message. */
export function quoted(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
