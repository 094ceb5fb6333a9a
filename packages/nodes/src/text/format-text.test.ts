import { describe, expect, test } from 'vitest';
import { NodeError } from '../errors.ts';
import type { JsonValue } from '../ports.ts';
import { formatText } from './format-text.ts';

function codeOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    return error instanceof NodeError ? error.code : String(error);
  }
  return 'no error';
}

describe('fields', () => {
  const values = { name: 'Ada', user: { name: 'Bob', tags: ['x', 'y'] }, n: 3, yes: true, none: null };

  test.each([
    ['Hello {name}!', 'Hello Ada!'],
    ['{user.name} {user[name]} {user.tags[1]}', 'Bob Bob y'],
    ['{{literal}} {n}', '{literal} 3'],
    ['{yes}|{none}|{user.tags}', 'true||["x","y"]'],
    ['{name!r} {n!s:>4}', '"Ada"    3'],
    ['{n:{n}}', '  3'],
    ['no fields', 'no fields'],
  ])('%s gives %s', (template, text) => {
    expect(formatText(template, values)).toBe(text);
  });

  test('a list serves positions', () => {
    expect(formatText('{} {} {0}', ['a', 'b'])).toBe('a b a');
  });

  test('a missing field is named, together with what there is', () => {
    expect(() => formatText('{nam}', { name: 1, age: 2 })).toThrow(
      'The template uses {nam}, but there is no "nam" in variables (name, age)',
    );
    expect(() => formatText('{user.age}', { user: {} })).toThrow('but an object has no "age" there');
    expect(() => formatText('{x}', {})).toThrow('in variables, which is empty');
    expect(codeOf(() => formatText('{toString}', {}))).toBe('FORMAT_FIELD_MISSING');
  });

  test.each(['{', '}', 'a } b', '{a', '{a!z}', '{a{b}}', '{a.}', '{a:{b:{c:{d}}}}'])(
    '%s is no template',
    (template) => {
      expect(codeOf(() => formatText(template, { a: 1, b: 2, c: 3, d: 4 }))).toBe('FORMAT_TEMPLATE_INVALID');
    },
  );
});

/** Expected texts are what Python 3 gives for the same value. */
describe('specifications', () => {
  test.each<[string, JsonValue, string]>([
    ['.2f', 3.1417, '3.14'],
    ['.2f', 2.675, '2.67'],
    ['.0f', 2.5, '2'],
    ['f', 1, '1.000000'],
    [',', 1234567, '1,234,567'],
    [',.2f', 1234567.891, '1,234,567.89'],
    ['_', 1234567, '1_234_567'],
    ['>10', 'ab', '        ab'],
    ['<6', 'ab', 'ab    '],
    ['^7', 'ab', '  ab   '],
    ['*^8', 'ab', '***ab***'],
    ['10', 5, '         5'],
    ['10', 'x', 'x         '],
    ['05', 42, '00042'],
    ['05', -42, '-0042'],
    ['+', 5, '+5'],
    [' ', 5, ' 5'],
    ['=+6', 5, '+    5'],
    ['d', 42, '42'],
    ['x', 255, 'ff'],
    ['#x', 255, '0xff'],
    ['#X', 255, '0XFF'],
    ['b', 5, '101'],
    ['o', 8, '10'],
    ['_b', 255, '1111_1111'],
    ['c', 65, 'A'],
    ['e', 12345.678, '1.234568e+04'],
    ['.1E', 0.00012, '1.2E-04'],
    ['g', 1234567, '1.23457e+06'],
    ['g', 0.0001, '0.0001'],
    ['g', 0.00001, '1e-05'],
    ['.3g', 3.1417, '3.14'],
    ['.1%', 0.1234, '12.3%'],
    ['%', 0.5, '50.000000%'],
    ['.3', 'abcdef', 'abc'],
    ['.3', 3.1417, '3.14'],
    ['s', 'abc', 'abc'],
  ])('{:%s} of %j is "%s"', (spec, value, text) => {
    expect(formatText(`{v:${spec}}`, { v: value })).toBe(text);
  });

  test('a number that arrives as text can be formatted as a number', () => {
    expect(formatText('{price:.1f}', { price: '3.14' })).toBe('3.1');
  });

  test.each<[string, JsonValue]>([
    ['.2f', 'abc'],
    ['d', 3.5],
    ['d', null],
    ['.2d', 3],
    ['zzz', 1],
    ['99999999', 1],
    ['.999f', 1],
  ])('{:%s} of %j is refused', (spec, value) => {
    expect(codeOf(() => formatText(`{v:${spec}}`, { v: value }))).toBe('FORMAT_SPEC_INVALID');
  });
});
