import { expect, test } from 'vitest';
import { runFile } from './harness.ts';

test.each([
  ['{{n}} * 2 + 1', 11, 'int'],
  ["upper('a') + '{{n}}'", 'A5', 'str'],
  ['{{list}}[-1] > 1 and true', true, 'bool'],
  ['1 / 2', 0.5, 'float'],
  ['[1, {{n}}]', [1, 5], 'list'],
])('EvalExpressionNode gives the value of %s', async (expression, result, type) => {
  const run = await runFile({
    nodes: { eval: ['EvalExpressionNode', { expression }] },
    variables: { n: 5, list: [1, 2] },
  });
  expect(run.outputs.eval).toEqual({ result, type, success: true, error: '' });
});

test.each(['1 +', '__import__("os")', '(1).__class__', 'nothing_known + 1'])(
  '%s fails the node, as an expression',
  async (expression) => {
    const run = await runFile({ nodes: { eval: ['EvalExpressionNode', { expression }] } });
    expect(run.end).toMatchObject({ status: 'failed', error: { code: 'EXPRESSION_ERROR' } });
  },
);
