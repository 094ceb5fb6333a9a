import { describe, expect, it } from 'vitest';
import { jsonErrorPosition } from './json-error-position.ts';

describe('the position of a JSON mistake', () => {
  it.each([
    ['{"a": 1,}', 1, 9, 'a name in double quotes'],
    ['{\n  "a": 1\n  "b": 2\n}', 3, 3, '"," or "}"'],
    ['{"a" 1}', 1, 6, '":"'],
    ['[1, 2', 1, 6, '"," or "]"'],
    ['{"a": nope}', 1, 7, 'a value'],
    ["{'a': 1}", 1, 2, 'a name in double quotes'],
    ['{"a": "line\nbreak"}', 1, 7, 'a value'],
    ['{} {}', 1, 4, 'the end of the file'],
    ['', 1, 1, 'a value'],
  ])('in %j is line %i, column %i', (text, line, column, expected) => {
    expect(() => JSON.parse(text)).toThrow(SyntaxError);
    expect(jsonErrorPosition(text)).toEqual({ line, column, expected });
  });

  it.each(['null', ' [] ', '{"a": [1, -2.5e+3, true, "\\u00e9\\n\\"", {}], "b": {"c": null}}', '"\ud83d\ude00"'])(
    'does not exist in %s',
    (text) => {
      expect(() => JSON.parse(text)).not.toThrow();
      expect(jsonErrorPosition(text)).toBeNull();
    },
  );

  it('ends at a nesting that no configuration has', () => {
    expect(jsonErrorPosition('['.repeat(1_000_000))?.expected).toBe('less nesting');
  });
});
