import { describe, expect, test } from 'vitest';
import { anything, choice, dict, filledText, flag, integer, list, number, type Param, text } from './index.ts';

function problem(schema: Param<unknown>, value: unknown): string | undefined {
  return schema.safeParse(value).error?.issues[0]?.message;
}

describe('numbers', () => {
  test.each([
    ['5', 5],
    [' -1.5e3 ', -1500],
    ['1_000', 1000],
    [2.5, 2.5],
  ])('%j is taken as %d', (given, meant) => {
    expect(number().parse(given)).toBe(meant);
  });

  test.each([null, undefined, ''])('%j means the default', (given) => {
    expect(number({ fallback: 7 }).parse(given)).toBe(7);
    expect(integer({ fallback: null }).parse(given)).toBeNull();
  });

  test('nonsense, flags and parts of whole numbers are refused in a plain sentence', () => {
    expect(problem(number(), 'abc')).toBe('must be a number, but is "abc"');
    expect(problem(number(), true)).toBe('must be a number, but is true');
    expect(problem(number(), '0x10')).toBe('must be a number, but is "0x10"');
    expect(problem(integer(), '3.5')).toBe('must be a whole number, but is "3.5"');
    expect(problem(integer({ min: 0 }), -1)).toBe('must be at least 0, but is -1');
    expect(problem(number({ max: 2 }), '3')).toBe('must be at most 2, but is "3"');
    expect(integer().parse('3.0')).toBe(3);
  });

  test('a required one must be set', () => {
    expect(problem(number(), undefined)).toBe('is required, but is not set');
    expect(number().isOptional()).toBe(false);
    expect(number({ fallback: 1 }).isOptional()).toBe(true);
  });
});

describe('flags', () => {
  test.each([true, 'true', 'True', 'YES', 'on', '1', 1])('%j is true', (given) => {
    expect(flag(false).parse(given)).toBe(true);
  });

  test.each([false, 'false', 'No', 'off', '0', 0])('%j is false', (given) => {
    expect(flag(true).parse(given)).toBe(false);
  });

  test('anything else is refused', () => {
    expect(problem(flag(true), 'maybe')).toBe('must be true or false, but is "maybe"');
    expect(problem(flag(true), [true])).toBe('must be true or false, but is [true]');
  });
});

describe('choices', () => {
  const mode = choice(['file', 'directory'], 'file', { folder: 'directory' });

  test('case does not matter, and other names are understood', () => {
    expect(mode.parse('Directory')).toBe('directory');
    expect(mode.parse('Folder')).toBe('directory');
    expect(mode.parse('')).toBe('file');
  });

  test('the choices are known from outside', () => {
    expect(mode.meta()).toEqual({ choices: ['file', 'directory'], synonyms: ['folder'] });
  });

  test('a refusal lists what is possible', () => {
    expect(problem(mode, 'fil')).toBe('must be one of file, directory, but is "fil"');
    expect(problem(mode, 'constructor')).toContain('must be one of');
  });
});

describe('text', () => {
  test('other values are taken as their text', () => {
    expect(text().parse(3)).toBe('3');
    expect(text().parse(true)).toBe('true');
    expect(text().parse({ a: [1, null] })).toBe('{"a":[1,null]}');
    expect(text('x').parse(null)).toBe('x');
  });

  test('required text may be empty, a path may not', () => {
    expect(text().parse('')).toBe('');
    expect(problem(text(), null)).toBe('is required, but is not set');
    expect(problem(filledText(), '  ')).toBe('is required, but is not set');
  });
});

describe('lists and objects', () => {
  test('JSON text of one is one', () => {
    expect(list().parse('[1,2]')).toEqual([1, 2]);
    expect(dict().parse('{"a": 1}')).toEqual({ a: 1 });
  });

  test('nothing is an empty one', () => {
    expect(list().parse(null)).toEqual([]);
    expect(dict().parse('')).toEqual({});
    expect(anything().parse(undefined)).toBeNull();
  });

  test('a refusal does not show the value, which may be a secret', () => {
    expect(problem(list(), 'abc')).toBe('must be a list, such as ["a", "b"], but is text that is not JSON');
    expect(problem(list(), { a: 1 })).toContain('but is an object');
    expect(problem(dict(), '[1]')).toBe('must be an object, such as {"name": "value"}, but is a list');
  });
});
