import { describe, expect, test } from 'vitest';
import { globOf } from './glob.ts';

describe('patterns', () => {
  test.each([
    ['*.txt', false, 'a.txt', true],
    ['*.txt', false, 'sub/a.txt', false],
    ['*.txt', true, 'sub/deep/a.txt', true],
    ['*.txt', true, 'a.txt', true],
    ['sub/*.txt', false, 'sub/a.txt', true],
    ['**/*.txt', false, 'x/y/a.txt', true],
    ['**', false, 'x/y', true],
    ['?.t', false, 'a.t', true],
    ['?.t', false, 'ab.t', false],
    ['[ab]*', false, 'banana', true],
    ['[!ab]*', false, 'banana', false],
    ['[a-c]1', false, 'b1', true],
    ['a+b(1).txt', false, 'a+b(1).txt', true],
    ['[x', false, '[x', true],
    ['*', false, '.hidden', true],
    ['[!a]b', false, '/b', false],
  ])('%s (recursive: %j) on %s: %j', (pattern, recursive, path, matches) => {
    expect(globOf(pattern, recursive).matches(path)).toBe(matches);
  });

  test('folders are entered only as deep as a match can be', () => {
    expect(globOf('*', false).depth).toBe(1);
    expect(globOf('a/*/b', false).depth).toBe(3);
    expect(globOf('*', true).depth).toBe(Number.POSITIVE_INFINITY);
  });

  test('a pattern must not lead out of the folder', () => {
    expect(() => globOf('../*', false)).toThrow('must not lead out');
    expect(() => globOf('', false)).toThrow('is empty');
  });
});
