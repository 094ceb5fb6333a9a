/** Parameters of the control-flow nodes: they take what designer files hold (numbers as text, null for "not set"). */
import { z } from 'zod';
import type { JsonValue } from '../json.ts';

export type Param<T> = z.ZodType<T, unknown>;

/** @param kind what the parameter is made for, told to those who look from outside; undefined: anything */
function param<T>(
  read: (value: unknown) => { readonly value: T } | { readonly problem: string },
  kind?: 'text' | 'number' | 'flag' | 'list',
): Param<T> {
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

function isNotSet(value: unknown): value is undefined | null | '' {
  return value === undefined || value === null || value === '';
}

/** Text; nothing and null are the fallback. */
export function text(fallback = ''): Param<string> {
  return param((value) => {
    if (value === undefined || value === null) return { value: fallback };
    return typeof value === 'object' ? { problem: 'must be text' } : { value: String(value) };
  }, 'text');
}

/** The name of a variable; required. */
export function variableName(): Param<string> {
  return param((value) => {
    if (isNotSet(value)) return { problem: 'is required, but is not set' };
    return typeof value === 'string' && value.trim() !== ''
      ? { value: value.trim() }
      : { problem: 'must be the name of a variable' };
  }, 'text');
}

/** A finite number, or text that spells one. */
export function number(fallback: number): Param<number> {
  return numeric(fallback, false);
}

/** A whole number, or text that spells one. */
export function integer(fallback: number): Param<number> {
  return numeric(fallback, true);
}

function numeric(fallback: number, whole: boolean): Param<number> {
  return param((value) => {
    if (isNotSet(value)) return { value: fallback };
    const given = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
    const fits = typeof given === 'number' && (whole ? Number.isSafeInteger(given) : Number.isFinite(given));
    return fits
      ? { value: given }
      : { problem: `must be a ${whole ? 'whole ' : ''}number, but is ${JSON.stringify(value)?.slice(0, 60)}` };
  }, 'number');
}

const words: ReadonlyMap<string, boolean> = new Map([
  ...['true', 'yes', 'on', '1'].map((word) => [word, true] as const),
  ...['false', 'no', 'off', '0'].map((word) => [word, false] as const),
]);

/** true or false, or a word or number that says so. */
export function flag(fallback: boolean): Param<boolean> {
  return param((value) => {
    if (isNotSet(value)) return { value: fallback };
    const meant = typeof value === 'object' ? undefined : words.get(String(value).trim().toLowerCase());
    return meant === undefined
      ? { problem: `must be true or false, but is ${JSON.stringify(value)?.slice(0, 60)}` }
      : { value: meant };
  }, 'flag');
}

/** A whole number within bounds, or text that spells one. */
export function integerBetween(least: number, most: number, fallback: number): Param<number> {
  return param((value) => {
    if (isNotSet(value)) return { value: fallback };
    const given = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
    return typeof given === 'number' && Number.isInteger(given) && given >= least && given <= most
      ? { value: given }
      : {
          problem: `must be a whole number from ${least} to ${most}, but is ${JSON.stringify(value)?.slice(0, 60)}`,
        };
  });
}

/** A time in seconds above 0, or text that spells one. */
export function seconds(fallback: number): Param<number> {
  return param((value) => {
    if (isNotSet(value)) return { value: fallback };
    const given = typeof value === 'string' ? Number(value) : value;
    return typeof given === 'number' && Number.isFinite(given) && given > 0
      ? { value: given }
      : { problem: `must be a number of seconds above 0, but is ${JSON.stringify(value)?.slice(0, 60)}` };
  });
}

/** What a loop goes over; required. */
export function givenItems(): Param<Exclude<JsonValue, null>> {
  return param((value) =>
    value === undefined || value === null
      ? { problem: 'is required, but is not set' }
      : { value: value as Exclude<JsonValue, null> },
  );
}

/** Any value; undefined when nothing is given. */
export function anything(): Param<JsonValue | undefined> {
  return param((value) => ({ value: value as JsonValue | undefined }));
}

/** A list of values, also as JSON text or as text with commas. */
export function list(): Param<readonly JsonValue[]> {
  return param((value) => {
    if (isNotSet(value)) return { value: [] };
    if (Array.isArray(value)) return { value: value as readonly JsonValue[] };
    return typeof value === 'string' ? { value: listOfText(value) } : { problem: 'must be a list' };
  }, 'list');
}

function listOfText(source: string): readonly JsonValue[] {
  try {
    const parsed: unknown = JSON.parse(source);
    if (Array.isArray(parsed)) return parsed as readonly JsonValue[];
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  return source.split(',').map((part) => part.trim());
}
