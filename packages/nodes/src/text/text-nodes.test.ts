import { expect, test } from 'vitest';
import { outputsOf, problemsOf } from '../../test/context.ts';
import { concatenateNode } from './concatenate-node.ts';
import { formatStringNode } from './format-string-node.ts';

test('two texts are joined with the separator', async () => {
  expect(await outputsOf(concatenateNode, { string_1: 'a', string_2: 5, separator: '-' })).toEqual({ result: 'a-5' });
  expect(await outputsOf(concatenateNode, { string_1: 'a', string_2: null })).toEqual({ result: 'a' });
});

test('a template is filled from an object, JSON text of one, or a list', async () => {
  const template = 'Name: {name}, Age: {age:>3}';
  expect(await outputsOf(formatStringNode, { template, variables: { name: 'Alice', age: '30' } })).toEqual({
    result: 'Name: Alice, Age:  30',
  });
  expect(await outputsOf(formatStringNode, { template: '{a}', variables: '{"a": 1}' })).toEqual({ result: '1' });
  expect(await outputsOf(formatStringNode, { template: '{}{}', variables: [1, 2] })).toEqual({ result: '12' });
});

test('a template with a field that is missing fails the node', async () => {
  await expect(outputsOf(formatStringNode, { template: '{name}' })).rejects.toMatchObject({
    code: 'FORMAT_FIELD_MISSING',
    category: 'permanent',
  });
  expect(problemsOf(formatStringNode, { variables: 5 })).toEqual([
    'variables: must be an object, such as {"name": "value"}, but is a number',
  ]);
});
