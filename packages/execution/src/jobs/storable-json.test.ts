import { expect, it } from 'vitest';
import { storableJson } from './storable-json.ts';

it('replaces what Postgres refuses, at any depth and in keys, and nothing else', () => {
  expect(storableJson({ 'a\u0000': ['x\u0000y', '\ud800', '\ud83d\ude00', 1, null, true] })).toEqual({
    'a\ufffd': ['x\ufffdy', '\ufffd', '\ud83d\ude00', 1, null, true],
  });
});

it('refuses what would arrive as {}, by its key', () => {
  for (const value of [new Map([['a', 1]]), new Date(0), new Error('why')])
    expect(() => storableJson({ result: { total: value } } as never)).toThrow('total must be plain JSON');
});
