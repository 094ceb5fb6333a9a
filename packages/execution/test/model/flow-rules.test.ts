import { describe, expect, it } from 'vitest';
import { entryNodes } from '../../src/model/flow-graph.ts';
import { check, codesOf, file, findingsOf, type NodeSpec, onlyFinding } from './sample-nodes.ts';

const forLoop: Record<string, NodeSpec> = {
  start: ['ForLoopStartNode', { items: [1] }],
  body: ['LogNode'],
  end: ['ForLoopEndNode', { paired_start_id: 'start' }],
  after: ['LogNode'],
};

describe('a cycle', () => {
  it('outside of a loop is refused, with its path', () => {
    const source = file({ s: ['StartNode'], a: ['LogNode'], b: ['LogNode'], c: ['LogNode'] }, [
      's -> a',
      'a -> b',
      'b -> c',
      'c -> a',
    ]);
    const finding = onlyFinding(source);
    expect(finding).toMatchObject({ severity: 'error', code: 'CYCLE', node: 'a' });
    expect(finding.message).toContain('a -> b -> c -> a');
  });

  it('of data alone is none of control', () => {
    const source = file({ a: ['ComparisonNode'], b: ['ComparisonNode'] }, [
      'a -> b',
      'a.result -> b.a',
      'b.result -> a.a',
    ]);
    expect(codesOf(source)).toEqual([]);
  });

  it('through the exit of a loop is refused: it would never end', () => {
    const source = file(forLoop, ['start.body -> body', 'body -> end', 'start.completed -> after', 'after -> start']);
    expect(codesOf(source)).toContain('CYCLE');
  });

  it('through what follows an end node is refused', () => {
    const source = file(forLoop, ['start.body -> body', 'body -> end', 'end -> after', 'after -> start']);
    expect(codesOf(source)).toContain('CYCLE');
  });

  it('inside a loop body, but not through its start, is refused', () => {
    const source = file({ ...forLoop, other: ['LogNode'] }, ['start.body -> body', 'body -> other', 'other -> body']);
    expect(codesOf(source)).toContain('CYCLE');
  });

  it('through a node that follows the loop as well as its body is refused', () => {
    const source = file(forLoop, ['start.body -> body', 'start.completed -> body', 'body -> start']);
    expect(codesOf(source)).toContain('CYCLE');
  });

  it('through a connection into a catch node is none: only errors lead there', () => {
    const source = file({ t: ['TryNode', { paired_catch_id: 'c' }], c: ['CatchNode'], l: ['LogNode'] }, [
      't.try_body -> l',
      'l -> c',
      'c.catch_body -> l',
    ]);
    expect(codesOf(source)).toEqual([]);
  });

  it('by retrying a try from its catch is refused', () => {
    const source = file({ t: ['TryNode', { paired_catch_id: 'c' }], c: ['CatchNode'], l: ['LogNode'] }, [
      't.try_body -> l',
      'c.catch_body -> t',
    ]);
    expect(codesOf(source)).toContain('CYCLE');
  });

  it('is reported once for each, even in a large file', () => {
    const ids = Array.from({ length: 900 }, (_, index) => `n${index}`);
    const nodes = Object.fromEntries(ids.map((id) => [id, ['LogNode'] as const]));
    const connections = ids.map((id, index) => `${id} -> ${ids[(index + 1) % ids.length]}`);
    const findings = findingsOf(file(nodes, connections)).filter((finding) => finding.code === 'CYCLE');
    expect(findings).toHaveLength(1);
  });
});

describe('a loop body', () => {
  it.each([
    ['ends at its end node', ['start.body -> body', 'body -> end', 'start.completed -> after']],
    ['leads back to the start', ['start.body -> body', 'body -> start', 'start.completed -> after']],
    ['simply ends', ['start.body -> body', 'start.completed -> after']],
    [
      'ends at its end node, which is wired back',
      ['start.body -> body', 'body -> end', 'end -> start', 'start.completed -> after'],
    ],
    ['ends at its end node, which leads on', ['start.body -> body', 'body -> end', 'end -> after']],
  ])('that %s is fine', (_, connections) => {
    const { workflow, findings } = check(file(forLoop, connections));
    expect(findings.filter((finding) => finding.severity === 'error')).toEqual([]);
    expect(workflow === null ? [] : entryNodes(workflow)).toEqual(['start']);
  });

  it('of the older loops may lead back to the start', () => {
    const source = file(
      {
        s: ['StartNode'],
        f: ['ForLoopNode'],
        w: ['WhileLoopNode', { condition: 'false' }],
        a: ['LogNode'],
        b: ['LogNode'],
      },
      ['s -> f', 'f.loop_body -> a', 'a -> f', 'f.completed -> w', 'w.loop_body -> b', 'b -> w'],
    );
    expect(codesOf(source)).toEqual([]);
  });

  it('may hold another loop, and go on with the outer one from inside', () => {
    const nested: Record<string, NodeSpec> = {
      outer: ['ForLoopStartNode', { items: [1] }],
      inner: ['WhileLoopStartNode', { condition: 'false' }],
      work: ['LogNode'],
      innerEnd: ['WhileLoopEndNode', { paired_start_id: 'inner' }],
      skip: ['IfNode', { condition: true }],
      outerEnd: ['ForLoopEndNode', { paired_start_id: 'outer' }],
    };
    const source = file(nested, [
      'outer.body -> inner',
      'inner.body -> skip',
      'skip.true -> outer',
      'skip.false -> work',
      'work -> innerEnd',
      'inner.completed -> outerEnd',
    ]);
    expect(codesOf(source)).toEqual([]);
  });
});

describe('break and continue', () => {
  const nodes = { ...forLoop, jump: ['BreakNode'] } satisfies Record<string, NodeSpec>;

  it('inside a loop are fine, with or without its name', () => {
    const connections = ['start.body -> body', 'body -> jump', 'start.completed -> after'];
    const named = { ...nodes, jump: ['ContinueNode', { paired_loop_start_id: 'start' }] } satisfies Record<
      string,
      NodeSpec
    >;
    const unreachableEnd = ['UNREACHABLE_NODE'];
    expect(codesOf(file(nodes, connections))).toEqual(unreachableEnd);
    expect(codesOf(file(named, connections))).toEqual(unreachableEnd);
  });

  it('in the catch body of a try inside a loop are fine', () => {
    const source = file(
      {
        start: ['ForLoopStartNode', { items: [1] }],
        t: ['TryNode', { paired_catch_id: 'c' }],
        c: ['CatchNode'],
        work: ['LogNode'],
        b: ['BreakNode'],
      },
      ['start.body -> t', 't.try_body -> work', 'c.catch_body -> b'],
    );
    expect(codesOf(source)).toEqual([]);
  });

  it('outside of any loop are refused', () => {
    const source = file({ s: ['StartNode'], b: ['BreakNode'] }, ['s -> b']);
    expect(onlyFinding(source)).toMatchObject({ severity: 'error', code: 'OUTSIDE_LOOP', node: 'b' });
  });

  it('behind the loop that they name are refused', () => {
    const source = file({ ...forLoop, jump: ['BreakNode', { paired_loop_start_id: 'start' }] }, [
      'start.body -> body',
      'body -> end',
      'start.completed -> after',
      'after -> jump',
    ]);
    expect(onlyFinding(source)).toMatchObject({ code: 'OUTSIDE_LOOP', node: 'jump', field: 'paired_loop_start_id' });
  });

  it('that name no loop are refused', () => {
    const source = (id: string) =>
      file({ ...forLoop, jump: ['BreakNode', { paired_loop_start_id: id }] }, [
        'start.body -> body',
        'body -> jump',
        'jump -> end',
      ]);
    expect(codesOf(source('strat'))).toContain('UNKNOWN_NODE');
    expect(codesOf(source('body'))).toContain('UNPAIRED_NODE');
  });
});

describe('paired nodes', () => {
  it.each([
    ['ForLoopEndNode', {}, 'paired_start_id'],
    ['ForLoopEndNode', { paired_start_id: '' }, 'paired_start_id'],
    ['WhileLoopEndNode', {}, 'paired_start_id'],
    ['CatchNode', {}, 'paired_try_id'],
    ['FinallyNode', {}, 'paired_try_id'],
    ['TryNode', {}, 'paired_catch_id'],
  ])('%s with %j is refused as unpaired', (type, config, field) => {
    const findings = findingsOf(file({ n: [type, config] })).filter((finding) => finding.severity === 'error');
    expect(findings).toMatchObject([{ code: 'UNPAIRED_NODE', node: 'n', field }]);
  });

  it('that name a node that does not exist are refused with the nearest', () => {
    const source = file({ ...forLoop, end: ['ForLoopEndNode', { paired_start_id: 'strat' }] }, [
      'start.body -> body',
      'body -> end',
    ]);
    const finding = findingsOf(source).find((candidate) => candidate.severity === 'error');
    expect(finding).toMatchObject({ code: 'UNKNOWN_NODE', node: 'end', field: 'paired_start_id', suggestion: 'start' });
  });

  it('that name a node of another type are refused', () => {
    const source = file({ ...forLoop, end: ['ForLoopEndNode', { paired_start_id: 'body' }] }, [
      'start.body -> body',
      'body -> end',
    ]);
    expect(findingsOf(source).find((candidate) => candidate.severity === 'error')).toMatchObject({
      code: 'UNPAIRED_NODE',
      node: 'end',
    });
  });

  it('may be named from either side', () => {
    const fromTry = file(
      {
        t: ['TryNode', { paired_catch_id: 'c', paired_finally_id: 'f' }],
        c: ['CatchNode'],
        f: ['FinallyNode'],
        l: ['LogNode'],
      },
      ['t.try_body -> l'],
    );
    const toTry = file(
      {
        t: ['TryNode'],
        c: ['CatchNode', { paired_try_id: 't' }],
        f: ['FinallyNode', { paired_try_id: 't' }],
        l: ['LogNode'],
      },
      ['t.try_body -> l'],
    );
    expect(codesOf(fromTry)).toEqual([]);
    expect(codesOf(toTry)).toEqual([]);
  });

  it('are not needed by the older try, which has an exit for errors', () => {
    const source = file({ t: ['TryNode'], l: ['LogNode'], m: ['LogNode'] }, ['t.try_body -> l', 't.catch -> m']);
    expect(codesOf(source)).toEqual([]);
  });

  it('are not needed by the older try without a way for errors, which go on outwards', () => {
    const source = file({ t: ['TryNode'], l: ['LogNode'], m: ['LogNode'] }, ['t.try_body -> l', 't.success -> m']);
    expect(codesOf(source)).toEqual([]);
  });

  it.each([
    ['paired_catch_id', 'CatchNode'],
    ['paired_finally_id', 'FinallyNode'],
  ])('that two tries claim in %s are refused for one of them, naming the other', (key, type) => {
    const source = file({ t: ['TryNode', { [key]: 'c' }], u: ['TryNode', { [key]: 'c' }], c: [type], l: ['LogNode'] }, [
      't.try_body -> l',
      'l -> u',
    ]);
    const finding = onlyFinding(source);
    expect(finding).toMatchObject({ severity: 'error', code: 'UNPAIRED_NODE', node: 't', field: key });
    expect(finding.message).toContain(`"${key}" names "c", which belongs to the TryNode "u"`);
  });

  it('that are alone are told which node is free for them', () => {
    const source = file({ t: ['TryNode'], f: ['FinallyNode'], l: ['LogNode'] }, ['t.try_body -> l']);
    const finding = findingsOf(source).find(({ node }) => node === 't');
    expect(finding).toMatchObject({ code: 'UNPAIRED_NODE', suggestion: 'Name "f" in "paired_finally_id".' });
  });

  it('that are disabled need no partner', () => {
    expect(
      codesOf(file({ e: ['ForLoopEndNode', { paired_start_id: '', _disabled: true }], l: ['LogNode'] }, ['l -> e'])),
    ).toEqual([]);
  });
});

describe('a node', () => {
  it('that no path leads to is a warning', () => {
    const source = file({ s: ['StartNode'], a: ['LogNode'], b: ['LogNode'], c: ['CommentNode'] }, ['s -> a']);
    expect(onlyFinding(source)).toMatchObject({ severity: 'warning', code: 'UNREACHABLE_NODE', node: 'b' });
  });

  it('is an entry when nothing leads to it and there is no start node, in the order of the file', () => {
    const source = file({ b: ['LogNode'], a: ['LogNode'], c: ['LogNode'] }, ['a -> c']);
    const { workflow } = check(source);
    expect(workflow === null ? [] : entryNodes(workflow)).toEqual(['b', 'a']);
  });

  it('that only a partner leads to is no entry', () => {
    const source = file(
      { t: ['TryNode', { paired_catch_id: 'c' }], c: ['CatchNode'], l: ['LogNode'], r: ['LogNode'] },
      ['t.try_body -> l', 'c.catch_body -> r'],
    );
    const { workflow, findings } = check(source);
    expect(findings).toEqual([]);
    expect(workflow === null ? [] : entryNodes(workflow)).toEqual(['t']);
  });
});

it('a circle through a loop end that stands outside of its loop is found', () => {
  const source = file(
    {
      start: ['StartNode'],
      each: ['ForLoopStartNode', { items: [1] }],
      end: ['ForLoopEndNode', { paired_start_id: 'each' }],
      log: ['LogNode'],
    },
    ['start -> log', 'log -> end', 'end -> log'],
  );
  expect(codesOf(source)).toContain('CYCLE');
});

it('a disabled break passes control on, so what follows it is reached, and a circle through it is one', () => {
  const withBreak = (config: Record<string, unknown>): object =>
    file(
      {
        start: ['StartNode'],
        each: ['ForLoopStartNode', { items: [1] }],
        jump: ['BreakNode', config],
        log: ['LogNode'],
        more: ['LogNode'],
      },
      ['start -> each', 'each.body -> jump', 'jump -> log', 'log -> more', 'more -> log'],
    );
  expect(codesOf(withBreak({ _disabled: true }))).toContain('CYCLE');
  expect(codesOf(withBreak({}))).toContain('UNREACHABLE_NODE');
});
