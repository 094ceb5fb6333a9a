import { z } from 'zod';
import { defineNode, type NodeType } from '../../../src/node-contract.ts';

/** A node type that is an effect of the test's own. */
export function stepNode(run: (nodeId: string, signal: AbortSignal) => Promise<void>): NodeType {
  return defineNode({
    type: 'StepNode',
    category: 'test',
    description: 'Whatever the test does.',
    params: z.object({}),
    outputs: [],
    effect: () => 'effect',
    run: async ({ nodeId, signal }) => {
      await run(nodeId, signal);
      return {};
    },
  });
}
