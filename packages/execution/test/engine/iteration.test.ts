import { expect, it } from 'vitest';
import { type FileSpec, runFile, TestJournal } from './harness.ts';

it('a result tells the turns of the loops and items around its node, so that a journal is understood without a fold', async () => {
  const spec: FileSpec = {
    nodes: {
      before: ['MarkNode'],
      outer: ['ForLoopStartNode', { end: 2 }],
      inner: ['ForLoopStartNode', { end: 2, item_var: 'other' }],
      body: ['MarkNode'],
      each: ['ParallelForEachNode', { items: ['a', 'b'], batch_size: 1 }],
      item: ['MarkNode'],
    },
    connect: ['before -> outer.body -> inner.body -> body', 'inner.completed -> each.body -> item'],
  };
  const journal = new TestJournal();
  expect((await runFile(spec, { journal })).end.status).toBe('completed');
  const turnsOf = (nodeId: string): unknown[] =>
    journal.entries.flatMap((entry) => (entry.kind === 'result' && entry.node_id === nodeId ? [entry.iteration] : []));
  expect(turnsOf('before')).toEqual([undefined]);
  expect(turnsOf('outer')).toEqual([undefined, undefined, undefined]);
  expect(turnsOf('body')).toEqual([
    ['outer', 0, 'inner', 0],
    ['outer', 0, 'inner', 1],
    ['outer', 1, 'inner', 0],
    ['outer', 1, 'inner', 1],
  ]);
  expect(turnsOf('item')).toEqual([
    ['outer', 0, 'each', 0],
    ['outer', 0, 'each', 1],
    ['outer', 1, 'each', 0],
    ['outer', 1, 'each', 1],
  ]);
});
