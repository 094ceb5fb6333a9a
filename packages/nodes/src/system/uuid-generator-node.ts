/** UUIDGeneratorNode: new ids. */
import { v1, v4 } from 'uuid';
import { z } from 'zod';
import { defineNode } from '../define-node.ts';
import { choice, integer } from '../params/index.ts';
import type { NodeType } from '../ports.ts';

export const uuidGeneratorNode: NodeType = defineNode({
  type: 'UUIDGeneratorNode',
  category: 'system',
  description: 'Makes one or more UUIDs, by chance (4) or by time (1).',
  params: z.object({ uuid_version: choice(['1', '4'], '4'), count: integer({ fallback: 1, min: 1, max: 100 }) }),
  outputs: ['uuid', 'uuids', 'success'],
  outputsFrom: 'world',
  effect: () => 'pure',
  run: async ({ params }) => {
    const make = params.uuid_version === '1' ? v1 : v4;
    const uuids = Array.from({ length: params.count }, () => make());
    return { outputs: { uuid: uuids[0] ?? '', uuids, success: true } };
  },
});
