import { describe, expect, it } from 'vitest';
import { check, codesOf, file, findingsOf, onlyFinding } from './sample-nodes.ts';

const write = (config: Record<string, unknown>) => file({ w: ['WriteFileNode', config] });

describe('a required parameter', () => {
  it.each([[{}], [{ file_path: null }], [{ file_path: '' }]])('that is not set (%j) is an error', (config) => {
    const finding = onlyFinding(write(config));
    expect(finding).toMatchObject({ severity: 'error', code: 'MISSING_CONFIG', node: 'w', field: 'file_path' });
    expect(finding.message).toContain('needs "file_path"');
    expect(finding.suggestion).toBe('Set "file_path" in the config, or connect a value to it.');
    expect(finding.message).not.toContain(finding.suggestion);
  });

  it('under a misspelled key names that key', () => {
    const [unknown, missing] = findingsOf(write({ filepath: 'a.txt' }));
    expect(missing?.message).toBe('Node "w": WriteFileNode needs "file_path"; it is not set, but "filepath" is.');
    expect(unknown).toMatchObject({ code: 'UNKNOWN_CONFIG_KEY', field: 'filepath', suggestion: 'file_path' });
    expect(missing).toMatchObject({ code: 'MISSING_CONFIG', suggestion: 'Rename "filepath" to "file_path".' });
  });

  it('may be connected instead', () => {
    const source = file({ c: ['ComparisonNode'], w: ['WriteFileNode'] }, ['c -> w', 'c.result -> w.file_path']);
    expect(codesOf(source)).toEqual([]);
  });

  it('may be a template', () => {
    expect(codesOf(write({ file_path: '{{path}}' }))).toEqual([]);
  });

  it('of a disabled node may be missing', () => {
    expect(codesOf(write({ _disabled: true }))).toEqual([]);
  });
});

describe('a parameter that another one makes necessary', () => {
  const send = (config: Record<string, unknown>, connections: string[] = []) =>
    file({ c: ['ComparisonNode'], s: ['SendNode', config] }, ['c -> s', ...connections]);

  it('is an error that names node, field and purpose when it is not set', () => {
    const finding = onlyFinding(send({ way: 'mail' }));
    expect(finding).toMatchObject({ severity: 'error', code: 'MISSING_CONFIG', node: 's', field: 'address' });
    expect(finding.message).toBe('Node "s": SendNode needs "address" for sending by mail; it is not set.');
  });

  it('may be set, connected or not needed', () => {
    expect(codesOf(send({ way: 'mail', address: 'a' }))).toEqual([]);
    expect(codesOf(send({ way: 'mail' }, ['c.result -> s.address']))).toEqual([]);
    expect(codesOf(send({ way: 'fax' }))).toEqual([]);
    expect(codesOf(send({ way: 'mail', _disabled: true }))).toEqual([]);
  });

  it('is not judged when the type cannot tell', () => {
    expect(codesOf(send({ way: 7 }))).toEqual(['INVALID_VALUE']);
  });
});

describe('a value', () => {
  it.each([
    ['file_path', 42, 'must be text, but is 42'],
    ['file_path', ['a'], 'must be text, but is a list'],
    ['max_size', 'large', 'must be a number, but is "large"'],
    ['max_size', -1, 'must be at least 0'],
    ['max_size', {}, 'must be a number, but is an object'],
    ['append_mode', 'perhaps', 'must be true or false, but is "perhaps"'],
    ['append_mode', 7, 'must be true or false, but is 7'],
    ['lines', 'a', 'must be a list, but is "a"'],
    ['lines', ['a', 5], 'item 2 must be text, but is 5'],
    ['headers', [], 'must be an object, but is a list'],
    ['encoding', 'utf8', 'must be "utf-8" or "latin-1", but is "utf8"'],
  ])('%s = %j is refused in plain words', (key, value, words) => {
    const finding = onlyFinding(write({ file_path: 'a', [key]: value }));
    expect(finding).toMatchObject({ severity: 'error', code: 'INVALID_VALUE', node: 'w', field: key });
    expect(finding.message).toContain(words);
    expect(finding.message).not.toMatch(/invalid_|zod|expected string/i);
  });

  it('outside the choices is answered with the nearest one', () => {
    expect(onlyFinding(write({ file_path: 'a', encoding: 'utf8' })).suggestion).toBe('utf-8');
    expect(onlyFinding(file({ l: ['LogNode', { level: 'warn' }] })).suggestion).toBe('warning');
    expect(onlyFinding(file({ s: ['SendNode', { way: 'mial' }] }))).toMatchObject({
      suggestion: 'mail',
      message: 'Node "s": "way" must be mail or fax. Did you mean "mail"?',
    });
  });

  it.each([
    ['max_size', '100'],
    ['max_size', ' 1.5e3 '],
    ['max_size', ''],
    ['max_size', null],
    ['append_mode', 'True'],
    ['append_mode', 0],
    ['lines', '["a"]'],
    ['headers', '{"a": 1}'],
    ['encoding', 'UTF-8'],
    ['encoding', ''],
  ])('as the designer saves it (%s = %j) is accepted', (key, value) => {
    expect(codesOf(write({ file_path: 'a', [key]: value }))).toEqual([]);
  });

  it.each(['{{n}}', 'about {{n.port}} bytes', '${n}', '%n%'])(
    'that is known only at run time (%s) is not judged',
    (value) => {
      expect(codesOf(write({ file_path: 'a', max_size: value }))).toEqual([]);
    },
  );

  it('with a hostile shape is refused without harm', () => {
    const hostile = { toString: 1, valueOf: 2, constructor: {} };
    expect(codesOf(write({ file_path: hostile }))).toEqual(['INVALID_VALUE']);
    expect(codesOf(file({ s: ['SwitchNode', { value: hostile, cases: hostile }] }))).toContain('INVALID_VALUE');
  });
});

describe('a config key', () => {
  it('that the type does not know is a warning with the nearest one', () => {
    const finding = onlyFinding(file({ l: ['LogNode', { mesage: 'hi' }] }));
    expect(finding).toMatchObject({
      severity: 'warning',
      code: 'UNKNOWN_CONFIG_KEY',
      node: 'l',
      field: 'mesage',
      suggestion: 'message',
    });
  });

  it('of the designer, or understood by the engine in every node, is no finding', () => {
    const config = { _disabled: false, _x: 1, status: 'idle', retry_count: '2', retry_interval: 500, timeout: 5 };
    expect(codesOf(file({ l: ['LogNode', config] }))).toEqual([]);
  });

  it('of the engine with a wrong value is an error', () => {
    expect(onlyFinding(file({ l: ['LogNode', { retry_count: -1 }] }))).toMatchObject({
      code: 'INVALID_VALUE',
      field: 'retry_count',
    });
    expect(onlyFinding(file({ l: ['LogNode', { retry_interval: 'soon' }] }))).toMatchObject({ code: 'INVALID_VALUE' });
    expect(onlyFinding(file({ l: ['LogNode', { in_doubt: 'guess' }] }))).toMatchObject({
      code: 'INVALID_VALUE',
    });
  });

  it('is welcome in a type that takes any', () => {
    expect(codesOf(file({ a: ['AnyInputsNode', { whatever: 1 }] }))).toEqual([]);
  });
});

describe('a condition', () => {
  it.each(['IfNode', 'WhileLoopStartNode', 'WhileLoopNode'])('is needed by %s', (type) => {
    expect(onlyFinding(file({ n: [type, {}] }))).toMatchObject({
      code: 'MISSING_CONFIG',
      node: 'n',
      field: 'condition',
    });
    expect(onlyFinding(file({ n: [type, { expression: ' ' }] }))).toMatchObject({ code: 'MISSING_CONFIG' });
  });

  it.each([{ condition: '{{n}} > 1' }, { expression: 'x in [1, 2]' }, { condition: true }, { condition: '' }])(
    'is given by %j',
    (config) => {
      expect(codesOf(file({ n: ['IfNode', config] }))).toEqual([]);
    },
  );

  it('may be connected', () => {
    const source = file({ c: ['ComparisonNode'], i: ['IfNode'] }, ['c -> i', 'c.result -> i.condition']);
    expect(codesOf(source)).toEqual([]);
  });

  it.each([
    ['{{n}} >', 'it ends too early at character 8'],
    ['{{n}} = 1', '"=" does not compare; write "=="'],
    ['(1 + 2', '"," is expected'],
    ['status is done done', '"done" is not expected'],
  ])('that cannot be parsed (%s) is an error with its place', (condition, words) => {
    const finding = onlyFinding(file({ n: ['IfNode', { condition }] }));
    expect(finding).toMatchObject({ code: 'INVALID_EXPRESSION', node: 'n', field: 'condition' });
    expect(finding.message).toContain(words);
  });
});

describe('a reference', () => {
  const refer = (message: unknown, rest = {}) =>
    file({ c: ['ComparisonNode'], l: ['LogNode', { message, ...rest }] }, ['c -> l']);

  it('to an output that a node does not have is an error with the nearest', () => {
    const finding = onlyFinding(refer('is {{c.resutl}}'));
    expect(finding).toMatchObject({
      severity: 'error',
      code: 'UNKNOWN_REFERENCE',
      node: 'l',
      field: 'message',
      suggestion: 'result',
    });
    expect(finding.message).toContain('{{c.result}}');
  });

  it('is found in nested values, paths and conditions', () => {
    expect(codesOf(refer('x', { data: { a: ['{{c.nope.x}}'] } }))).toEqual(['UNKNOWN_REFERENCE']);
    const condition = file({ c: ['ComparisonNode'], i: ['IfNode', { condition: '{{c.nope}} == 1' }] }, ['c -> i']);
    expect(codesOf(condition)).toEqual(['UNKNOWN_REFERENCE']);
  });

  it.each(['{{c.result}}', '{{c.result.key[0]}}', '{{ c.result }}', '{{n.thing}}', '{{c}}', '${c.nope}'])(
    '%s is fine',
    (text) => {
      expect(codesOf(refer(text))).toEqual([]);
    },
  );

  it.each([
    ['{{totl}}', { variables: { total: 1 } }, 'total'],
    ['{{totl.x[0]}} of it', { variables: { total: 1 } }, 'total'],
    ['{{$curentDate}}', {}, '$currentDate'],
    ['{{nonode.x}}', {}, null],
  ])('%s, which nothing sets, causes a warning', (text, rest, suggestion) => {
    const finding = onlyFinding({ ...refer(text), ...rest });
    expect(finding).toMatchObject({ severity: 'warning', code: 'UNKNOWN_REFERENCE', node: 'l', field: 'message' });
    expect(finding.suggestion).toBe(suggestion);
    expect(finding.message).toContain(suggestion === null ? 'declare it in "variables"' : `mean "${suggestion}"?`);
  });

  it.each<[string, readonly [string, Record<string, unknown>]]>([
    ['{{x.y}}', ['SetVariableNode', { variable_name: 'x' }]],
    ['{{a.b}}', ['SetVariableNode', { variable_name: 'a.b' }]],
    ['{{any}}', ['SetVariableNode', { variable_name: '{{n}}_x' }]],
    ['{{item}} {{item_index}} {{item_key}}', ['ForLoopStartNode', { items: [1] }]],
    ['{{error_message}}', ['CatchNode', {}]],
    ['{{kept}}', ['WriteFileNode', { file_path: 'p', content: '', save_as: 'kept' }]],
    ['{{$secret:totl}} {{$timestamp}}', ['CommentNode', { text: '{{totl}}' }]],
  ])('%s may be set while the workflow runs, by %j', (text, node) => {
    const codes = codesOf(file({ s: node, l: ['LogNode', { message: text }] }, ['s -> l']));
    expect(codes).not.toContain('UNKNOWN_REFERENCE');
  });

  it('into a variable that has the name of a node is not judged', () => {
    expect(codesOf({ ...refer('{{c.key}}'), variables: { c: { key: 1 } } })).toEqual([]);
    const set = file(
      {
        c: ['ComparisonNode'],
        s: ['SetVariableNode', { variable_name: 'c' }],
        l: ['LogNode', { message: '{{c.key}}' }],
      },
      ['c -> s', 's -> l'],
    );
    expect(codesOf(set)).toEqual([]);
  });

  it('to ports that depend on the config follows the config', () => {
    const source = (action: string) =>
      file({ f: ['FileSystemSuperNode', { action }], l: ['LogNode', { message: '{{f.exists}}' }] }, ['f -> l']);
    expect(codesOf(source('File Exists'))).toEqual([]);
    expect(codesOf(source('Read File'))).toEqual(['UNKNOWN_REFERENCE']);
  });

  it('to a disabled node may name its inputs, which it copies', () => {
    const source = file(
      { l: ['LogNode', { message: 'x', _disabled: true }], m: ['LogNode', { message: '{{l.message}}' }] },
      ['l -> m'],
    );
    expect(codesOf(source)).toEqual([]);
  });
});

it('keeps the config in the workflow as the file has it', () => {
  const config = { file_path: 'a', max_size: '100', extra_: 1 };
  expect(check(write(config)).workflow?.nodes.get('w')?.config).toEqual(config);
});
