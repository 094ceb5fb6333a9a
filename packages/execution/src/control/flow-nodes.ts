/** Nodes that pass control on (or, as EndNode, do not) and decide nothing. */
import { z } from 'zod';
import type { NodeType } from '../node-contract.ts';
import { anything, text } from './control-params.ts';
import { defineControl } from './control-type.ts';

const passOn = (): { readonly exit: string } => ({ exit: 'exec_out' });

export const startNode: NodeType = defineControl({
  type: 'StartNode',
  description: 'Where the walk begins.',
  params: z.object({}),
  outputs: [],
  run: passOn,
});

export const endNode: NodeType = defineControl({
  type: 'EndNode',
  description: 'Ends its path; what else is waiting still runs. Its exec_out is never taken.',
  params: z.object({}),
  outputs: [],
  run: () => ({ exit: null }),
});

export const commentNode: NodeType = defineControl({
  type: 'CommentNode',
  description: 'A remark; passes control on.',
  params: z.object({ comment: text() }),
  rawParams: ['comment'],
  outputs: [],
  run: passOn,
});

export const mergeNode: NodeType = defineControl({
  type: 'MergeNode',
  description: 'Where branches meet again; passes control on for each of them.',
  params: z.object({}),
  outputs: [],
  run: passOn,
});

export const rerouteNode: NodeType = defineControl({
  type: 'RerouteNode',
  description: 'Passes `in` to `out`.',
  params: z.object({ in: anything() }),
  outputs: ['out'],
  run: (ctx) => ({ exit: 'exec_out', outputs: { out: ctx.params.in ?? null } }),
});
