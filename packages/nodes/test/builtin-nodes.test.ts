import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { builtinNodes, dataNodes } from '../src/builtin-nodes.ts';
import type { NodeType } from '../src/ports.ts';

const readme = await readFile(join(import.meta.dirname, '../README.md'), 'utf8');

function rowOf(type: NodeType): string {
  return readme.split('\n').find((line) => line.startsWith(`| \`${type.type}\` |`)) ?? '';
}

test('no name is used twice', () => {
  const names = builtinNodes.flatMap(({ type, aliases = [] }) => [type, ...aliases]);
  expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
  expect(names).toContain('BrowserWaitNode');
});

describe.each(dataNodes.map((type) => [type.type, type] as const))('%s', (_name, type) => {
  test('has a row in the README with its parameters, their defaults and its outputs', () => {
    const [, params, outputs] = rowOf(type).split(' | ');
    const documented = Object.entries(type.params.shape).map(([name, schema]) => {
      const parsed = schema.safeParse(undefined);
      return parsed.success ? `\`${name}\` (\`${JSON.stringify(parsed.data)}\`)` : `\`${name}\` (required)`;
    });
    expect(params).toBe(documented.join(', '));
    if (Array.isArray(type.outputs)) {
      expect(outputs).toBe(type.outputs.map((name) => `\`${name}\``).join(', ') || '–');
    }
  });

  test('says nothing false about its effect', () => {
    const required = Object.entries(type.params.shape).filter(([, schema]) => !schema.isOptional());
    const config = Object.fromEntries(required.map(([name]) => [name, 'x']));
    const effect = type.effect(type.params.parse(config));
    const documented = rowOf(type).split(' | ').at(-1) ?? '';
    expect(documented.startsWith(effect) || documented.startsWith('as the node')).toBe(true);
    expect(documented.includes('probed')).toBe(type.probe !== undefined && !documented.startsWith('as the node'));
  });
});
