import { describe, expect, test } from 'vitest';
import { looselyEqual, looseOrder, strictlyEqual, strictOrder } from './compare.ts';
import { fixedText, roundHalfEven } from './half-even.ts';
import { readPath } from './read-path.ts';
import { textOf } from './text-of.ts';

describe('rounding is as in Python', () => {
  test.each([
    [0.5, 0, '0'],
    [1.5, 0, '2'],
    [2.5, 0, '2'],
    [9.5, 0, '10'],
    [-2.5, 0, '-2'],
    [-0.4, 0, '0'],
    [2.675, 2, '2.67'],
    [0.125, 2, '0.12'],
    [0.375, 2, '0.38'],
    [1e22, 1, '10000000000000000000000.0'],
    [1.005, 2, '1.00'],
  ])('%d to %d decimals is %s', (value, digits, rounded) => {
    expect(fixedText(value, digits)).toBe(rounded);
  });

  test('rounding gives numbers', () => {
    expect(roundHalfEven(2.5, 0)).toBe(2);
    expect(roundHalfEven(1234.5678, 3)).toBe(1234.568);
  });
});

describe('comparing', () => {
  test('structures are equal by content, whatever the order of keys', () => {
    expect(strictlyEqual({ a: [1, { b: 2 }], c: 3 }, { c: 3, a: [1, { b: 2 }] })).toBe(true);
    expect(strictlyEqual({ a: 1 }, { b: 1 })).toBe(false);
    expect(strictlyEqual([1, 2], [1])).toBe(false);
    expect(strictlyEqual('5', 5)).toBe(false);
  });

  test('typed-in text equals the number or flag it spells', () => {
    expect(looselyEqual('5', 5)).toBe(true);
    expect(looselyEqual(5, ' 5.0 ')).toBe(true);
    expect(looselyEqual(true, 'True')).toBe(true);
    expect(looselyEqual('007', '7')).toBe(false);
    expect(looselyEqual(null, '')).toBe(false);
  });

  test('what has no order has none', () => {
    expect(strictOrder(1, 'a')).toBeNull();
    expect(strictOrder(null, null)).toBeNull();
    expect(strictOrder({}, {})).toBeNull();
    expect(strictOrder([1, 'a'], [1, 2])).toBeNull();
  });

  test('lists are ordered by their first difference', () => {
    expect(strictOrder([1, 2], [1, 3])).toBeLessThan(0);
    expect(strictOrder([1], [1, 0])).toBeLessThan(0);
  });

  test('numbers in text are ordered as numbers when typed in, as text otherwise', () => {
    expect(looseOrder('10', '9')).toBeGreaterThan(0);
    expect(strictOrder('10', '9')).toBeLessThan(0);
    expect(looseOrder(10, '9')).toBeGreaterThan(0);
    expect(looseOrder('apple', 'banana')).toBeLessThan(0);
  });
});

describe('paths into values', () => {
  const value = { user: { emails: [{ address: 'a@x' }, { address: 'b@x' }] } };

  test('keys and indices, in either spelling, also from the end', () => {
    expect(readPath(value, 'user.emails[0].address')).toBe('a@x');
    expect(readPath(value, 'user.emails.1.address')).toBe('b@x');
    expect(readPath(value, 'user.emails[-1].address')).toBe('b@x');
    expect(readPath(value, '')).toBe(value);
  });

  test('a path that leads nowhere, or to what every object inherits, is undefined', () => {
    expect(readPath(value, 'user.phone.home')).toBeUndefined();
    expect(readPath(value, 'user.emails.first')).toBeUndefined();
    expect(readPath(value, 'user.constructor')).toBeUndefined();
  });
});

test('values read as text', () => {
  expect([3, 3.5, true, null, 'x', [1, 'a'], { a: null }].map(textOf)).toEqual([
    '3',
    '3.5',
    'true',
    '',
    'x',
    '[1,"a"]',
    '{"a":null}',
  ]);
});
