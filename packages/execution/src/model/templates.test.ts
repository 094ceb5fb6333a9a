import { describe, expect, it } from 'vitest';
import type { JsonValue } from '../json.ts';
import type { ReferenceScope } from './reference-path.ts';
import { withSystemValues } from './system-values.ts';
import { hasReferences, referencesIn, resolveAsText, resolveTemplates } from './templates.ts';

const values: Record<string, JsonValue> = {
  name: 'Ada',
  n: 3,
  yes: true,
  none: null,
  list: [1, 'b', { c: 2 }],
  user: { mails: [{ address: 'a@b' }], 'first name': 'A', toString: 'own' },
  'node.port': { x: 1 },
  node: 'a variable of the same name',
  nested: '{{name}}',
  größe: 'XL',
  'step-1.result': 9,
};
const scope: ReferenceScope = {
  lookup: (name) => (Object.hasOwn(values, name) ? { found: true, value: values[name] ?? null } : { found: false }),
};
const resolve = (value: JsonValue): JsonValue => resolveTemplates(value, scope);

describe('a text that is exactly one reference', () => {
  it.each<[string, JsonValue]>([
    ['{{n}}', 3],
    ['{{ n }}', 3],
    ['${n}', 3],
    ['%n%', 3],
    ['{{yes}}', true],
    ['{{none}}', null],
    ['{{list}}', [1, 'b', { c: 2 }]],
    ['{{list[0]}}', 1],
    ['{{list[-1].c}}', 2],
    ['{{list.1}}', 'b'],
    ['{{node.port}}', { x: 1 }],
    ['{{node.port.x}}', 1],
    ['{{node}}', 'a variable of the same name'],
    ['{{user.mails[0].address}}', 'a@b'],
    ["{{user['first name']}}", 'A'],
    ['{{user.toString}}', 'own'],
    ['{{größe}}', 'XL'],
    ['{{step-1.result}}', 9],
  ])('%s keeps the type of its value', (text, expected) => {
    expect(resolve(text)).toEqual(expected);
  });
});

describe('a reference inside text', () => {
  it.each<[string, string]>([
    ['Hi {{name}}!', 'Hi Ada!'],
    ['{{n}} + {{n}}', '3 + 3'],
    ['{{yes}} {{none}}.', 'true .'],
    ['list: {{list}}', 'list: [1,"b",{"c":2}]'],
    [' {{n}}', ' 3'],
    ['{{n}}\n', '3\n'],
    ['{"a": {{list}}}', '{"a": [1,"b",{"c":2}]}'],
    ['{{{n}}}', '{3}'],
    ['%name%-${n}', 'Ada-3'],
    ['{{name}}{{name}}', 'AdaAda'],
  ])('%j is written as text', (text, expected) => {
    expect(resolve(text)).toBe(expected);
  });

  it('is not expanded again in what was inserted', () => {
    expect(resolve('{{nested}}')).toBe('{{name}}');
    expect(resolve('x {{nested}}')).toBe('x {{name}}');
  });
});

describe('text that is no reference', () => {
  it.each([
    '{{}}',
    '{{ }}',
    '{{#each}}',
    '{{a b}}',
    '{{a.}}',
    '{{.a}}',
    '{{a[}}',
    '{{n',
    '${',
    '50% off, 20% more',
    '100%',
    '%unknown%',
    '${unknown}',
    '$n',
    'a } b {{',
  ])('%j stays as it is written', (text) => {
    expect(resolve(text)).toBe(text);
  });

  it('in percent signs does not hide a reference behind it', () => {
    expect(resolve('5%n%')).toBe('53');
    expect(resolve('a%b%n%')).toBe('a%b3');
  });
});

describe('an unknown reference', () => {
  it('stays as it is written and is reported once', () => {
    const unknown: string[] = [];
    const source = { a: 'x {{gone}} {{gone}}', b: ['{{ gone }}', '{{user.nope}}', '{{list[9]}}'], c: '{{gone}}' };
    expect(resolveTemplates(source, scope, (name) => unknown.push(name))).toEqual(source);
    expect(unknown).toEqual(['gone', 'user.nope', 'list[9]']);
  });

  it('in dollar or percent form is plain text and not reported', () => {
    const unknown: string[] = [];
    resolveTemplates('${gone} %gone%', scope, (name) => unknown.push(name));
    expect(unknown).toEqual([]);
  });

  it('cannot reach what JavaScript gives every object', () => {
    for (const text of [
      '{{user.constructor}}',
      '{{list.length}}',
      '{{name.length}}',
      '{{user.__proto__}}',
      '{{list.at}}',
    ]) {
      expect(resolve(text)).toBe(text);
    }
  });
});

describe('nested values', () => {
  it('are resolved, keys are not, other types stay', () => {
    const source = { '{{n}}': ['{{n}}', { deep: 'a{{n}}' }], number: 1, flag: false, none: null };
    expect(resolve(source)).toEqual({ '{{n}}': [3, { deep: 'a3' }], number: 1, flag: false, none: null });
  });

  it('may have keys like those of every object', () => {
    const source = JSON.parse('{"__proto__": "{{n}}", "constructor": "{{n}}"}') as JsonValue;
    const resolved = resolve(source);
    expect(Object.entries(resolved as object)).toEqual([
      ['__proto__', 3],
      ['constructor', 3],
    ]);
  });
});

describe('secrets', () => {
  it('are left to the scope', () => {
    const vault: ReferenceScope = {
      lookup: (name) => (name === '$secret:mail/pass-word.1' ? { found: true, value: 'hunter2' } : scope.lookup(name)),
    };
    expect(resolveTemplates('{{$secret:mail/pass-word.1}}', vault)).toBe('hunter2');
    expect(resolveTemplates('Basic {{ $secret:mail/pass-word.1 }}', vault)).toBe('Basic hunter2');
  });

  it('that the scope does not know stay, and are not reported', () => {
    const unknown: string[] = [];
    expect(resolveTemplates('{{$secret:x}}', scope, (name) => unknown.push(name))).toBe('{{$secret:x}}');
    expect(unknown).toEqual([]);
  });

  it('are not drawn from a value that names one', () => {
    const vault: ReferenceScope = {
      lookup: (name) => ({ found: true, value: name.startsWith('$secret') ? 'hunter2' : '{{$secret:x}}' }),
    };
    expect(resolveTemplates('v {{v}}', vault)).toBe('v {{$secret:x}}');
  });
});

describe('system values', () => {
  const now = new Date(2025, 2, 9, 8, 5, 7, 250).getTime();
  const clocked = withSystemValues(scope, { now: () => now });

  it('come from the clock, in local time', () => {
    expect(resolveTemplates('{{$currentDate}}', clocked)).toBe('2025-03-09');
    expect(resolveTemplates('at {{$currentTime}}', clocked)).toBe('at 08:05:07');
    expect(resolveTemplates('{{$currentDateTime}}', clocked)).toBe('2025-03-09T08:05:07.250');
    expect(resolveTemplates('{{$timestamp}}', clocked)).toBe(Math.floor(now / 1000));
    expect(resolveTemplates('{{n}} {{$nothing}}', clocked)).toBe('3 {{$nothing}}');
  });
});

describe('helpers', () => {
  it('list the references in braces only', () => {
    expect(referencesIn('{{a.b[0]}} ${c} %d% {{e}}').map(({ names }) => names)).toEqual([['a', 'b'], ['e']]);
  });

  it('tell whether a value depends on the run', () => {
    expect(hasReferences({ a: ['x {{y}}'] })).toBe(true);
    expect(hasReferences('%path%')).toBe(true);
    expect(hasReferences({ a: ['50% of {{ }}', 3, null] })).toBe(false);
  });

  it('resolve to text even what is exactly one reference', () => {
    expect(resolveAsText('{{n}}', scope)).toBe('3');
  });
});

describe('a hostile text', () => {
  it.each([
    ['braces that open and never close', '{{'.repeat(1_000_000)],
    ['long blanks inside braces', `{{${' '.repeat(2_000_000)}}}`],
    ['percent signs', '%a'.repeat(1_000_000)],
    ['dollars', '${'.repeat(1_000_000)],
    ['unknown references', '{{a}}'.repeat(200_000)],
  ])('of %s costs no more than its length', (_, text) => {
    // A cost that grew with the square of the length would not end within the test's time limit.
    expect(resolve(text)).toBe(text);
  });

  it('that would become too large is refused', () => {
    const big: ReferenceScope = { lookup: () => ({ found: true, value: 'x'.repeat(1_000_000) }) };
    expect(() => resolveTemplates('{{a}} '.repeat(100), big)).toThrow('too large');
  });
});
