import { describe, expect, it } from 'vitest';
import { NodeError } from '../errors.ts';
import type { JsonValue } from '../json.ts';
import { conditionFault, evaluateCondition, evaluateExpression } from './expression.ts';
import type { ReferenceScope } from './reference-path.ts';

function scopeOf(values: Record<string, JsonValue>): ReferenceScope {
  return {
    lookup: (name) => (Object.hasOwn(values, name) ? { found: true, value: values[name] ?? null } : { found: false }),
  };
}

const values: Record<string, JsonValue> = {
  x: 5,
  name: 'Alice',
  quote: `O'Brien "x" or true`,
  code: '1 == 1',
  flag: true,
  off: 'false',
  none: null,
  items: [10, 25, 5],
  user: { name: 'Bob', tags: ['a', 'b'], 'full name': 'Bob B' },
  'node.result': 42,
  'node-1.result': 7,
  $currentDate: '2025-03-09',
};
const scope = scopeOf(values);
const value = (text: string): JsonValue => evaluateExpression(text, scope);

function fault(text: string): NodeError {
  try {
    const result = evaluateExpression(text, scope);
    throw new Error(`${text} was evaluated: ${JSON.stringify(result)?.slice(0, 100)}`);
  } catch (error) {
    if (error instanceof NodeError) return error;
    throw error;
  }
}

describe('an expression', () => {
  it.each<[string, JsonValue]>([
    ['1 + 2 * 3', 7],
    ['(1 + 2) * 3', 9],
    ['7 // 2', 3],
    ['-7 // 2', -4],
    ['-7 % 3', 2],
    ['7 % -3', -2],
    ['7 / 2', 3.5],
    ['2 ** 10', 1024],
    ['-2 ** 2', -4],
    ['2 ** -1', 0.5],
    ['2 ** 3 ** 2', 512],
    ['10 - 4 - 3', 3],
    ['.5 + 1e2', 100.5],
    ["'a' + 'b'", 'ab'],
    ["'ab' * 3", 'ababab'],
    ['[1] + [2]', [1, 2]],
    ['[0] * 3', [0, 0, 0]],
    ['True + 1', 2],
    ["'it\\'s'", "it's"],
  ])('calculates as Python does: %s', (text, expected) => {
    expect(value(text)).toEqual(expected);
  });

  it.each<[string, JsonValue]>([
    ['1 < 2 < 3', true],
    ['1 < 3 < 2', false],
    ['3 > 2 == 2', true],
    ['1 == 1.0', true],
    ["'5' == 5", false],
    ["'5' != 5", true],
    ['True == 1', true],
    ['None == null', true],
    ['[1, [2]] == [1, [2]]', true],
    ["{'a': 1, 'b': 2} == {'b': 2, 'a': 1}", true],
    ["'abc' < 'abd'", true],
    ['[1, 2] < [1, 3]', true],
    ['5 === 5', true],
    ['5 !== 5', false],
    ['none is None', true],
    ['x is not None', true],
    ['5 in items', true],
    ['5 not in items', false],
    ["'li' in name", true],
    ["'name' in user", true],
    ["name in ('Alice', 'Bob')", true],
    ["name in {'Alice', 'Bob'}", true],
    ['() == []', true],
  ])('compares: %s', (text, expected) => {
    expect(value(text)).toBe(expected);
  });

  it.each<[string, JsonValue]>([
    ['not x == 6', true],
    ['!flag', false],
    ['!(x > 1) || flag', true],
    ['flag && x', 5],
    ['0 or name', 'Alice'],
    ['none and unknown', null],
    ['flag or unknown', true],
    ['not not flag', true],
    ['off and true', 'false'],
    ["'yes' if x > 3 else 'no'", 'yes'],
    ["x > 30 ? 'yes' : 'no'", 'no'],
    ['1 if none else 2 if none else 3', 3],
    ['true ? false ? 1 : 2 : 3', 2],
  ])('decides: %s', (text, expected) => {
    expect(value(text)).toEqual(expected);
  });

  it.each<[string, JsonValue]>([
    ['items[0]', 10],
    ['items[-1]', 5],
    ['items[1:]', [25, 5]],
    ['items[:-1]', [10, 25]],
    ['items[::-1]', [5, 25, 10]],
    ['items[5:]', []],
    ['name[1:3]', 'li'],
    ['name[0]', 'A'],
    ["user['full name']", 'Bob B'],
    ['user.tags[1]', 'b'],
    ['user.name', 'Bob'],
    ["{'a': [1, 2]}['a'][1]", 2],
    ['items.length', 3],
    ["'😀x'[0]", '😀'],
  ])('reaches into values: %s', (text, expected) => {
    expect(value(text)).toEqual(expected);
  });

  it.each<[string, JsonValue]>([
    ['len(items)', 3],
    ["len('😀')", 1],
    ['str(5) + str(true) + str(none)', '5TrueNone'],
    ["int('12') + int(3.9) + int(-3.9)", 12],
    ["float('1.5')", 1.5],
    ["bool('')", false],
    ['abs(-3)', 3],
    ['min(3, 1, 2)', 1],
    ['max(items)', 25],
    ['sum(items)', 40],
    ['round(2.5)', 2],
    ['round(3.5)', 4],
    ['round(2.675, 2)', 2.67],
    ['round(0.125, 2)', 0.12],
    ['round(-2.5)', -2],
    ['round(1234, -2)', 1200],
    ["lower('AbC') + upper('AbC')", 'abcABC'],
    ["contains(name, 'li') and contains(items, 5)", true],
    ["startswith(name, 'Al')", true],
    ["endswith(name, ('x', 'ce'))", true],
    ["replace('a-b-c', '-', '+')", 'a+b+c'],
    ["split('a,b')", ['a', 'b']],
    ["join(['a', 1], '-')", 'a-1'],
    ['sorted(items)', [5, 10, 25]],
    ['sorted(items, true)', [25, 10, 5]],
    ['list(range(1, 6, 2))', [1, 3, 5]],
    ['any([0, 1]) and not all([0, 1])', true],
    ['first(items) + last(items)', 15],
    ['coalesce(none, 3)', 3],
    ["type('')", 'str'],
    ["parse_json('[1]')[0]", 1],
    ['json({"a": [true]})', '{"a":[true]}'],
    ["substring('hello', 1, 3)", 'el'],
    ["strip('  a ')", 'a'],
  ])('calls functions of a fixed list: %s', (text, expected) => {
    expect(value(text)).toEqual(expected);
  });

  it.each<[string, JsonValue]>([
    ['name.lower()', 'alice'],
    ["name.startswith('A') and name.endswith('e')", true],
    ["' x '.strip() + 'x'.upper()", 'xX'],
    ["'a b  c'.split()", ['a', 'b', 'c']],
    ["'a-b-c'.split('-', 1)", ['a', 'b-c']],
    ["'-'.join(['a', 'b'])", 'a-b'],
    ["'aXbX'.replace('X', 'y', 1)", 'aybX'],
    ["user.get('name')", 'Bob'],
    ["user.get('age', 7)", 7],
    ["user.get('age')", null],
    ['user.keys()', ['name', 'tags', 'full name']],
    ['items.index(25)', 1],
    ['[1, 1, 2].count(1)', 2],
    ["'12'.isdigit()", true],
    ["'hello world'.title()", 'Hello World'],
    ["'7'.zfill(3)", '007'],
    ["'a\\nb'.splitlines()", ['a', 'b']],
  ])('calls methods of a fixed list: %s', (text, expected) => {
    expect(value(text)).toEqual(expected);
  });
});

describe('a reference in an expression', () => {
  it.each<[string, JsonValue]>([
    ['{{x}} > 3', true],
    ['{{ node.result }} + 1', 43],
    ['{{node-1.result}} == 7', true],
    ['${x} + %x%', 10],
    ['%x% % 3', 2],
    ['10 %x', 0],
    ['x + node.result', 47],
    ['{{user.tags[0]}}', 'a'],
    ["'{{name}}' == 'Alice'", true],
    ["'{{x}}' == '5'", true],
    ["'Hi {{name}}, {{nobody}}'", 'Hi Alice, {{nobody}}'],
    ['{{ x > 3 }}', true],
    ['$currentDate', '2025-03-09'],
    ['{{$currentDate}} >= "2025-01-01"', true],
    ['{{x}} == 5 and {{flag}}', true],
  ])('is bound: %s', (text, expected) => {
    expect(value(text)).toEqual(expected);
  });

  it('stays a value, whatever the value holds', () => {
    expect(value('{{quote}} == "x"')).toBe(false);
    expect(value('{{quote}}')).toBe(values.quote ?? null);
    expect(value("'{{quote}}'")).toBe(values.quote ?? null);
    expect(value('{{code}} == "1 == 1"')).toBe(true);
  });

  it('that is unknown is an error, unless nothing asks for it', () => {
    expect(fault('{{nobody}} > 1').message).toContain('"nobody" is unknown');
    expect(fault('nobody').message).toContain('"nobody" is unknown');
    expect(fault('${nobody}').message).toContain('"nobody" is unknown');
    expect(fault('user.age').message).toContain('"user.age" is unknown');
    expect(value('{{flag}} or {{nobody}}')).toBe(true);
    expect(value('1 if flag else nobody')).toBe(1);
  });
});

describe('an error', () => {
  it('has the code, the text and the place', () => {
    const error = fault("{{x}} < 'a'");
    expect(error).toMatchObject({ code: 'EXPRESSION_ERROR', category: 'permanent', errorType: 'ExpressionError' });
    expect(error.details).toMatchObject({ expression: "{{x}} < 'a'", position: 6 });
    expect(error.message).toContain('a number and text have no order at character 7');
  });

  it.each([
    ["'a' < 1", 'have no order'],
    ['none < 1', 'null and a number have no order'],
    ["'a' + 1", '"+" does not work with text and a number'],
    ['1 / 0', 'divided by zero'],
    ['1 % 0', 'divided by zero'],
    ['0 ** -1', 'divided by zero'],
    ['10 ** 400', 'no number that can be written'],
    ['(-8) ** 0.5', 'no number that can be written'],
    ['items[3]', 'there is no item 3'],
    ['items[-4]', 'there is no item -4'],
    ["items['a']", "an item's position must be a whole number"],
    ["user['nope']", 'the object has no key "nope"'],
    ['items[::0]', 'step 0'],
    ["int('x')", 'the text is no whole number'],
    ["int('3.7')", 'the text is no whole number'],
    ['len(5)', 'a number has no length'],
    ['max([])', 'an empty list'],
    ["'a' in 5", 'nothing can be in a number'],
    ["5 in 'a5'", 'a number cannot be in text'],
    ['nope(1)', 'there is no function "nope"'],
    ["'a'.nope()", 'text has no method "nope"'],
    ['len()', 'the wrong number of values'],
    ["parse_json('{')", 'the text is not JSON'],
  ])('of evaluation is told in plain words: %s', (text, words) => {
    expect(fault(text).message).toContain(words);
  });

  it.each([
    ['', 'it is empty'],
    ['1 +', 'it ends too early'],
    ['x = 5', 'write "=="'],
    ['1 2', '"2" is not expected'],
    ['(1', 'is expected'],
    ["'a", 'Unclosed quote'],
    ['x if y', '"else" is expected'],
    ['[x for x in items]', 'is expected'],
    ['lambda: 1', '"lambda" is not expected'],
    ['x; y', '";" is not expected'],
    ['1 << 2', '"<" is not expected'],
    ['~1', '"~" is not expected'],
    ['a..b', 'Unexpected'],
    ['{1: 2', 'is expected'],
    ['5abc', 'Variable names cannot start with a number'],
  ])('of syntax is told with its place: %j', (text, words) => {
    expect(fault(text).message).toContain(words);
  });
});

describe('the evaluator', () => {
  it.each([
    'x.constructor',
    'name.constructor',
    "user['constructor']",
    "user['__proto__']",
    'user.__proto__',
    'user.toString',
    "user.get('constructor').x",
    'constructor',
    '__proto__',
    'this',
    'globalThis',
    'process.exit()',
    'items.map',
    "items['length']",
    'len.call(1)',
    '(1).toString()',
    "import('fs')",
    'eval("1")',
    'Function("1")',
    'name.__class__',
  ])('reaches nothing of JavaScript: %s', (text) => {
    expect(fault(text).code).toBe('EXPRESSION_ERROR');
  });

  it('makes objects without touching prototypes', () => {
    const made = value("{'__proto__': {'polluted': 1}}");
    expect(Object.keys(made as object)).toEqual(['__proto__']);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });

  it.each([
    "'a' * 10 ** 9",
    '[0] * 10 ** 9',
    '[[0] * 100000] * 100000',
    'range(10 ** 9)',
    `${"'a' * 1000000 + ".repeat(5)}'a'`,
    "replace('a' * 100000, 'a', 'b' * 1000)",
    "'x'.zfill(10 ** 9)",
    "join([''] * 100000, 'x' * 1000)",
    `${'1 + '.repeat(2000)}1`,
    `${'('.repeat(500)}1${')'.repeat(500)}`,
    `${'-'.repeat(500)}1`,
    `${'not '.repeat(500)}1`,
    `items${'[0]'.repeat(500)}`,
    `${'['.repeat(1000)}`,
    `${'{{ '.repeat(500)}1`,
    `${'1 if 1 else '.repeat(300)}1`,
    `${'2 ** '.repeat(300)}1`,
  ])('is bounded (case %#)', (text) => {
    expect(fault(text).code).toBe('EXPRESSION_ERROR');
  });

  it('reads large values without copying or refusing them', () => {
    const rows = Array.from({ length: 300_000 }, (_, index) => index);
    const large = scopeOf({ rows });
    expect(evaluateExpression('len(rows) > 0 and rows[-1] == 299999 and 5 in rows', large)).toBe(true);
  });

  it('takes chains of any length that fits', () => {
    expect(value(`${'1 + '.repeat(900)}1`)).toBe(901);
    expect(value(`${'flag and '.repeat(400)}x`)).toBe(5);
  });
});

describe('a condition', () => {
  const holds = (condition: JsonValue): boolean => evaluateCondition(condition, scope);

  it('is a boolean, or any value by whether it is empty or 0', () => {
    expect([true, 1, [0], { a: 1 }].map(holds)).toEqual([true, true, true, true]);
    expect([false, 0, null, [], {}].map(holds)).toEqual([false, false, false, false, false]);
  });

  it.each(['false', 'False', '0', 'no', '', '  ', ' NO '])('the text %j is false', (text) => {
    expect(holds(text)).toBe(false);
  });

  it.each(['true', 'True', '1', 'yes', 'x > 1', '{{x}} > 1 && name', 'len(items) == 3'])(
    'the text %j is true',
    (text) => {
      expect(holds(text)).toBe(true);
    },
  );

  it('that is one reference is the truth of its value', () => {
    expect(holds('{{flag}}')).toBe(true);
    expect(holds('{{off}}')).toBe(false);
    expect(holds('{{none}}')).toBe(false);
    expect(holds('${x}')).toBe(true);
    expect(evaluateCondition('{{code}}', scopeOf({ code: '1 == 2' }))).toBe(true);
  });

  it('with a fault is an error, never false', () => {
    expect(() => holds('{{nobody}}')).toThrow(NodeError);
    expect(() => holds('nonsense here')).toThrow(NodeError);
    expect(() => holds("{{x}} > 'a'")).toThrow(NodeError);
  });

  it('can be tried without values', () => {
    expect(conditionFault('{{anything}} > 1')).toBeUndefined();
    expect(conditionFault('no')).toBeUndefined();
    expect(conditionFault('> 1')?.code).toBe('EXPRESSION_ERROR');
  });
});
