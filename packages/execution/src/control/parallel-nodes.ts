/**
 * Nodes that run others side by side. ForkNode and ParallelForEachNode open lanes (engine/lanes.ts), each of which sees
 * the variables as they were and its own writes. JoinNode takes over what the branches of its fork wrote; a parallel
 * loop leaves `results` only.
 */
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import type { JsonObject, JsonValue } from '../json.ts';
import type { NodeType } from '../node-contract.ts';
import { flag, givenItems, integerBetween, seconds, text } from './control-params.ts';
import { type ControlContext, defineControl, type EndedBranch } from './control-type.ts';
import { itemsOf } from './for-loop-nodes.ts';
import { sizeOf } from './loop-source.ts';

const branchCount = integerBetween(2, 10, 2);

export const forkNode: NodeType = defineControl({
  type: 'ForkNode',
  description: 'Runs `branch_1` to `branch_n` side by side, up to its JoinNode.',
  params: z.object({ branch_count: branchCount, fail_fast: flag(false), paired_join_id: text() }),
  exits: branchExits,
  outputs: [],
  run: ({ params }) => ({
    exit: null,
    control: { op: 'open_fork', branches: params.branch_count, fail_fast: params.fail_fast },
  }),
});

function branchExits(config: JsonObject): readonly string[] {
  const read = branchCount.safeParse(config.branch_count);
  const count = read.success ? read.data : 2;
  return Array.from({ length: count }, (_, index) => branchName(index));
}

function branchName(index: number): string {
  return `branch_${index + 1}`;
}

export const joinNode: NodeType = defineControl({
  type: 'JoinNode',
  description: 'Goes on once all branches of its fork have ended, with what they wrote.',
  params: z.object({ merge_strategy: z.enum(['all', 'first', 'last']).default('all'), paired_fork_id: text() }),
  outputs: ['results', 'branch_count'],
  run(ctx) {
    const ended = ctx.visit.endedBranches;
    if (ended === null) return { exit: 'exec_out', outputs: { results: {}, branch_count: 0 } };
    const taken = takenBranches(ended, ctx.params.merge_strategy);
    const results = taken.map(({ index, variables }) => [branchName(index), variables] as const);
    return {
      exit: 'exec_out',
      outputs: { results: Object.fromEntries(results), branch_count: ended.length },
      variables: merged(ctx, taken),
      control: { op: 'join', branches: taken.map(({ index }) => index) },
    };
  },
});

/** `ended` is in the order of time; what is taken, in the order of the branches. */
function takenBranches(ended: readonly EndedBranch[], strategy: 'all' | 'first' | 'last'): readonly EndedBranch[] {
  if (strategy === 'all') return ended.toSorted((a, b) => a.index - b.index);
  return strategy === 'first' ? ended.slice(0, 1) : ended.slice(-1);
}

function merged(ctx: Pick<ControlContext, 'log'>, branches: readonly EndedBranch[]): JsonObject {
  const variables = new Map<string, { readonly value: JsonValue; readonly index: number }>();
  for (const { index, variables: written } of branches) {
    for (const [name, value] of Object.entries(written)) {
      const before = variables.get(name);
      if (before !== undefined && !isDeepStrictEqual(before.value, value)) {
        const both = `${branchName(before.index)} and ${branchName(index)}`;
        const message = `Both ${both} have set the variable "${name}"; it keeps the value of ${branchName(index)}.`;
        ctx.log.log('warning', message);
      }
      variables.set(name, { value, index });
    }
  }
  return Object.fromEntries([...variables].map(([name, { value }]) => [name, value]));
}

export const parallelForEachNode: NodeType = defineControl({
  type: 'ParallelForEachNode',
  description: 'Runs `body` for the elements of a list, an object or a text, several at a time, then `completed`.',
  params: z.object({
    items: givenItems(),
    item_var: text('item'),
    batch_size: integerBetween(1, 50, 5),
    fail_fast: flag(false),
    timeout_per_item: seconds(60),
  }),
  exits: ['body', 'completed'],
  outputs: ['current_item', 'current_index', 'results'],
  run(ctx) {
    const { item_var: itemVar, batch_size, fail_fast, timeout_per_item } = ctx.params;
    const source = itemsOf(ctx, '');
    if (sizeOf(source) === 0) return { exit: 'completed', outputs: { results: [] } };
    return {
      exit: null,
      control: {
        op: 'open_items',
        source,
        item_var: itemVar.trim() === '' ? null : itemVar.trim(),
        batch_size,
        fail_fast,
        timeout_ms: timeout_per_item * 1_000,
      },
    };
  },
});
