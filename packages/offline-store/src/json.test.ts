import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { encodeJson } from './json.ts';

const answered = 'what its toJSON() answers would be stored in its stead';

function hiding<T extends object>(value: T): T {
  return Object.defineProperty(value, 'toJSON', { value: () => 'other', enumerable: false });
}

describe('encodeJson', () => {
  it('takes every JSON value, whatever realm it comes from', () => {
    const values = [
      null,
      true,
      0,
      -1.5,
      'text \ud800 \u0000',
      [],
      {},
      { a: [{ b: null }] },
      Object.create(null),
      { __proto__: null, x: 1 },
    ];
    for (const value of values) expect(JSON.parse(encodeJson(value, 'value'))).toEqual(value);
    expect(encodeJson(runInNewContext('({ a: [1] })'), 'value')).toBe('{"a":[1]}');
    expect(encodeJson(JSON.parse('{"__proto__": {"x": 1}}'), 'value')).toBe('{"__proto__":{"x":1}}');
  });

  it('counts undefined properties as absent', () => {
    expect(encodeJson({ a: undefined, b: 1 }, 'value')).toBe('{"b":1}');
  });

  it.each([
    ['undefined', undefined, '"$", undefined has no JSON form'],
    ['a symbol', [Symbol('s')], '"$[0]", a symbol has no JSON form'],
    ['a map', { m: new Map() }, '"$.m", an instance of Map has no JSON form'],
    ['an object with toJSON', { m: { toJSON: () => 1 } }, '"$.m.toJSON", a function has no JSON form'],
    ['a hidden toJSON', [hiding({ a: 1 })], `"$[0]", ${answered}`],
    ['a hidden toJSON of a list', { m: hiding([]) }, `"$.m", ${answered}`],
  ])('refuses %s with its place', (_name, value, message) => {
    expect(() => encodeJson(value, 'thing')).toThrow(
      expect.objectContaining({ code: 'NOT_SERIALIZABLE', message: `The thing cannot be stored: at ${message}.` }),
    );
  });

  it('refuses circular values instead of overflowing the stack', () => {
    const circle: Record<string, unknown> = { list: [] };
    (circle.list as unknown[]).push(circle);
    expect(() => encodeJson(circle, 'thing')).toThrow(
      /at "\$\.list\[0\]\.list\[0\]\.list", it is circular or nested deeper/,
    );
  });
});
