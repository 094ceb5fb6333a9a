/** Turns what a schema refused into a sentence for people: "must be a number, but is text". */
import type { z } from 'zod';
import { kindOf } from './value-text.ts';

type Issue = z.core.$ZodIssue;

const nouns: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  tuple: 'a list',
  object: 'an object',
  record: 'an object',
  null: 'null',
  map: 'an object',
  date: 'a date',
};

const formats: Readonly<Record<string, string>> = {
  url: 'must be a URL',
  email: 'must be an e-mail address',
  uuid: 'must be a UUID',
  datetime: 'must be a date and time',
  date: 'must be a date',
  ipv4: 'must be an IP address',
  ipv6: 'must be an IP address',
};

/**
 * Words that follow a parameter's name.
 *
 * @param value what was refused.
 * @param describe how it appears in the words: {@link quotedValue} for what a file says, {@link kindOf} for what may
 *   come from a secret (I8).
 */
export function problemOf(issues: readonly Issue[], value: unknown, describe: (value: unknown) => string): string {
  const issue = issues[0];
  if (issue === undefined) return 'has a form that this parameter does not take';
  const place = issue.path.length === 0 ? '' : `${describePath(issue.path)} `;
  return place + sentence(issue, describe(valueAt(value, issue.path)));
}

/** Quotes short texts, which are mostly misspelled words; names only the kind of everything else. */
export function quotedValue(value: unknown): string {
  if (typeof value === 'string' && value.length <= 40) return JSON.stringify(value);
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : kindOf(value);
}

function sentence(issue: Issue, found: string): string {
  switch (issue.code) {
    case 'invalid_type':
      return `must be ${noun(issue.expected)}, but is ${found}`;
    case 'invalid_value':
      return `must be ${listed(issue.values.map((choice) => JSON.stringify(choice) ?? String(choice)))}, but is ${found}`;
    case 'invalid_union':
      return `must be ${unionNouns(issue)}, but is ${found}`;
    case 'too_small':
      return `must ${limit(issue.origin, issue.minimum, issue.inclusive === false ? 'more than' : 'at least')}`;
    case 'too_big':
      return `must ${limit(issue.origin, issue.maximum, issue.inclusive === false ? 'less than' : 'at most')}`;
    case 'invalid_format':
      return formats[issue.format] ?? 'does not have the expected form';
    case 'not_multiple_of':
      return `must be a multiple of ${issue.divisor}`;
    case 'unrecognized_keys':
      return `has unknown keys: ${issue.keys.slice(0, 5).join(', ')}`;
    case 'custom':
      return issue.message === '' || issue.message === 'Invalid input' ? 'does not fit' : issue.message;
    default:
      return 'does not fit';
  }
}

function noun(expected: string): string {
  return nouns[expected] ?? 'another kind of value';
}

function unionNouns(issue: Extract<Issue, { code: 'invalid_union' }>): string {
  const expected = issue.errors
    .flat()
    .flatMap((inner) => (inner.path.length === 0 && inner.code === 'invalid_type' ? [noun(inner.expected)] : []));
  return expected.length === 0 ? 'another kind of value' : listed([...new Set(expected)]);
}

function limit(origin: string, bound: number | bigint, words: string): string {
  if (origin === 'string') return `have ${words} ${bound} characters`;
  if (origin === 'array') return `have ${words} ${bound} items`;
  return `be ${words} ${bound}`;
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, 30);
  const last = shown.at(-1) ?? 'nothing';
  return shown.length < 2 ? last : `${shown.slice(0, -1).join(', ')} or ${last}`;
}

function describePath(path: readonly PropertyKey[]): string {
  return path.map((key) => (typeof key === 'number' ? `item ${key + 1}` : `"${String(key)}"`)).join(' of ');
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (inner, key) =>
      typeof inner === 'object' && inner !== null && Object.hasOwn(inner, key)
        ? (inner as Record<PropertyKey, unknown>)[key]
        : undefined,
    value,
  );
}
