import { describe, expect, it } from 'vitest';
import { checkWorkflow } from '../../src/model/check-workflow.ts';
import { check, codesOf, file, findingsOf, onlyFinding, registry } from './sample-nodes.ts';

describe('broken JSON', () => {
  it('is refused with the line and the column of the fault', () => {
    const finding = onlyFinding('{\n  "nodes": {\n    "a": {,}\n  }\n}');
    expect(finding).toMatchObject({ severity: 'error', code: 'INVALID_JSON', node: null });
    expect(finding.message).toContain('line 3, column 11');
  });

  it.each([
    ['{"nodes": NaN}', '"NaN" is not a JSON value'],
    ["{'nodes': {}}", 'a key in double quotes'],
    ['{"nodes": {}', 'is expected here'],
    ['{"a": 1,}', 'a comma must not stand before "}"'],
    ['{} {}', 'there is more text'],
    ['{"a": "x\ny"}', 'line break'],
    ['{"a": 01}', 'not a JSON number'],
    ['{"a": 1e999}', 'too large'],
    ['{"a": "\\x41"}', 'unknown escape'],
  ])('%j says what is wrong', (text, words) => {
    expect(onlyFinding(text).message).toContain(words);
  });

  it.each(['', ' \n', '\ufeff'])('that is nothing at all (%j) is called empty', (text) => {
    const finding = onlyFinding(text);
    expect(finding).toMatchObject({ code: 'INVALID_JSON', message: 'The file is empty.' });
    expect(finding.suggestion).toBe('Save the workflow into it again, or name another file.');
  });

  it('with a byte order mark in front is read all the same', () => {
    expect(check(`\ufeff${JSON.stringify(file({ a: ['StartNode'] }))}`).workflow).not.toBeNull();
  });

  it('is refused when it is no object', () => {
    expect(onlyFinding('[1]')).toMatchObject({ code: 'INVALID_STRUCTURE' });
    expect(onlyFinding('"text"').message).toContain('but this is text');
    expect(onlyFinding(undefined).code).toBe('INVALID_STRUCTURE');
    expect(onlyFinding(null).code).toBe('INVALID_STRUCTURE');
  });

  it('given as an object that refers to itself is refused', () => {
    const circular: Record<string, unknown> = { nodes: {} };
    circular.nodes = circular;
    expect(onlyFinding(circular).code).toBe('INVALID_JSON');
  });

  it('nested without end is refused at once', () => {
    expect(onlyFinding(`{"a": ${'['.repeat(100_000)}`).code).toBe('FILE_TOO_DEEP');
  });
});

describe('keys that appear twice', () => {
  it('among the nodes are an error, because one node would be lost', () => {
    const finding = onlyFinding(
      '{"nodes": {"a": {"node_type": "StartNode"},\n "a": {"node_type": "StartNode"}}, "connections": []}',
    );
    expect(finding).toMatchObject({ code: 'DUPLICATE_NODE_ID', severity: 'error', node: 'a' });
    expect(finding.message).toContain('line 2');
  });

  it('elsewhere are a warning with the node and the key', () => {
    const text = '{"nodes": {"a": {"node_type": "LogNode", "config": {"message": "x", "message": "y"}}}}';
    expect(onlyFinding(text)).toMatchObject({
      code: 'DUPLICATE_KEY',
      severity: 'warning',
      node: 'a',
      field: 'message',
    });
  });
});

describe('nodes', () => {
  it('may be an object by id or a list', () => {
    const list = {
      nodes: [
        { node_id: 'a', node_type: 'StartNode' },
        { node_id: 'b', node_type: 'LogNode' },
      ],
    };
    const nodes = check({
      ...list,
      connections: [['a', 'b']].map(([source_node, target_node]) => ({
        source_node,
        source_port: 'exec_out',
        target_node,
        target_port: 'exec_in',
      })),
    });
    expect([...(nodes.workflow?.nodes.keys() ?? [])]).toEqual(['a', 'b']);
  });

  it('keep the order of the file, ids that are numbers included', () => {
    const text =
      '{"nodes": {"10": {"node_type": "LogNode"}, "b": {"node_type": "LogNode"}, "2": {"node_type": "LogNode"}}}';
    expect([...(check(text).workflow?.nodes.keys() ?? [])]).toEqual(['10', 'b', '2']);
  });

  it('need no node_id when they have a key', () => {
    expect(check({ nodes: { a: { node_type: 'StartNode' } } })).toMatchObject({ findings: [] });
  });

  it('with a node_id that differs from the key are refused', () => {
    const finding = onlyFinding({ nodes: { a: { node_id: 'b', node_type: 'StartNode' } } });
    expect(finding).toMatchObject({ code: 'NODE_ID_MISMATCH', node: 'a', field: 'node_id', suggestion: 'a' });
  });

  it('in a list need ids of their own', () => {
    const start = { node_id: 'a', node_type: 'LogNode' };
    expect(codesOf({ nodes: [start, start] })).toEqual(['DUPLICATE_NODE_ID']);
    expect(codesOf({ nodes: [{ node_type: 'LogNode' }] })).toEqual(['INVALID_NODE']);
  });

  it.each([
    ['null instead of a node', { nodes: { a: null } }],
    ['a text instead of a node', { nodes: { a: 'StartNode' } }],
    ['no node_type', { nodes: { a: { config: {} } } }],
    ['a node_type that is no text', { nodes: { a: { node_type: 5 } } }],
    ['a config that is a list', { nodes: { a: { node_type: 'StartNode', config: [] } } }],
    ['a node_id that is an object', { nodes: { a: { node_type: 'StartNode', node_id: {} } } }],
    ['an empty id', { nodes: { '': { node_type: 'StartNode' } } }],
  ])('with %s are refused', (_, source) => {
    expect(codesOf(source)).toContain('INVALID_NODE');
  });

  it('may lack a config, or have null for one', () => {
    expect(check({ nodes: { a: { node_type: 'LogNode', config: null } } }).findings).toEqual([]);
  });

  it('that are none at all make an empty workflow, which is refused', () => {
    expect(onlyFinding({ nodes: {}, connections: [] })).toMatchObject({ code: 'EMPTY_WORKFLOW', severity: 'error' });
    expect(codesOf({})).toEqual(['EMPTY_WORKFLOW']);
    const ports = { in: { node_type: 'SubflowInputNode' }, out: { node_type: 'SubflowOutputNode' } };
    expect(codesOf({ nodes: ports })).toContain('EMPTY_WORKFLOW');
    expect(codesOf({ nodes: 5 })).toContain('INVALID_STRUCTURE');
  });

  it('keep the extras of the designer out of the way', () => {
    const node = {
      node_id: 'a',
      node_type: 'LogNode',
      name: 'Log',
      category: 'General',
      position: { x: 1, y: 2 },
      input_ports: { exec_in: {} },
      output_ports: {},
      config: { message: 'hi', status: 'success', _disabled: false, _color: 'red' },
    };
    const { workflow, findings } = check({
      metadata: {},
      nodes: { a: node },
      connections: [],
      variables: {},
      frames: [],
    });
    expect(findings).toEqual([]);
    expect(workflow?.nodes.get('a')).toMatchObject({ type: 'LogNode', disabled: false });
  });

  it('named like properties of every object are ordinary nodes', () => {
    const text =
      '{"nodes": {"constructor": {"node_type": "StartNode"}, "__proto__": {"node_type": "LogNode"}}, "connections": [{"source_node": "constructor", "source_port": "exec_out", "target_node": "__proto__", "target_port": "exec_in"}]}';
    const { workflow, findings } = check(text);
    expect(findings).toEqual([]);
    expect([...(workflow?.nodes.keys() ?? [])]).toEqual(['constructor', '__proto__']);
  });
});

describe("the designer's files", () => {
  it('may hold the workflow in a scenario', () => {
    const { workflow } = check({ id: 'scen_1', name: 'outer', workflow: file({ a: ['StartNode'] }), triggers: [] });
    expect(workflow?.name).toBe('test');
  });

  it('may hold a hidden start node besides the visible one', () => {
    const source = file({ StartNode_6: ['StartNode'], __auto_start__: ['StartNode'], a: ['LogNode'] }, [
      'StartNode_6 -> a',
    ]);
    expect(check(source).findings).toEqual([]);
    expect(check(source).workflow?.nodes.has('__auto_start__')).toBe(false);
  });

  it('may write nodes with id, type and properties', () => {
    const nodes = [
      { id: 's', type: 'StartNode', properties: {} },
      { id: 'l', type: 'LogNode', properties: { message: 'x' } },
    ];
    const connections = [{ source_node: 's', source_port: 'exec_out', target_node: 'l', target_port: 'exec_in' }];
    const { workflow, findings } = check({ name: 'Old', nodes, connections });
    expect(findings).toEqual([]);
    expect(workflow).toMatchObject({ name: 'Old' });
    expect(workflow?.nodes.get('l')?.config).toEqual({ message: 'x' });
  });

  it('may write connections as pairs, or from and to', () => {
    const nodes = { s: { node_type: 'StartNode' }, l: { node_type: 'LogNode' } };
    const plain = { sourceNode: 's', sourcePort: 'exec_out', targetNode: 'l', targetPort: 'exec_in' };
    const pairs = check({ nodes, connections: [{ out: ['s', 'exec_out'], in: ['l', 'exec_in'] }] });
    const template = check({ nodes, connections: [{ from_node: 's', from_port: 'out', to_node: 'l', to_port: 'in' }] });
    expect(pairs.workflow?.connections).toEqual([plain]);
    expect(template.workflow?.connections).toEqual([plain]);
  });
});

describe('limits', () => {
  const nodes = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [`n${index}`, { node_type: 'LogNode' }]));

  it('refuse more than 1,000 nodes', () => {
    expect(codesOf({ nodes: nodes(1000) })).toEqual([]);
    expect(onlyFinding({ nodes: nodes(1001) })).toMatchObject({ code: 'TOO_MANY_NODES', severity: 'error' });
  });

  it('refuse more than 5,000 connections', () => {
    const connections = Array.from({ length: 5001 }, () => ({}));
    expect(onlyFinding({ nodes: nodes(1), connections })).toMatchObject({ code: 'TOO_MANY_CONNECTIONS' });
  });

  it('refuse a config that is nested more than 10 levels deep, naming node and key', () => {
    const nested = (levels: number): unknown => (levels === 0 ? 1 : [nested(levels - 1)]);
    expect(codesOf(file({ a: ['LogNode', { data: nested(10) }] }))).toEqual([]);
    expect(onlyFinding(file({ a: ['LogNode', { data: nested(11) }] }))).toMatchObject({
      code: 'CONFIG_TOO_DEEP',
      node: 'a',
      field: 'data',
    });
  });

  it('refuse a file of more than 5 MB, counted in bytes', () => {
    const big = (characters: number) => JSON.stringify(file({ a: ['LogNode', { message: 'é'.repeat(characters) }] }));
    expect(onlyFinding(big(2_700_000))).toMatchObject({ code: 'FILE_TOO_LARGE' });
    expect(codesOf(big(2_500_000))).toEqual([]);
  });

  it('can be set', () => {
    const source = file({ a: ['LogNode'], b: ['LogNode'] });
    expect(checkWorkflow(source, registry, { maxNodes: 1 }).findings[0]?.code).toBe('TOO_MANY_NODES');
    expect(checkWorkflow(source, registry, { maxFileBytes: 10 }).findings[0]?.code).toBe('FILE_TOO_LARGE');
  });

  it('cut the list of findings, and say so', () => {
    const source = { nodes: { a: { node_type: 'LogNode' } }, connections: Array.from({ length: 3000 }, () => null) };
    const findings = findingsOf(source);
    expect(findings).toHaveLength(1001);
    expect(findings.at(-1)).toMatchObject({ code: 'TOO_MANY_FINDINGS', severity: 'error' });
  });
});

describe('variables', () => {
  const variablesOf = (variables: unknown) => check({ nodes: { a: { node_type: 'LogNode' } }, variables });

  it('may be plain values', () => {
    const plain = { n: 1, text: 'x', none: null, list: [1], object: { type: 'square', side: 2 } };
    expect({ ...variablesOf(plain).workflow?.variables }).toEqual(plain);
  });

  it('with a type get a default of that type', () => {
    const { workflow, findings } = variablesOf({
      whole: { type: 'Integer', default_value: '5' },
      number: { name: 'number', type: 'Float', default_value: '1.5', description: 'd' },
      flag: { type: 'Boolean', default_value: 'True' },
      list: { type: 'List', default_value: '[1, 2]' },
      dict: { type: 'Dict', default_value: { a: 1 } },
      text: { type: 'String', default_value: 7, scope: 'workflow' },
      blank: { type: 'Integer', default_value: '' },
      none: { type: 'String' },
    });
    expect(findings).toEqual([]);
    expect({ ...workflow?.variables }).toEqual({
      whole: 5,
      number: 1.5,
      flag: true,
      list: [1, 2],
      dict: { a: 1 },
      text: '7',
      blank: null,
      none: '',
    });
  });

  it.each([
    ['Integer', 'five'],
    ['Integer', 1.5],
    ['Float', {}],
    ['Boolean', 'maybe'],
    ['List', '{"a": 1}'],
    ['Dict', [1]],
    ['String', [1]],
  ])('of type %s with the default %j are refused', (type, default_value) => {
    const [finding] = variablesOf({ v: { type, default_value } }).findings;
    expect(finding).toMatchObject({ code: 'INVALID_VARIABLE', severity: 'error', field: 'variables.v' });
    expect(finding?.message).toContain(`does not fit its type ${type}`);
  });

  it('of an unknown type are refused with the nearest one', () => {
    const [finding] = variablesOf({ v: { type: 'Interger', default_value: 1 } }).findings;
    expect(finding).toMatchObject({ code: 'INVALID_VARIABLE', suggestion: 'Integer' });
  });

  it.each([
    ['Integer', 'one', 'the text "one"'],
    ['Integer', 1.5, '1.5'],
    ['List', { a: 1 }, 'an object'],
    ['String', 'one', null],
    ['Float', 1, null],
    ['Dict', null, null],
  ])('of the type %s may be given %j, with a warning where it is of another one', (type, given, described) => {
    const source = { nodes: { a: { node_type: 'LogNode' } }, variables: { v: { type, default_value: null } } };
    const [finding] = checkWorkflow(source, registry, {}, { v: given }).findings;
    if (described === null) expect(finding).toBeUndefined();
    else expect(finding).toMatchObject({ severity: 'warning', code: 'INVALID_VARIABLE', field: 'variables.v' });
    if (described !== null) expect(finding?.message).toContain(`not of its type ${type}: it is ${described}.`);
  });

  it('may be a list of definitions', () => {
    expect({ ...variablesOf([{ name: 'n', type: 'Integer', default_value: 1 }]).workflow?.variables }).toEqual({
      n: 1,
    });
    expect(variablesOf([1]).findings[0]?.code).toBe('INVALID_VARIABLE');
  });

  it('named like properties of every object are ordinary variables', () => {
    const text = '{"nodes": {"a": {"node_type": "LogNode"}}, "variables": {"__proto__": 1, "constructor": 2}}';
    const variables = check(text).workflow?.variables ?? {};
    expect(Object.keys(variables)).toEqual(['__proto__', 'constructor']);
    expect(variables.toString).toBeUndefined();
  });
});

describe('settings', () => {
  const settingsOf = (settings: unknown) => check({ nodes: { a: { node_type: 'LogNode' } }, settings });

  it('have defaults, and the 30 seconds of the designer say nothing', () => {
    const designer = { stop_on_error: true, timeout: 30, retry_count: 0 };
    const expected = { stopOnError: true, nodeTimeoutSeconds: undefined, retryCount: 0 };
    expect(settingsOf(undefined).workflow?.settings).toEqual(expected);
    expect(settingsOf(designer).workflow?.settings).toEqual(expected);
  });

  it('are taken from the file', () => {
    const given = { stop_on_error: false, timeout: '120', retry_count: 2, default_browser: 'chromium' };
    expect(settingsOf(given).workflow?.settings).toEqual({
      stopOnError: false,
      nodeTimeoutSeconds: 120,
      retryCount: 2,
    });
  });

  it.each([
    ['stop_on_error', 'perhaps'],
    ['timeout', -1],
    ['timeout', 'soon'],
    ['retry_count', 1.5],
    ['retry_count', []],
  ])('%s of %j is refused', (key, value) => {
    expect(settingsOf({ [key]: value }).findings[0]).toMatchObject({
      code: 'INVALID_SETTING',
      field: `settings.${key}`,
    });
  });
});

describe('a checked workflow', () => {
  it('has the same hash whatever changed that no run depends on', () => {
    const hash = (source: object) => check(source).workflow?.hash;
    const one = file({ a: ['LogNode', { message: 'x', status: 'idle' }] });
    const moved = file({ a: ['LogNode', { message: 'x', status: 'success' }] }, [], {
      metadata: { name: 'y' },
      frames: [1],
    });
    const other = file({ a: ['LogNode', { message: 'y' }] });
    expect(hash(one)).toMatch(/^[0-9a-f]{64}$/);
    expect(hash(moved)).toBe(hash(one));
    expect(hash(other)).not.toBe(hash(one));
  });

  it('is the same from text and from parsed JSON', () => {
    const source = file({ a: ['StartNode'], b: ['LogNode'] }, ['a -> b']);
    expect(check(JSON.stringify(source)).workflow).toEqual(check(source).workflow);
  });
});
