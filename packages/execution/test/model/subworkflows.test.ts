import { describe, expect, it } from 'vitest';
import { check, codesOf, file, findingsOf, onlyFinding } from './sample-nodes.ts';

const call = (config: object, subworkflows: object, type = 'SubflowNode'): object =>
  file({ call: [type, config as Record<string, unknown>] }, [], { subworkflows });

describe('a workflow that a node calls', () => {
  it('is part of the file, under its path or id', () => {
    const sub = file({ a: ['StartNode'] });
    for (const [config, key] of [
      [{ subflow_path: 'lib/a.json' }, 'lib/a.json'],
      [{ subflow_path: 'lib\\a.json' }, 'lib/a.json'],
      [{ subflow_path: './lib/../a.json' }, 'a.json'],
      [{ subflow_id: 'a' }, 'a'],
      [{ subflow_id: 'a' }, 'a.json'],
      [{ subflow_id: 'a' }, 'subflows/a.json'],
    ] as const) {
      expect(check(call(config, { [key]: sub })).workflow?.nodes.has('call/a')).toBe(true);
    }
  });

  it('that is not there is named, with the nearest that is', () => {
    expect(
      onlyFinding(call({ subflow_path: 'lgoin.json' }, { 'login.json': file({ a: ['StartNode'] }) })),
    ).toMatchObject({
      code: 'UNKNOWN_SUBWORKFLOW',
      node: 'call',
      field: 'subflow_path',
      suggestion: 'login.json',
    });
  });

  it('must be named, and not by a template', () => {
    expect(onlyFinding(call({}, {}))).toMatchObject({ code: 'MISSING_CONFIG', field: 'subflow_path' });
    const finding = onlyFinding(call({ workflow_path: '{{which}}.json' }, {}, 'ExecuteWorkflowNode'));
    expect(finding).toMatchObject({ code: 'UNSUPPORTED_VALUE', field: 'workflow_path' });
    expect(finding.suggestion).toContain('SwitchNode');
  });

  it('has its own faults found, in words that name it and the node inside', () => {
    const finding = onlyFinding(
      call({ subflow_path: 'a.json' }, { 'a.json': file({ look: ['LogNode', { level: 'loud' }] }) }),
    );
    expect(finding).toMatchObject({ code: 'INVALID_VALUE', node: 'call/look', field: 'level' });
    expect(finding.message).toContain('In the sub-workflow "a.json"');
  });

  it('is checked once, however often it is called', () => {
    const subworkflows = { 'a.json': file({ look: ['LogNode', { level: 'loud' }] }) };
    const config = { subflow_path: 'a.json' };
    const source = file({ one: ['SubflowNode', config], two: ['SubflowNode', config] }, ['one -> two'], {
      subworkflows,
    });
    expect(onlyFinding(source).node).toBe('one/look');
  });

  it('that calls itself is refused, with the circle', () => {
    const calls = (path: string): object => file({ call: ['SubflowNode', { subflow_path: path }] });
    const finding = onlyFinding(
      call({ subflow_path: 'a.json' }, { 'a.json': calls('b.json'), 'b.json': calls('a.json') }),
    );
    expect(finding).toMatchObject({ code: 'RECURSIVE_SUBWORKFLOW', node: 'call/call/call' });
    expect(finding.message).toContain('"a.json" -> "b.json" -> "a.json"');
  });

  it('may not nest without end', () => {
    const subworkflows = Object.fromEntries(
      Array.from({ length: 30 }, (_, n) => [
        `${n}.json`,
        file({ c: ['SubflowNode', { subflow_path: `${n + 1}.json` }] }),
      ]),
    );
    expect(onlyFinding(call({ subflow_path: '0.json' }, subworkflows)).code).toBe('RECURSIVE_SUBWORKFLOW');
  });

  it('counts as often as it is called', () => {
    const twice = (path: string): object =>
      file({ a: ['SubflowNode', { subflow_path: path }], b: ['SubflowNode', { subflow_path: path }] }, ['a -> b']);
    const subworkflows = {
      ...Object.fromEntries(Array.from({ length: 9 }, (_, n) => [`${n}.json`, twice(`${n + 1}.json`)])),
      '9.json': file(Object.fromEntries(Array.from({ length: 50 }, (_, n) => [`c${n}`, ['CommentNode']]))),
    };
    expect(onlyFinding(call({ subflow_path: '0.json' }, subworkflows)).code).toBe('TOO_MANY_NODES');
  });

  it('gives the calling node its ports: others are refused, with the nearest name', () => {
    const sub = file({
      in: ['SubflowInputNode', { port_name: 'customer' }],
      out: ['SubflowOutputNode', { port_name: 'total' }],
    });
    const source = file(
      {
        call: ['SubflowNode', { subflow_path: 'a.json', custmer: 'x' }],
        log: ['LogNode', { message: '{{call.totl}}' }],
      },
      ['call -> log', 'call.totall -> log.data'],
      { subworkflows: { 'a.json': sub } },
    );
    expect(findingsOf(source).map(({ code, suggestion }) => [code, suggestion])).toEqual([
      ['UNKNOWN_CONFIG_KEY', 'customer'],
      ['UNKNOWN_REFERENCE', 'total'],
      ['UNKNOWN_PORT', 'total'],
    ]);
  });

  it('may be given its variables, too', () => {
    const sub = file({ a: ['StartNode'] }, [], { variables: { region: 'north' } });
    expect(findingsOf(call({ subflow_path: 'a.json', region: 'south' }, { 'a.json': sub }))).toEqual([]);
  });

  it.each([
    ['CallSubworkflowNode', 'execution_mode', 'async'],
    ['CallSubworkflowNode', 'wait_for_result', false],
    ['ExecuteWorkflowNode', 'wait_for_completion', false],
  ])('by a %s cannot be left to run by itself (%s)', (type, key, value) => {
    const path = type === 'CallSubworkflowNode' ? 'subworkflow_id' : 'workflow_path';
    const finding = onlyFinding(
      call({ [path]: 'a.json', [key]: value }, { 'a.json': file({ a: ['StartNode'] }) }, type),
    );
    expect(finding).toMatchObject({ code: 'UNSUPPORTED_VALUE', node: 'call', field: key });
    expect(finding.suggestion).toContain(`Set "${key}"`);
  });

  it('must not have a node whose id reads like that of another', () => {
    const source = file(
      { call: ['SubflowNode', { subflow_path: 'a.json' }], 'call/a': ['LogNode'] },
      ['call -> call/a'],
      {
        subworkflows: { 'a.json': file({ a: ['StartNode'] }) },
      },
    );
    expect(codesOf(source)).toEqual(['DUPLICATE_NODE_ID']);
  });

  it('that changes is another workflow', () => {
    const hash = (value: number): string | undefined =>
      check(call({ subflow_path: 'a.json' }, { 'a.json': file({ a: ['StartNode'] }, [], { variables: { value } }) }))
        .workflow?.hash;
    expect(hash(1)).not.toBe(hash(2));
  });
});

describe('nodes of retry and catch regions', () => {
  it('stand in one', () => {
    expect(codesOf(file({ s: ['StartNode'], end: ['RetrySuccessNode'] }, ['s -> end']))).toEqual(['OUTSIDE_RETRY']);
    expect(codesOf(file({ r: ['RetryNode'], end: ['RetryFailNode'] }, ['r.retry_body -> end']))).toEqual([]);
    expect(codesOf(file({ e: ['ErrorRecoveryNode', { strategy: 'fallback' }] }))).toEqual(['OUTSIDE_CATCH']);
    expect(
      codesOf(file({ o: ['OnErrorNode'], e: ['ErrorRecoveryNode', { strategy: 'fallback' }] }, ['o.on_error -> e'])),
    ).toEqual([]);
  });

  it('do not restart the workflow from inside', () => {
    expect(onlyFinding(file({ e: ['ErrorRecoveryNode', { strategy: 'restart' }] }))).toMatchObject({
      code: 'UNSUPPORTED_VALUE',
      field: 'strategy',
    });
  });
});

it('a node that asks an AI for a way out needs an account, and says so', () => {
  expect(onlyFinding(file({ a: ['AIRecoveryNode'] })).message).toContain('works with the account of an AI');
});
