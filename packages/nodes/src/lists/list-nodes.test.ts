import { describe, expect, test } from 'vitest';
import { outputsOf, problemsOf } from '../../test/context.ts';
import {
  createListNode,
  listAppendNode,
  listContainsNode,
  listGetItemNode,
  listLengthNode,
  listSliceNode,
} from './element-nodes.ts';
import { listFilterNode } from './filter-node.ts';
import { listMapNode } from './map-node.ts';
import { listFlattenNode, listJoinNode, listReverseNode, listSortNode, listUniqueNode } from './order-nodes.ts';
import { listReduceNode } from './reduce-node.ts';

const list = [5, 3, 8, 1];

describe('elements', () => {
  test('a list is made of the items that are not null', async () => {
    expect(await outputsOf(createListNode, { item_1: 'a', item_2: null, item_3: 0 })).toEqual({ list: ['a', 0] });
  });

  test('an item is found from the start or the end', async () => {
    expect(await outputsOf(listGetItemNode, { list, index: '1' })).toEqual({ item: 3 });
    expect(await outputsOf(listGetItemNode, { list, index: -1 })).toEqual({ item: 1 });
    expect(await outputsOf(listGetItemNode, { list: [null] })).toEqual({ item: null });
  });

  test.each([4, -5])('there is no item %d in a list of four', async (index) => {
    await expect(outputsOf(listGetItemNode, { list, index })).rejects.toMatchObject({
      code: 'INDEX_OUT_OF_RANGE',
      message: `The list has 4 elements; there is none at index ${index}`,
    });
  });

  test('length, append and contains', async () => {
    expect(await outputsOf(listLengthNode, { list: '[1, 2]' })).toEqual({ length: 2 });
    expect(await outputsOf(listLengthNode, {})).toEqual({ length: 0 });
    expect(await outputsOf(listAppendNode, { list, item: [9] })).toEqual({ result: [5, 3, 8, 1, [9]] });
    expect(await outputsOf(listContainsNode, { list, item: '8' })).toEqual({ contains: true, index: 2 });
    expect(await outputsOf(listContainsNode, { list: [{ a: 1 }], item: { a: 1 } })).toEqual({
      contains: true,
      index: 0,
    });
    expect(await outputsOf(listContainsNode, { list, item: 9 })).toEqual({ contains: false, index: -1 });
    expect(list).toEqual([5, 3, 8, 1]);
  });

  test.each([
    [{ start: 1, end: 3 }, [3, 8]],
    [{ start: -2 }, [8, 1]],
    [{ end: -1 }, [5, 3, 8]],
    [{ start: 3, end: 1 }, []],
    [{ start: null, end: null }, [5, 3, 8, 1]],
    [{ start: -10, end: 10 }, [5, 3, 8, 1]],
  ])('slice %j is %j', async (bounds, result) => {
    expect(await outputsOf(listSliceNode, { list, ...bounds })).toEqual({ result });
  });

  test('what is no list is refused', () => {
    expect(problemsOf(listLengthNode, { list: 'abc' })).toEqual([
      'list: must be a list, such as ["a", "b"], but is text that is not JSON',
    ]);
  });
});

describe('order', () => {
  test('sorting takes numbers as numbers and text as text', async () => {
    expect(await outputsOf(listSortNode, { list: [10, 9, 1] })).toEqual({ result: [1, 9, 10] });
    expect(await outputsOf(listSortNode, { list: ['10', '9'], reverse: 'true' })).toEqual({ result: ['9', '10'] });
  });

  test('sorting by a path is stable, and leaves elements without a value at the end', async () => {
    const people = [{ n: 'a', age: 2 }, { n: 'b' }, { n: 'c', age: 1 }, { n: 'd', age: 2 }];
    const names = async (reverse: boolean): Promise<unknown[]> => {
      const { result } = await outputsOf(listSortNode, { list: people, key_path: 'age', reverse });
      return (result as { n: string }[]).map(({ n }) => n);
    };
    expect(await names(false)).toEqual(['c', 'a', 'd', 'b']);
    expect(await names(true)).toEqual(['a', 'd', 'c', 'b']);
  });

  test('a list of different kinds cannot be sorted', async () => {
    await expect(outputsOf(listSortNode, { list: [1, 'a'] })).rejects.toMatchObject({ code: 'NOT_COMPARABLE' });
  });

  test('reverse, unique, flatten and join', async () => {
    expect(await outputsOf(listReverseNode, { list })).toEqual({ result: [1, 8, 3, 5] });
    expect(await outputsOf(listUniqueNode, { list: [1, '1', 1, { a: 1, b: 2 }, { b: 2, a: 1 }, [1], [1]] })).toEqual({
      result: [1, '1', { a: 1, b: 2 }, [1]],
    });
    expect(await outputsOf(listFlattenNode, { list: [1, [2, [3, [4]]]] })).toEqual({ result: [1, 2, [3, [4]]] });
    expect(await outputsOf(listFlattenNode, { list: [1, [2, [3, [4]]]], depth: 9 })).toEqual({
      result: [1, 2, 3, 4],
    });
    expect(await outputsOf(listJoinNode, { list: ['a', 1, true, null] })).toEqual({ result: 'a, 1, true, ' });
    expect(await outputsOf(listJoinNode, { list: [1, 2], separator: '' })).toEqual({ result: '12' });
  });
});

describe('filter', () => {
  test.each([
    ['equals', '3', [3]],
    ['not_equals', 3, [5, 8, 1, null]],
    ['greater_than', '4', [5, 8]],
    ['less_than', 4, [3, 1]],
    ['is_not_none', null, [5, 3, 8, 1]],
    ['is_none', null, [null]],
    ['is_truthy', null, [5, 3, 8, 1]],
    ['is_falsy', null, [null]],
  ])('%s %j keeps %j', async (condition, value, result) => {
    const outputs = await outputsOf(listFilterNode, { list: [...list, null], condition, value });
    expect(outputs.result).toEqual(result);
    expect((outputs.removed as unknown[]).length).toBe(5 - result.length);
  });

  test.each([
    ['contains', 'an', ['banana', 'mango']],
    ['starts_with', 'ba', ['banana']],
    ['ends_with', 'o', ['mango']],
  ])('%s %j keeps %j', async (condition, value, result) => {
    const outputs = await outputsOf(listFilterNode, { list: ['apple', 'banana', 'mango'], condition, value });
    expect(outputs.result).toEqual(result);
  });

  test('a path looks inside the elements', async () => {
    const rows = [{ tags: ['x'], n: 1 }, { tags: [], n: 2 }, {}];
    expect(
      await outputsOf(listFilterNode, { list: rows, condition: 'contains', key_path: 'tags', value: 'x' }),
    ).toEqual({
      result: [rows[0]],
      removed: [rows[1], rows[2]],
    });
    expect((await outputsOf(listFilterNode, { list: rows, key_path: 'n' })).result).toEqual([rows[0], rows[1]]);
  });
});

describe('map', () => {
  test.each([
    ['to_string', [1, true, null], ['1', 'true', '']],
    ['to_int', ['3.7', -1.5, true, null], [3, -1, 1, 0]],
    ['to_float', ['3.5', 2], [3.5, 2]],
    ['to_upper', ['ab', null], ['AB', '']],
    ['to_lower', ['AB'], ['ab']],
    ['trim', ['  a '], ['a']],
    ['length', ['añ😀', [1, 2], { a: 1 }, null], [3, 2, 1, 0]],
  ])('%s of %j is %j', async (transform, items, result) => {
    expect(await outputsOf(listMapNode, { list: items, transform })).toEqual({ result });
  });

  test('get_property takes what lies at the path', async () => {
    const items = [{ a: { b: 1 } }, {}];
    expect(await outputsOf(listMapNode, { list: items, transform: 'get_property', key_path: 'a.b' })).toEqual({
      result: [1, null],
    });
  });

  test('an element that cannot be transformed is named by its index', async () => {
    await expect(outputsOf(listMapNode, { list: ['1', 'x'], transform: 'to_int' })).rejects.toThrow(
      'to_int cannot be applied to text at index 1 of the list',
    );
  });
});

describe('reduce', () => {
  test.each([
    ['sum', [1, '2', null, 3], null, 6],
    ['sum', [1], 10, 11],
    ['sum', [], null, 0],
    ['product', [2, 3], null, 6],
    ['product', [], null, 1],
    ['min', [3, 1, 2], null, 1],
    ['max', ['b', 'c', 'a'], null, 'c'],
    ['max', [], 'none', 'none'],
    ['avg', [1, 2], null, 1.5],
    ['avg', [], null, 0],
    ['count', [1, null, 2], null, 2],
    ['first', [null, 4, 5], null, 4],
    ['last', [4, 5, null], null, 5],
    ['join', ['a', 1], '-', 'a-1'],
  ])('%s of %j with initial %j is %j', async (operation, items, initial, result) => {
    expect(await outputsOf(listReduceNode, { list: items, operation, initial })).toEqual({ result });
  });

  test('values inside the elements', async () => {
    expect(await outputsOf(listReduceNode, { list: [{ n: 1 }, { n: 2 }, {}], key_path: 'n' })).toEqual({ result: 3 });
  });

  test('what cannot be added or ordered fails', async () => {
    await expect(outputsOf(listReduceNode, { list: [1, 'x'] })).rejects.toMatchObject({ code: 'INVALID_VALUE' });
    await expect(outputsOf(listReduceNode, { list: [1, 'x'], operation: 'min' })).rejects.toMatchObject({
      code: 'NOT_COMPARABLE',
    });
  });
});
