import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/json.ts';
import { checkWorkflow } from '../../src/model/check-workflow.ts';
import { createNodeRegistry } from '../../src/model/registry.ts';
import { type FileSpec, workflowFile } from '../engine/harness.ts';

function findingsOf(spec: FileSpec): readonly { readonly code: string; readonly node: string | null }[] {
  return checkWorkflow(workflowFile(spec), createNodeRegistry([])).findings;
}

const codes = (spec: FileSpec): string[] => findingsOf(spec).map(({ code, node }) => `${code} ${node}`);

describe('a jump', () => {
  const inFork = (jump: FileSpec['nodes'][string]): FileSpec => ({
    nodes: {
      loop: ['ForLoopStartNode', { items: [1] }],
      fork: ['ForkNode', { paired_join_id: 'join' }],
      jump,
      join: ['JoinNode'],
    },
    connect: ['loop.body -> fork', 'fork.branch_1 -> jump', 'fork.branch_2 -> join'],
  });

  it.each([
    ['BreakNode', {}],
    ['ContinueNode', {}],
    ['BreakNode', { paired_loop_start_id: 'loop' }],
  ])('by %s %o does not leave a branch', (type, config) => {
    expect(codes(inFork([type, config]))).toEqual(['LEAVES_BRANCH jump']);
  });

  it('acts on a loop inside of the branch', () => {
    const spec = inFork(['BreakNode']);
    const nodes = { ...spec.nodes, inner: ['ForLoopStartNode', { items: [1] }] as const };
    const connect = ['loop.body -> fork', 'fork.branch_1 -> inner', 'inner.body -> jump', 'fork.branch_2 -> join'];
    expect(codes({ nodes, connect })).toEqual([]);
  });

  it('behind the join acts on the loop around', () => {
    const connect = ['loop.body -> fork', 'fork.branch_1 -> join', 'fork.branch_2 -> join', 'join -> jump'];
    expect(codes({ ...inFork(['BreakNode']), connect })).toEqual([]);
  });

  it('acts on its parallel loop, but not on a loop around that', () => {
    const spec = (config: Record<string, string>): FileSpec => ({
      nodes: {
        loop: ['ForLoopStartNode', { items: [1] }],
        each: ['ParallelForEachNode', { items: [1] }],
        jump: ['BreakNode', config],
      },
      connect: ['loop.body -> each', 'each.body -> jump'],
    });
    expect(codes(spec({}))).toEqual([]);
    expect(codes(spec({ paired_loop_start_id: 'each' }))).toEqual([]);
    expect(codes(spec({ paired_loop_start_id: 'loop' }))).toEqual(['LEAVES_BRANCH jump']);
  });

  it('that ends the attempt of a retry body does not leave a branch either', () => {
    const spec: FileSpec = {
      nodes: {
        retry: ['RetryNode'],
        fork: ['ForkNode', { paired_join_id: 'join' }],
        fail: ['RetryFailNode', { error_message: 'no' }],
        join: ['JoinNode'],
      },
      connect: ['retry.retry_body -> fork', 'fork.branch_1 -> fail', 'fork.branch_2 -> join'],
    };
    expect(codes(spec)).toEqual(['LEAVES_BRANCH fail']);
  });
});

describe('a fork', () => {
  it('needs a join of its own', () => {
    expect(codes({ nodes: { fork: ['ForkNode'] } })).toEqual(['UNPAIRED_NODE fork']);
    const shared: FileSpec = {
      nodes: {
        one: ['ForkNode', { paired_join_id: 'join' }],
        two: ['ForkNode', { paired_join_id: 'join' }],
        join: ['JoinNode'],
      },
      connect: ['join -> two'],
    };
    expect(codes(shared).filter((code) => code.startsWith('UNPAIRED_NODE'))).toHaveLength(1);
  });

  it.each([1, 11, 2.5, 'many'])('refuses %o branches', (branch_count) => {
    const spec: FileSpec = {
      nodes: { fork: ['ForkNode', { branch_count, paired_join_id: 'join' }], join: ['JoinNode'] },
    };
    expect(codes(spec)).toEqual(['INVALID_VALUE fork']);
  });

  it('has no exits beyond its branches', () => {
    const spec: FileSpec = {
      nodes: { fork: ['ForkNode', { paired_join_id: 'join' }], join: ['JoinNode'] },
      connect: ['fork.branch_3 -> join'],
    };
    expect(codes(spec)).toEqual(['UNKNOWN_PORT fork']);
  });
});

describe('a parallel loop', () => {
  it('needs items', () => {
    expect(codes({ nodes: { each: ['ParallelForEachNode'] } })).toEqual(['MISSING_CONFIG each']);
  });

  it.each<JsonObject>([{ batch_size: 0 }, { batch_size: 51 }, { timeout_per_item: 0 }, { fail_fast: 'perhaps' }])(
    'refuses %o',
    (config) => {
      expect(codes({ nodes: { each: ['ParallelForEachNode', { items: [1], ...config }] } })).toEqual([
        'INVALID_VALUE each',
      ]);
    },
  );
});
