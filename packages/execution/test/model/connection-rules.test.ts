import { describe, expect, it } from 'vitest';
import { check, codesOf, file, findingsOf, onlyFinding } from './sample-nodes.ts';

const compareAndLog = (connections: readonly string[]) =>
  file({ c: ['ComparisonNode'], d: ['ComparisonNode'], l: ['LogNode'] }, connections);

describe('a connection', () => {
  it('to a node that does not exist is refused with the nearest name', () => {
    const source = file({ first: ['LogNode'], second: ['LogNode'] }, ['first -> secnd']);
    expect(onlyFinding(source)).toMatchObject({
      severity: 'error',
      code: 'UNKNOWN_NODE',
      node: 'first',
      field: 'connections[0].target_node',
      suggestion: 'second',
    });
    expect(onlyFinding(file({ only: ['LogNode'] }, ['onyl -> only']))).toMatchObject({
      code: 'UNKNOWN_NODE',
      field: 'connections[0].source_node',
      suggestion: 'only',
    });
  });

  it('to a port that does not exist is refused with the nearest name', () => {
    expect(onlyFinding(compareAndLog(['c -> l', 'c.resutl -> l.data']))).toMatchObject({
      severity: 'error',
      code: 'UNKNOWN_PORT',
      node: 'c',
      field: 'resutl',
      suggestion: 'result',
    });
    expect(onlyFinding(compareAndLog(['c -> l', 'c.result -> l.mesage']))).toMatchObject({
      code: 'UNKNOWN_PORT',
      node: 'l',
      field: 'mesage',
      suggestion: 'message',
    });
    expect(onlyFinding(file({ a: ['LogNode'], b: ['LogNode'] }, ['a.exec_ot -> b']))).toMatchObject({
      code: 'UNKNOWN_PORT',
      suggestion: 'exec_out',
    });
  });

  it('into a start node is refused', () => {
    const source = file({ s: ['StartNode'], l: ['LogNode'] }, ['s -> l', 'l -> s']);
    expect(codesOf(source)).toContain('UNKNOWN_PORT');
  });

  it('follows the exits that the config gives', () => {
    const source = (exit: string) =>
      file({ s: ['SwitchNode', { value: 'x', cases: ['red', 'blue'] }], l: ['LogNode'] }, [`s.${exit} -> l`]);
    expect(codesOf(source('case_red'))).toEqual([]);
    expect(codesOf(source('case_1'))).toEqual([]);
    expect(codesOf(source('default'))).toEqual([]);
    expect(codesOf(source('case_green'))).toContain('UNKNOWN_PORT');
  });

  it('from control to data, or from data to control, is refused', () => {
    expect(onlyFinding(compareAndLog(['c -> l.message']))).toMatchObject({
      severity: 'error',
      code: 'EXEC_DATA_MISMATCH',
      node: 'l',
      field: 'message',
    });
    expect(onlyFinding(compareAndLog(['c.result -> l.exec_in']))).toMatchObject({ code: 'EXEC_DATA_MISMATCH' });
  });

  it('of a node to itself is refused', () => {
    expect(onlyFinding(file({ a: ['LogNode'] }, ['a -> a']))).toMatchObject({ code: 'SELF_CONNECTION', node: 'a' });
    expect(onlyFinding(file({ c: ['ComparisonNode'] }, ['c.result -> c.a']))).toMatchObject({
      code: 'SELF_CONNECTION',
    });
  });

  it('that is listed twice is refused', () => {
    expect(onlyFinding(compareAndLog(['c -> l', 'c -> l']))).toMatchObject({
      severity: 'error',
      code: 'DUPLICATE_CONNECTION',
      field: 'connections[1]',
    });
  });

  it('into a data port that has one already is refused', () => {
    expect(onlyFinding(compareAndLog(['c.result -> l.data', 'd.result -> l.data']))).toMatchObject({
      severity: 'error',
      code: 'MULTIPLE_INPUTS',
      node: 'l',
      field: 'data',
    });
  });

  it('may share its exit, its output and a control input with others', () => {
    const shared = ['c -> l', 'c -> d', 'd -> l', 'c.result -> l.data', 'c.result -> d.a'];
    expect(codesOf(compareAndLog(shared))).toEqual([]);
  });

  it('may leave an end node by the exit that is never taken', () => {
    const source = file({ s: ['StartNode'], e: ['EndNode'], l: ['LogNode'] }, ['s -> e', 'e -> l']);
    expect(findingsOf(source)).toMatchObject([{ severity: 'warning', code: 'UNREACHABLE_NODE', node: 'l' }]);
  });

  it('to or from a node of an unknown type is not judged by its ports', () => {
    const source = file({ u: ['NoSuchNode'], l: ['LogNode'] }, ['u.anything -> l', 'l -> u.whatever']);
    expect(codesOf(source)).toContain('UNKNOWN_NODE_TYPE');
    expect(codesOf(source)).not.toContain('UNKNOWN_PORT');
    expect(codesOf(source)).not.toContain('EXEC_DATA_MISMATCH');
  });

  it('from a node whose ports cannot be told is not judged', () => {
    const source = file({ f: ['FileSystemSuperNode', { action: 5 }], l: ['LogNode'] }, ['f -> l', 'f.x -> l.data']);
    expect(codesOf(source)).toEqual(['INVALID_VALUE']);
  });

  it('takes any input of a type that allows it', () => {
    const source = file({ c: ['ComparisonNode'], a: ['AnyInputsNode'] }, ['c -> a', 'c.result -> a.whatever']);
    expect(codesOf(source)).toEqual([]);
  });

  it.each([
    [null, 'connections[0]'],
    ['a -> b', 'connections[0]'],
    [{}, 'connections[0].source_node'],
    [{ source_node: 'a', source_port: 'exec_out', target_node: 'a' }, 'connections[0].target_port'],
    [{ source_node: ['a'], source_port: 'x', target_node: 'a', target_port: 'y' }, 'connections[0].source_node'],
  ])('that is %j is refused with its place', (connection, field) => {
    const source = { nodes: { a: { node_type: 'LogNode' } }, connections: [connection] };
    expect(onlyFinding(source)).toMatchObject({ code: 'INVALID_CONNECTION', severity: 'error', field });
  });

  it('list that is no list is refused', () => {
    expect(codesOf({ nodes: { a: { node_type: 'LogNode' } }, connections: {} })).toEqual(['INVALID_STRUCTURE']);
  });

  it('may be left out, or be null', () => {
    expect(check({ nodes: { a: { node_type: 'LogNode' } }, connections: null }).workflow?.connections).toEqual([]);
  });
});
