import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { JsonObject } from '../json.ts';
import { defineNode, type NodeType } from '../node-contract.ts';
import { readParams } from './node-params.ts';

function typeWith(params: z.ZodObject): NodeType {
  return defineNode({
    type: 'SampleNode',
    category: 'test',
    description: '',
    params,
    outputs: [],
    effect: () => 'pure',
    run: () => Promise.resolve({}),
  });
}

const sample = typeWith(
  z.object({
    text: z.string(),
    count: z.number().int().min(0).default(3),
    flag: z.boolean().default(false),
    list: z.array(z.json()).default([]),
    object: z.record(z.string(), z.json()).default({}),
    choice: z.enum(['GET Request', 'Post']).default('Post'),
    any: z.json().optional(),
    either: z
      .union([z.number(), z.array(z.number())])
      .nullable()
      .default(null),
  }),
);

const defaults = { count: 3, flag: false, list: [], object: {}, choice: 'Post', either: null };
const read = (values: JsonObject) => readParams(sample, values);

describe('readParams', () => {
  it('fills in the defaults', () => {
    expect(read({ text: 'a', foreign: 1 })).toEqual({ ok: true, params: { ...defaults, text: 'a' } });
  });

  it.each<[JsonObject, object]>([
    [{ count: '5' }, { count: 5 }],
    [{ count: ' 5.0 ' }, { count: 5 }],
    [{ count: '' }, { count: 3 }],
    [{ count: null }, { count: 3 }],
    [{ flag: 'TRUE' }, { flag: true }],
    [{ flag: 0 }, { flag: false }],
    [{ list: '[1]' }, { list: [1] }],
    [{ object: '{"a": 1}' }, { object: { a: 1 } }],
    [{ choice: 'get request' }, { choice: 'GET Request' }],
    [{ any: null }, { any: null }],
    [{ either: '5' }, { either: 5 }],
    [{ either: '[5]' }, { either: [5] }],
  ])('understands what designer files hold: %j', (values, expected) => {
    expect(read({ text: 'a', ...values })).toEqual({ ok: true, params: { ...defaults, text: 'a', ...expected } });
  });

  it.each([
    [5, '5'],
    [true, 'true'],
    [[1, 'a'], '[1,"a"]'],
    ['', ''],
  ])('writes a resolved value as text where text is meant: %j', (value, text) => {
    expect(read({ text: value })).toMatchObject({ ok: true, params: { text } });
  });

  it('says what is missing', () => {
    const problem = { param: 'text', problem: 'is required, but is not set', isMissing: true };
    expect(read({})).toEqual({ ok: false, problems: [problem] });
    expect(read({ text: null })).toEqual({ ok: false, problems: [problem] });
  });

  it.each<[JsonObject, string]>([
    [{ count: 'many' }, 'must be a number, but is text'],
    [{ count: 1.5 }, 'must be a whole number, but is a number'],
    [{ count: -1 }, 'must be at least 0'],
    [{ flag: 'x'.repeat(100) }, 'must be true or false, but is text'],
    [{ list: {} }, 'must be a list, but is an object'],
    [{ choice: 'PUT' }, 'must be "GET Request" or "Post", but is text'],
    [{ either: 'x' }, 'must be a number or a list, but is text'],
  ])('says in plain words what does not fit, without quoting what may be a secret: %j', (values, words) => {
    const reading = read({ text: 'a', ...values });
    expect(reading.ok ? '' : reading.problems[0]?.problem).toBe(words);
  });

  it('keeps what a type takes beyond its parameters', () => {
    const loose = typeWith(z.looseObject({ a: z.number().default(1) }));
    expect(readParams(loose, { b: 2, constructor: 3 })).toEqual({ ok: true, params: { a: 1, b: 2, constructor: 3 } });
  });

  it('applies rules that span parameters', () => {
    const paired = typeWith(
      z.object({ a: z.number().default(0), b: z.number().default(0) }).refine(({ a, b }) => a <= b, {
        message: 'must not be above "b"',
        path: ['a'],
      }),
    );
    const reading = readParams(paired, { a: '2', b: '1' });
    expect(reading).toEqual({
      ok: false,
      problems: [{ param: 'a', problem: 'must not be above "b"', isMissing: false }],
    });
  });

  it('answers schemas that throw', () => {
    const throwing = typeWith(
      z.object({
        a: z.unknown().transform((value) => {
          if (value !== undefined) throw new TypeError('boom');
          return 1;
        }),
      }),
    );
    expect(readParams(throwing, { a: 1 })).toMatchObject({ ok: false, problems: [{ param: 'a' }] });
  });
});
