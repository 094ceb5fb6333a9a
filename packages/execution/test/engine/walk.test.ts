import { describe, expect, it } from 'vitest';
import { runFile, TestJournal } from './harness.ts';

const mark = ['MarkNode'] as const;

describe('the walk', () => {
  it('begins at the StartNode and follows connections in the order of the file', async () => {
    const run = await runFile({
      nodes: { lone: mark, start: ['StartNode'], b: mark, a: mark, c: mark },
      connect: ['start -> a', 'start -> b', 'a -> c'],
    });
    expect(run.end.status).toBe('completed');
    expect(run.world.marks).toEqual(['a', 'b', 'c']);
    expect(run.skipped).toEqual(['lone']);
    expect(run.end).toMatchObject({ nodes_total: 5, nodes_executed: 4, nodes_skipped: 1 });
  });

  it('without a StartNode begins at every node that nothing leads to, in file order', async () => {
    const run = await runFile({ nodes: { x: mark, y: mark, z: mark }, connect: ['x -> z'] });
    expect(run.world.marks).toEqual(['x', 'y', 'z']);
  });

  it('never begins at a catch, finally or loop end that only its pairing leads to', async () => {
    const run = await runFile({
      nodes: {
        try: ['TryNode', { paired_catch_id: 'catch', paired_finally_id: 'finally' }],
        body: mark,
        catch: ['CatchNode', { paired_try_id: 'try' }],
        handler: mark,
        finally: ['FinallyNode', { paired_try_id: 'try' }],
        cleanup: mark,
      },
      connect: ['try.try_body -> body', 'catch.catch_body -> handler', 'finally.finally_body -> cleanup'],
    });
    expect(run.world.marks).toEqual(['body', 'cleanup']);
    expect(run.skipped).toEqual(['catch', 'handler']);
  });

  it('runs a node that two paths reach twice, and passes a merge node twice', async () => {
    const run = await runFile({
      nodes: { s: ['StartNode'], a: mark, b: mark, m: ['MergeNode'], end: mark },
      connect: ['s -> a -> m', 's -> b -> m', 'm -> end'],
    });
    expect(run.world.marks).toEqual(['a', 'b', 'end', 'end']);
  });

  it('an EndNode ends its own path only', async () => {
    const run = await runFile({
      nodes: { s: ['StartNode'], e: ['EndNode'], a: mark, never: mark },
      connect: ['s -> e -> never', 's -> a'],
    });
    expect(run.end.status).toBe('completed');
    expect(run.world.marks).toEqual(['a']);
    expect(run.skipped).toEqual(['never']);
  });

  it('passes through comments and reroutes, with the value of a reroute', async () => {
    const run = await runFile({
      nodes: { c: ['CommentNode', { comment: 'x' }], g: ['GiveNode', { value: [1] }], r: ['RerouteNode'], m: mark },
      connect: ['c -> g -> r -> m', 'g.value => r.in', 'r.out => m.mark'],
    });
    expect(run.world.marks).toEqual([[1]]);
  });

  it('a disabled node passes control on and copies inputs to outputs of the same name', async () => {
    const run = await runFile({
      nodes: {
        g: ['GiveNode', { value: 'text' }],
        off: ['GiveNode', { _disabled: true }],
        offMark: ['MarkNode', { _disabled: true, mark: '{{off.value}}!' }],
        m: mark,
      },
      connect: ['g -> off -> offMark -> m', 'g.value => off.value', 'offMark.mark => m.mark'],
    });
    expect(run.world.marks).toEqual(['text!']);
    expect(run.outputs.off).toEqual({ value: 'text' });
  });

  it('a disabled branch goes on by its first connected exit, a disabled loop behind its body', async () => {
    const run = await runFile({
      nodes: {
        if: ['IfNode', { _disabled: true, condition: 'false' }],
        loop: ['ForLoopStartNode', { _disabled: true, items: [1, 2] }],
        body: mark,
        after: mark,
      },
      connect: ['if.true -> loop', 'loop.body -> body', 'loop.completed -> after'],
    });
    expect(run.world.marks).toEqual(['after']);
  });

  it('reports the newest outputs and all variables, and journals each result with the next intent', async () => {
    const journal = new TestJournal();
    const run = await runFile(
      {
        nodes: {
          a: ['SetVariableNode', { variable_name: 'n', value: 1 }],
          b: ['IncrementVariableNode', { variable_name: 'n' }],
        },
        connect: ['a -> b'],
        variables: { other: 'x' },
      },
      { journal, variables: { given: true } },
    );
    expect(run.variables).toEqual({ other: 'x', given: true, n: 2 });
    expect(run.outputs).toEqual({ a: { value: 1 }, b: { value: 2 } });
    expect(journal.commits).toBe(3);
    expect(journal.entries.map((entry) => entry.kind)).toEqual([
      'began',
      'intent',
      'result',
      'intent',
      'result',
      'outcome',
    ]);
  });
});
