/**
 * The kinds of values that settings hold. A kind knows what is allowed (as a schema and in words) and what a
 * text from the environment or the command line means. A text without meaning is handed on as it is, so that
 * the schema refuses it.
 */
import { z } from 'zod';

export interface SettingKind<T> {
  readonly schema: z.ZodType<T>;
  /** Completes the sentence "must be ...". */
  readonly allowed: string;
  readonly fromText: (text: string) => unknown;
  /** What is wrong with a value, where more can be said than `allowed` does; null where not. */
  readonly fault?: (value: unknown) => string | null;
  /** `secret` values are never shown, a `url` only if it looks like one; a `path`, or each of a list, is made absolute. */
  readonly treatment?: 'secret' | 'url' | 'path';
}

/** The longest delay a timer of Node.js can wait: about 24.8 days. */
const longestDelayMs = 2_147_483_647;

export function wholeNumber(min: number, max: number, unit = ''): SettingKind<number> {
  return {
    schema: z.int().min(min).max(max),
    allowed: `a whole number${unit} from ${min} to ${max}`,
    fromText: (text) => (/^\d+$/.test(text) ? Number(text) : text),
  };
}

export function durationMs(min = 1): SettingKind<number> {
  return wholeNumber(min, longestDelayMs, ' of milliseconds');
}

export function decimal(min: number, max: number): SettingKind<number> {
  return {
    schema: z.number().min(min).max(max),
    allowed: `a number from ${min} to ${max}`,
    fromText: (text) => (/^\d+(\.\d+)?$/.test(text) ? Number(text) : text),
  };
}

export function flag(): SettingKind<boolean> {
  const meanings = new Map([
    ['true', true],
    ['1', true],
    ['yes', true],
    ['on', true],
    ['false', false],
    ['0', false],
    ['no', false],
    ['off', false],
  ]);
  return {
    schema: z.boolean(),
    allowed: 'true or false',
    fromText: (text) => meanings.get(text.toLowerCase()) ?? text,
  };
}

export function oneOf<const T extends string>(...values: readonly [T, ...T[]]): SettingKind<T> {
  return {
    schema: z.enum(values) as unknown as z.ZodType<T>,
    allowed: `one of ${values.join(', ')}`,
    fromText: (text) => text.toLowerCase(),
  };
}

export function text(maxLength: number): SettingKind<string> {
  return {
    schema: z.string().trim().min(1).max(maxLength),
    allowed: `a text of 1 to ${maxLength} characters`,
    fromText: (given) => given,
  };
}

export function textList(maxLength = 200): SettingKind<string[]> {
  return {
    schema: z.array(z.string().trim().min(1).max(maxLength)).max(100),
    allowed: 'a list of at most 100 texts (in the environment: separated by commas)',
    fromText: itemsOf,
  };
}

/** Regular expressions as JavaScript has them with the flag `u`; one that matches nothing at all would match everywhere. */
export function patternList(): SettingKind<string[]> {
  const isList = (value: unknown): value is string[] =>
    Array.isArray(value) && value.every((item) => typeof item === 'string');
  const fault = (value: unknown): string | null => {
    const faults = isList(value) ? value.map((item, index) => patternFault(item, index)) : [];
    return faults.find((one) => one !== null) ?? null;
  };
  return {
    schema: z
      .array(z.string().min(1).max(1_000))
      .max(50)
      .refine((items) => fault(items) === null),
    allowed: 'a list of at most 50 regular expressions (in the environment: separated by commas)',
    fromText: itemsOf,
    fault,
  };
}

function patternFault(source: string, index: number): string | null {
  try {
    return new RegExp(source, 'u').test('') ? `item ${index + 1} matches an empty text, and so every text` : null;
  } catch (error) {
    return `item ${index + 1} is no regular expression: ${(error as Error).message}`;
  }
}

/** A list of some of these words, each at most once. */
export function listOf<const T extends string>(...values: readonly [T, ...T[]]): SettingKind<T[]> {
  return {
    schema: z.array(z.enum(values)).refine((items) => new Set(items).size === items.length) as unknown as z.ZodType<
      T[]
    >,
    allowed: `a list of some of ${values.join(', ')}, each once (in the environment: separated by commas)`,
    fromText: (given) => itemsOf(given.toLowerCase()),
  };
}

/** Paths, or `*` for all of them. */
export function pathList(): SettingKind<string[]> {
  return {
    schema: z
      .array(
        z
          .string()
          .min(1)
          .max(4_096)
          .refine((given) => !given.includes('\0')),
      )
      .max(100),
    allowed: 'a list of at most 100 paths (in the environment: separated by commas)',
    fromText: itemsOf,
    treatment: 'path',
  };
}

function itemsOf(given: string): string[] {
  return given
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

export function path(): SettingKind<string> {
  return {
    schema: z
      .string()
      .min(1)
      .refine((given) => !given.includes('\0')),
    allowed: 'a path',
    fromText: (given) => given,
    treatment: 'path',
  };
}

export function uuid(): SettingKind<string> {
  return { schema: z.guid(), allowed: 'a UUID', fromText: (given) => given };
}

export function secret(): SettingKind<string> {
  return {
    schema: z
      .string()
      .trim()
      .min(1)
      .regex(/^[\x21-\x7e]+$/),
    allowed: 'a text of visible ASCII characters without spaces',
    fromText: (given) => given,
    treatment: 'secret',
  };
}

/** A secret that a person chose: any characters. */
export function passphrase(): SettingKind<string> {
  return {
    schema: z.string().min(1).max(1_000),
    allowed: 'a text of 1 to 1000 characters',
    fromText: (given) => given,
    treatment: 'secret',
  };
}

export function httpUrl(): SettingKind<string> {
  return {
    schema: z
      .string()
      .trim()
      .regex(/^https?:\/\//i)
      .refine(isPlainUrl),
    allowed: 'an http or https URL without user name and password',
    fromText: (given) => given,
    treatment: 'url',
  };
}

/** `kind`, or nothing at all: `null` in a file, `none` as text. */
export function optional<T>(kind: SettingKind<T>): SettingKind<T | null> {
  return {
    ...kind,
    schema: kind.schema.nullable(),
    allowed: `${kind.allowed}, or none`,
    fromText: (given) => (given.toLowerCase() === 'none' ? null : kind.fromText(given)),
  };
}

function isPlainUrl(given: string): boolean {
  const url = URL.parse(given);
  return url !== null && url.username === '' && url.password === '';
}
