/** Parameters that hold one plain value: text, numbers, flags, choices. */
import type { JsonValue } from '../ports.ts';
import { numericText } from '../values/numeric-text.ts';
import { textOf } from '../values/text-of.ts';
import { MISSING, type Param, param, quoted } from './param.ts';

/** Text; any other value is taken as its text. Required without a fallback (but may be empty). */
export function text(fallback?: string): Param<string> {
  return param<string>((value) => {
    if (value !== undefined && value !== null) return { value: textOf(value as JsonValue) };
    return fallback === undefined ? MISSING : { value: fallback };
  }, 'text');
}

/** Required text that must not be blank: a path, an address. */
export function filledText(): Param<string> {
  return param<string>((value) => {
    const given = value === undefined || value === null ? '' : textOf(value as JsonValue);
    return given.trim() === '' ? MISSING : { value: given };
  }, 'text');
}

export interface NumberOptions<Fallback> {
  /** Value when nothing is given; without it the parameter is required. */
  readonly fallback?: Fallback;
  readonly min?: number;
  readonly max?: number;
}

/** A finite number, or text that spells one. */
export function number<Fallback extends number | null = number>(
  options: NumberOptions<Fallback> = {},
): Param<number | Fallback> {
  return numeric(options, false);
}

/** A whole number, or text that spells one; `3.0` is fine, `3.5` is not. */
export function integer<Fallback extends number | null = number>(
  options: NumberOptions<Fallback> = {},
): Param<number | Fallback> {
  return numeric(options, true);
}

function numeric<Fallback extends number | null>(
  options: NumberOptions<Fallback>,
  whole: boolean,
): Param<number | Fallback> {
  const wanted = whole ? 'a whole number' : 'a number';
  return param<number | Fallback>((value) => {
    if (value === undefined || value === null || value === '') {
      return options.fallback === undefined ? MISSING : { value: options.fallback };
    }
    const given = typeof value === 'string' ? numericText(value) : value;
    if (typeof given !== 'number' || !Number.isFinite(given) || (whole && !Number.isInteger(given))) {
      return { problem: `must be ${wanted}, but is ${quoted(value)}` };
    }
    if (options.min !== undefined && given < options.min) {
      return { problem: `must be at least ${options.min}, but is ${quoted(value)}` };
    }
    if (options.max !== undefined && given > options.max) {
      return { problem: `must be at most ${options.max}, but is ${quoted(value)}` };
    }
    return { value: given };
  }, 'number');
}

const YES = ['true', 'yes', 'on', '1'];
const NO = ['false', 'no', 'off', '0'];

/** true or false, or a text or number that says so (`"true"`, `"no"`, `1`). */
export function flag(fallback: boolean): Param<boolean> {
  return param((value) => {
    if (value === undefined || value === null || value === '') return { value: fallback };
    const word = String(value).trim().toLowerCase();
    if (typeof value !== 'object' && YES.includes(word)) return { value: true };
    if (typeof value !== 'object' && NO.includes(word)) return { value: false };
    return { problem: `must be true or false, but is ${quoted(value)}` };
  }, 'flag');
}

/**
 * One of some words, whatever the case; `synonyms` maps further spellings (in lower case) to them. The schema's
 * metadata holds the words as `choices`, so that a validator can name the nearest.
 */
export function choice<const Word extends string>(
  words: readonly Word[],
  fallback: NoInfer<Word>,
  synonyms: Readonly<Record<string, NoInfer<Word>>> = {},
): Param<Word> {
  return param<Word>((value) => {
    if (value === undefined || value === null || value === '') return { value: fallback };
    const given = String(value).trim().toLowerCase();
    const word =
      words.find((candidate) => candidate.toLowerCase() === given) ??
      (Object.hasOwn(synonyms, given) ? synonyms[given] : undefined);
    return word === undefined
      ? { problem: `must be one of ${words.join(', ')}, but is ${quoted(value)}` }
      : { value: word };
  }).meta({ choices: words, synonyms: Object.keys(synonyms) });
}
