import { describe, expect, test } from 'vitest';
import { NodeBench, outputsOf, problemsOf } from '../../test/context.ts';
import { comparisonNode } from './comparison-node.ts';
import { mathOperationNode } from './math-operation-node.ts';
import { operationNames } from './operations.ts';

async function calculated(operation: string, a: unknown, b: unknown = 0): Promise<unknown> {
  return (await outputsOf(mathOperationNode, { operation, a: a as number, b: b as number })).result;
}

describe('MathOperationNode', () => {
  test('has the 21 operations of the original', () => {
    expect(operationNames).toHaveLength(21);
  });

  test.each([
    ['add', 2, 3, 5],
    ['subtract', 2, 3, -1],
    ['multiply', 2, 3, 6],
    ['divide', 3, 2, 1.5],
    ['floor_divide', -7, 2, -4],
    ['floor_divide', 1, 0.1, 9],
    ['modulo', -7, 3, 2],
    ['modulo', 7, -3, -2],
    ['power', 2, 8, 256],
    ['min', 2, -1, -1],
    ['max', 2, -1, 2],
    ['abs', -3, 0, 3],
    ['sqrt', 9, 0, 3],
    ['floor', -1.5, 0, -2],
    ['ceil', 1.2, 0, 2],
    ['round', 2.5, 0, 2],
    ['sin', 0, 0, 0],
    ['cos', 0, 0, 1],
    ['tan', 0, 0, 0],
    ['log', 8, 2, 3],
    ['log', 1, 0, 0],
    ['log10', 1000, 0, 3],
    ['exp', 0, 0, 1],
    ['negate', 4, 0, -4],
  ])('%s of %d and %d is %d', async (operation, a, b, result) => {
    expect(await calculated(operation, a, b)).toBe(result);
  });

  test('symbols and numbers in text are understood', async () => {
    expect(await calculated('+', '2', '3')).toBe(5);
    expect(await calculated('**', '2', 3)).toBe(8);
    expect(await calculated('Multiply', 2, '4')).toBe(8);
  });

  test('the result is rounded and stored if asked', async () => {
    const bench = new NodeBench(mathOperationNode, {
      operation: '/',
      a: 2,
      b: 3,
      round_digits: '2',
      output_var: 'third',
    });
    expect(await bench.outputs()).toEqual({ result: 0.67 });
    expect(bench.variables.get('third')).toBe(0.67);
  });

  test.each(['divide', 'floor_divide', 'modulo'])('%s by zero fails', async (operation) => {
    await expect(calculated(operation, 1, 0)).rejects.toMatchObject({
      code: 'DIVISION_BY_ZERO',
      errorType: 'ZeroDivisionError',
    });
  });

  test.each([
    ['sqrt', -1, 0],
    ['log', 0, 0],
    ['log', 5, 1],
    ['power', -8, 0.5],
    ['exp', 1000, 0],
  ])('%s of %d and %d has no result', async (operation, a, b) => {
    await expect(calculated(operation, a, b)).rejects.toMatchObject({ code: 'MATH_DOMAIN' });
  });

  test('what is no number or operation is refused', () => {
    expect(problemsOf(mathOperationNode, { a: 'Hello', operation: 'length' })).toEqual([
      expect.stringMatching(/^operation: must be one of add, subtract/),
      'a: must be a number, but is "Hello"',
    ]);
  });
});

describe('ComparisonNode', () => {
  test.each([
    [10, '==', 10, true],
    [10, 'equals (==)', '10', true],
    ['a', '!=', 'b', true],
    [10, 'not equals (!=)', 10, false],
    [10, 'greater than (>)', 5, true],
    ['10', 'less than (<)', '9', false],
    [3, 'greater or equal (>=)', 3, true],
    [4, 'less or equal (<=)', 3, false],
    [[1, 2], '==', [1, 2], true],
    [null, '==', null, true],
    ['2026-01-02', '>', '2026-01-01', true],
  ])('%j %s %j is %j', async (a, operator, b, result) => {
    expect(await outputsOf(comparisonNode, { a, operator, b })).toEqual({ result });
  });

  test('what has no order fails instead of being false', async () => {
    await expect(outputsOf(comparisonNode, { a: null, operator: '<', b: 1 })).rejects.toMatchObject({
      code: 'NOT_COMPARABLE',
    });
  });
});
