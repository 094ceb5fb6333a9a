import { describe, expect, test } from 'vitest';
import { outputsOf, problemsOf } from '../../test/context.ts';
import { createDictNode, dictMergeNode, dictRemoveNode, dictSetNode } from './change-nodes.ts';
import { dictToJsonNode, jsonParseNode } from './json-nodes.ts';
import {
  dictGetNode,
  dictHasKeyNode,
  dictItemsNode,
  dictKeysNode,
  dictValuesNode,
  getPropertyNode,
} from './read-nodes.ts';

const dict = { name: 'Ada', age: 36 };

describe('reading objects', () => {
  test('a value comes with whether it was found', async () => {
    expect(await outputsOf(dictGetNode, { dict, key: 'name' })).toEqual({ value: 'Ada', found: true });
    expect(await outputsOf(dictGetNode, { dict, key: 'x', default: 7 })).toEqual({ value: 7, found: false });
    expect(await outputsOf(dictGetNode, { key: 'name' })).toEqual({ value: null, found: false });
    expect(await outputsOf(dictGetNode, { dict, key: 'toString' })).toEqual({ value: null, found: false });
  });

  test('an object may arrive as JSON text', async () => {
    expect(await outputsOf(dictGetNode, { dict: '{"a": null}', key: 'a', default: 1 })).toEqual({
      value: null,
      found: true,
    });
    expect(problemsOf(dictGetNode, { dict: 'abc' })).toEqual([
      'dict: must be an object, such as {"name": "value"}, but is text that is not JSON',
    ]);
  });

  test('keys, values and items come in order', async () => {
    expect(await outputsOf(dictKeysNode, { dict })).toEqual({ keys: ['name', 'age'], count: 2 });
    expect(await outputsOf(dictValuesNode, { dict })).toEqual({ values: ['Ada', 36], count: 2 });
    expect(await outputsOf(dictItemsNode, { dict })).toEqual({
      items: [
        { key: 'name', value: 'Ada' },
        { key: 'age', value: 36 },
      ],
      count: 2,
    });
    expect(await outputsOf(dictHasKeyNode, { dict, key: 'age' })).toEqual({ has_key: true });
  });

  test('a property is found by its path, and is null when it is not there', async () => {
    const object = { user: { emails: ['a', 'b'] } };
    expect(await outputsOf(getPropertyNode, { object, property_path: 'user.emails[1]' })).toEqual({ value: 'b' });
    expect(await outputsOf(getPropertyNode, { object, property_path: 'user.phone' })).toEqual({ value: null });
    expect(await outputsOf(getPropertyNode, { object: '{"a": 1}', property_path: 'a' })).toEqual({ value: 1 });
  });
});

describe('changing objects', () => {
  test('an object is made of the pairs that have a key', async () => {
    const config = { key_1: 'a', value_1: 1, key_2: '', value_2: 2, key_3: 'c' };
    expect(await outputsOf(createDictNode, config)).toEqual({ dict: { a: 1, c: null } });
  });

  test('setting, removing and merging leave the input as it was', async () => {
    expect(await outputsOf(dictSetNode, { dict, key: 'age', value: 37 })).toEqual({
      result: { name: 'Ada', age: 37 },
    });
    expect(await outputsOf(dictRemoveNode, { dict, key: 'age' })).toEqual({
      result: { name: 'Ada' },
      removed_value: 36,
    });
    expect(await outputsOf(dictRemoveNode, { dict, key: 'x' })).toEqual({ result: dict, removed_value: null });
    expect(await outputsOf(dictMergeNode, { dict_1: dict, dict_2: { age: 1 } })).toEqual({
      result: { name: 'Ada', age: 1 },
    });
    expect(dict).toEqual({ name: 'Ada', age: 36 });
  });

  test('a key that would reach the prototype is an ordinary key', async () => {
    const { result } = await outputsOf(dictSetNode, { key: '__proto__', value: { polluted: true } });
    expect(Object.keys(result as object)).toEqual(['__proto__']);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  test('a key must be given', () => {
    expect(problemsOf(dictSetNode, { value: 1 })).toEqual(['key: is required, but is empty']);
  });
});

describe('JSON', () => {
  test('text is parsed; a value that is parsed already passes', async () => {
    expect(await outputsOf(jsonParseNode, { json_string: '\ufeff {"a": [1, true]}' })).toEqual({
      data: { a: [1, true] },
    });
    expect(await outputsOf(jsonParseNode, { json_string: { a: 1 } })).toEqual({ data: { a: 1 } });
  });

  test('empty and broken text fail', async () => {
    await expect(outputsOf(jsonParseNode, {})).rejects.toThrow('json_string is empty');
    await expect(outputsOf(jsonParseNode, { json_string: '{a:1}' })).rejects.toMatchObject({ code: 'JSON_INVALID' });
  });

  test('text is written as Python writes it', async () => {
    const value = { b: [1, 'é'], a: {}, c: [] };
    const written = async (config: object): Promise<unknown> =>
      (await outputsOf(dictToJsonNode, { dict: value, ...config })).json_string;
    expect(await written({})).toBe('{"b": [1, "\\u00e9"], "a": {}, "c": []}');
    expect(await written({ ensure_ascii: false, sort_keys: true })).toBe('{"a": {}, "b": [1, "é"], "c": []}');
    expect(await written({ indent: '2', ensure_ascii: 'false' })).toBe(
      '{\n  "b": [\n    1,\n    "é"\n  ],\n  "a": {},\n  "c": []\n}',
    );
  });
});
