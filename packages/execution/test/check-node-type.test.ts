import { expect, test } from 'vitest';
import { z } from 'zod';
import { checkNodeType } from '../src/check-node-type.ts';
import { controlNodeTypes } from '../src/control/control-node-types.ts';
import type { NodeType } from '../src/node-contract.ts';
import { testNodes, World } from './engine/harness.ts';

const good: NodeType = {
  type: 'GoodNode',
  category: 'test',
  description: 'A good one.',
  params: z.object({ a: z.string().default('') }),
  outputs: ['out'],
  effect: () => 'pure',
  run: async () => ({}),
};

test('types that keep to the contract have no problems', () => {
  for (const type of [good, ...controlNodeTypes, ...testNodes(new World())])
    expect(checkNodeType(type), type.type).toEqual([]);
});

test.each<[string, unknown, RegExp]>([
  ['no object', 'text', /must be an object/],
  ['no name', { ...good, type: '' }, /type must be a name/],
  ['a name with spaces', { ...good, type: 'Good Node' }, /type must be a name/],
  ['no category', { ...good, category: undefined }, /category must be a text/],
  ['no description', { ...good, description: '' }, /description must be a sentence/],
  ['no run', { ...good, run: undefined }, /run must be a function/],
  ['effect as a word', { ...good, effect: 'pure' }, /effect must be a function/],
  [
    'a wrong effect',
    { ...good, effect: () => 'none' },
    /effect must answer "pure", "idempotent" or "effect", but answers "none"/,
  ],
  [
    'an effect that throws',
    {
      ...good,
      effect: () => {
        throw new Error('oh');
      },
    },
    /effect throws for the default parameters: oh/,
  ],
  ['params that are no schema', { ...good, params: { a: 'text' } }, /params must be a zod object/],
  ['a reserved param', { ...good, params: z.object({ exec_in: z.string().default('') }) }, /"exec_in" is reserved/],
  ['rawParams of nothing', { ...good, rawParams: ['b'] }, /rawParams names "b", which is no parameter/],
  ['outputs as text', { ...good, outputs: 'out' }, /outputs must be a list/],
  ['exits as text', { ...good, exits: 'x' }, /exits must be a list/],
  ['a port of both kinds', { ...good, outputs: ['exec_out'] }, /"exec_out" is both an output and an exit/],
  ['a probe that is no function', { ...good, probe: true }, /probe must be a function, or be left out/],
])('%s is reported', (_name, type, message) => {
  expect(checkNodeType(type).join('\n')).toMatch(message);
});
