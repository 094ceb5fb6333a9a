/** The rules of the format page's parts on validation and node types, one by one. */
import { describe, expect, it } from 'vitest';
import { type FileSpec, runFile } from '../engine/harness.ts';
import { check, codesOf, file, findingsOf, onlyFinding } from '../model/sample-nodes.ts';

describe('validation finds, before anything happens,', () => {
  it.each<[string, object | string, string]>([
    ['JSON that is none', '{', 'INVALID_JSON'],
    ['a node type that there is not', file({ a: ['Nope'] }), 'UNKNOWN_NODE_TYPE'],
    ['a missing required config', file({ a: ['WriteFileNode'] }), 'MISSING_CONFIG'],
    ['a wrong type', file({ a: ['WriteFileNode', { file_path: 'x', max_size: 'big' }] }), 'INVALID_VALUE'],
    ['a wrong choice', file({ a: ['LogNode', { level: 'loud' }] }), 'INVALID_VALUE'],
    ['a connection to a missing node', file({ a: ['LogNode'] }, ['a -> b']), 'UNKNOWN_NODE'],
    ['a connection to a missing port', file({ a: ['LogNode'], b: ['LogNode'] }, ['a.nope -> b']), 'UNKNOWN_PORT'],
    [
      'control joined to data',
      file({ a: ['LogNode'], b: ['LogNode'] }, ['a.exec_out -> b.message']),
      'EXEC_DATA_MISMATCH',
    ],
    ['a self-connection', file({ a: ['LogNode'] }, ['a -> a']), 'SELF_CONNECTION'],
    ['a duplicate', file({ s: ['StartNode'], a: ['LogNode'] }, ['s -> a', 's -> a']), 'DUPLICATE_CONNECTION'],
    [
      'a cycle outside of loops',
      file({ s: ['StartNode'], a: ['LogNode'], b: ['LogNode'] }, ['s -> a', 'a -> b', 'b -> a']),
      'CYCLE',
    ],
    ['an unpaired loop end', file({ a: ['ForLoopEndNode'] }), 'UNPAIRED_NODE'],
    ['an unpaired catch', file({ a: ['CatchNode'] }), 'UNPAIRED_NODE'],
    ['an unreachable node', file({ s: ['StartNode'], a: ['LogNode'] }), 'UNREACHABLE_NODE'],
    ['an unknown config key', file({ a: ['LogNode', { mesage: 'x' }] }), 'UNKNOWN_CONFIG_KEY'],
  ])('%s', (_words, source, code) => {
    expect(codesOf(source)).toContain(code);
  });

  it('unreachable nodes and unknown keys as warnings, the rest as errors', () => {
    const { workflow, findings } = check(file({ s: ['StartNode'], a: ['LogNode', { mesage: 'x' }] }));
    expect(findings.map(({ severity }) => severity)).toEqual(['warning', 'warning']);
    expect(workflow).not.toBeNull();
  });

  it('the nearest name of a type, a key, a choice, a port', () => {
    const nearest = (source: object) => findingsOf(source)[0]?.suggestion;
    expect(nearest(file({ a: ['LgoNode'] }))).toBe('LogNode');
    expect(nearest(file({ a: ['LogNode', { mesage: 'x' }] }))).toBe('message');
    expect(nearest(file({ a: ['LogNode', { level: 'eror' }] }))).toBe('error');
    expect(nearest(file({ a: ['IfNode', { condition: true }], b: ['LogNode'] }, ['a.tru -> b']))).toBe('true');
  });

  it('a misspelled part of the file, which would otherwise be silently ignored', () => {
    const misspelled = { nodes: { a: { node_type: 'LogNode' } }, conections: [], settings: { stop_on_eror: false } };
    expect(findingsOf(misspelled)).toMatchObject([
      { severity: 'warning', code: 'UNKNOWN_KEY', field: 'conections', suggestion: 'connections' },
      { severity: 'warning', code: 'UNKNOWN_KEY', field: 'settings.stop_on_eror', suggestion: 'stop_on_error' },
    ]);
    const noted = (source: object) =>
      findingsOf(source).flatMap(({ severity, code, node, field, suggestion }) =>
        code === 'UNKNOWN_KEY' ? [[severity, node, field, suggestion]] : [],
      );
    const sound = { nodes: { a: { node_id: 'a', node_type: 'LogNode', config: {} } } };
    expect(
      noted({ ...sound, timeout: 5, metadata: { nmae: 'x' }, settings: { timeout: 5, timout: 7, color: 'red' } }),
    ).toEqual([
      ['warning', null, 'timeout', 'settings.timeout'],
      ['warning', null, 'settings.timout', 'timeout'],
      ['warning', null, 'settings.color', null],
      ['warning', null, 'metadata.nmae', 'name'],
    ]);
    expect(noted({ nodes: { a: { node_tpye: 'LogNode', confg: {} } } })).toEqual([
      ['warning', 'a', 'node_tpye', 'node_type'],
      ['warning', 'a', 'confg', 'config'],
    ]);
    expect(noted({ nodes: [{ nod_id: 'a', type: 'LogNode', propertys: {} }] })).toEqual([
      ['warning', null, 'nod_id', 'node_id'],
      ['warning', null, 'propertys', 'properties'],
    ]);
    const connection = { source_node: 'a', source_prot: 'exec_out', target_node: 'b', target_port: 'exec_in' };
    expect(noted({ ...sound, connections: [connection] })).toEqual([
      ['warning', null, 'connections[0].source_prot', 'source_port'],
    ]);
    const variables = { a: { type: 'String', defualt_value: 'x' }, b: { tpye: 'Integer', default_value: 5 } };
    expect(noted({ ...sound, variables })).toEqual([
      ['warning', null, 'variables.a.defualt_value', 'default_value'],
      ['warning', null, 'variables.b.tpye', 'type'],
    ]);
  });

  it('and takes keys that designers add as they are', () => {
    const extras = { position: [1, 2], category: 'basic', name: 'A', input_ports: [], output_ports: [], _note: 1 };
    const node = { node_id: 'a', node_type: 'LogNode', config: { status: 'idle' }, ...extras };
    const older = { id: 'b', type: 'LogNode', properties: {}, ...extras };
    const files = [
      { nodes: { a: node }, connections: [], viewport: {}, version: 2, frames: [], settings: { _zoom: 1 } },
      { nodes: [node, older], connections: [{ out: ['a', 'exec_out'], in: ['b', 'exec_in'], id: 'c' }] },
      { nodes: [node, older], connections: [{ from_node: 'a', from_port: 'out', to_node: 'b', to_port: 'in' }] },
      { nodes: { a: node }, variables: { row: { typ: 'x', valeu: 1, colour: 'red' }, list: { data: 1 } } },
    ];
    for (const source of files) expect(findingsOf(source)).toEqual([]);
  });

  it('a misspelled kind of value in double braces, which would be taken as it is written', () => {
    const warned = (text: string) =>
      findingsOf(file({ a: ['LogNode', { message: text }] })).map(({ severity, code, suggestion }) => [
        severity,
        code,
        suggestion,
      ]);
    const warning = (suggestion: string | null) => [['warning', 'UNKNOWN_REFERENCE', suggestion]];
    expect(warned('key {{$secert:crm.key}}')).toEqual(warning('{{$secret:crm.key}}'));
    for (const slip of ['{{secret:x}}', '{{ $secret: x }}', '{{$SECRET:x}}'])
      expect(warned(slip)).toEqual(warning('{{$secret:x}}'));
    expect(warned('{{$env:HOME}}')).toEqual(warning(null));
    for (const fine of ['{{$secret:x}} {{ $secret:y }}', '{{at:10:30}}', '{"a":{"b:c":1}}'])
      expect(warned(fine)).toEqual([]);
  });

  it.each([
    'ExcelOpenNode',
    'DesktopClickElementNode',
    'ClipboardCopyNode',
    'InputDialogNode',
    'TelegramSendMessageNode',
  ])('that this platform cannot run %s', (type) => {
    expect(onlyFinding(file({ a: [type] }))).toMatchObject({ code: 'UNSUPPORTED_NODE_TYPE', node: 'a' });
  });

  it('and says of each finding severity, code, node, field, message, suggestion', () => {
    expect(Object.keys(onlyFinding(file({ a: ['LogNode', { level: 'loud' }] }))).toSorted()).toEqual([
      ...['code', 'field', 'message', 'node', 'severity', 'suggestion'],
    ]);
  });
});

describe('older names', () => {
  const marked = async (spec: FileSpec) => (await runFile(spec)).world.marks;

  it('ForLoopNode: start, end, step, or the input items; exits loop_body and completed; outputs item and index', async () => {
    const loop = (config: object): FileSpec => ({
      nodes: {
        each: ['ForLoopNode', config as Record<string, number>],
        in: ['MarkNode', { mark: '{{each.index}}:{{each.item}}' }],
        after: ['MarkNode', { mark: 'after' }],
      },
      connect: ['each.loop_body -> in', 'each.completed -> after'],
    });
    expect(await marked(loop({ start: 2, end: 6, step: 2 }))).toEqual(['0:2', '1:4', 'after']);
    expect(await marked(loop({ items: ['a'] }))).toEqual(['0:a', 'after']);
  });

  it('WhileLoopNode: expression, max_iterations; exits loop_body and completed; output iteration', async () => {
    const spec: FileSpec = {
      nodes: {
        while: ['WhileLoopNode', { expression: '{{n}} < 2', max_iterations: 5 }],
        more: ['IncrementVariableNode', { variable_name: 'n' }],
        in: ['MarkNode', { mark: '{{while.iteration}}' }],
        after: ['MarkNode', { mark: 'after' }],
      },
      connect: ['while.loop_body -> in -> more', 'while.completed -> after'],
      variables: { n: 0 },
    };
    expect(await marked(spec)).toEqual([0, 1, 'after']);
  });

  it('TryNode with the exits success and catch of its own', async () => {
    const spec: FileSpec = {
      nodes: {
        try: ['TryNode'],
        fail: ['FailNode'],
        told: ['MarkNode', { mark: '{{try.error_message}}' }],
        good: ['MarkNode'],
      },
      connect: ['try.try_body -> fail', 'try.catch -> told', 'try.success -> good'],
    };
    expect(await marked(spec)).toEqual(['fail#1', 'it broke']);
  });

  it.each(['case_b', 'case_1'])('SwitchNode accepts the exit %s', async (exit) => {
    const spec: FileSpec = {
      nodes: { which: ['SwitchNode', { value: 'b', cases: ['a', 'b'] }], hit: ['MarkNode', { mark: 'hit' }] },
      connect: [`which.${exit} -> hit`],
    };
    expect(await marked(spec)).toEqual(['hit']);
  });

  it('aliases of types', () => {
    expect(check(file({ a: ['BrowserWaitNode'], b: ['BrowserLaunchNode'] })).workflow?.nodes.get('b')?.type).toBe(
      'LaunchBrowserNode',
    );
  });
});
