/** Joins two texts. */
import { z } from 'zod';
import { defineNode } from '../define-node.ts';
import { text } from '../params/index.ts';
import type { NodeType } from '../ports.ts';

export const concatenateNode: NodeType = defineNode({
  type: 'ConcatenateNode',
  category: 'data',
  description: 'Joins string_1 and string_2 with the separator between them.',
  params: z.object({ string_1: text(''), string_2: text(''), separator: text('') }),
  outputs: ['result'],
  effect: () => 'pure',
  async run(ctx) {
    const { string_1, string_2, separator } = ctx.params;
    return { outputs: { result: `${string_1}${separator}${string_2}` } };
  },
});
