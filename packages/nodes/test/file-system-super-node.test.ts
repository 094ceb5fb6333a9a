import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { fileSystemSuperNode } from '../src/files/file-system-super-node.ts';
import type { JsonObject } from '../src/ports.ts';
import { NodeBench, problemsOf } from './context.ts';
import { temporaryFolder } from './temp-folder.ts';

function bench(action: string, config: JsonObject, workDir: string): NodeBench {
  return new NodeBench(fileSystemSuperNode, { action, ...config }, { workDir });
}

function portsOf(config: JsonObject): readonly string[] {
  const { outputs } = fileSystemSuperNode;
  return typeof outputs === 'function' ? outputs(config) : outputs;
}

describe('every action does its work and fills exactly its ports', () => {
  test.each<[string, JsonObject, JsonObject]>([
    ['Read File', { file_path: 'a' }, { content: 'text', size: 4, success: true }],
    ['Write File', { file_path: 'w', content: 'é' }, { file_path: '/w', bytes_written: 2, success: true }],
    ['Append File', { file_path: 'a', content: '!' }, { file_path: '/a', bytes_written: 1, success: true }],
    ['Delete File', { file_path: 'a' }, { deleted_path: '/a', success: true }],
    ['Copy File', { source_path: 'a', dest_path: 'b' }, { dest_path: '/b', bytes_copied: 4, success: true }],
    ['Move File', { source_path: 'a', dest_path: 'b' }, { dest_path: '/b', success: true }],
    ['File Exists', { path: 'a' }, { exists: true, is_file: true, is_dir: false }],
    ['Get File Size', { file_path: 'a' }, { size: 4, success: true }],
    ['Create Directory', { directory_path: 'd/e' }, { dir_path: '/d/e', success: true }],
    ['List Files', { directory_path: '.' }, { files: ['/a'], count: 1, success: true }],
    ['List Directory', { dir_path: '.' }, { items: ['/a'], count: 1, success: true }],
  ])('%s', async (action, config, expected) => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'a'), 'text');
    const outputs = await bench(action, config, folder).outputs();
    expect(JSON.parse(JSON.stringify(outputs).replaceAll(folder, ''))).toEqual(expected);
    expect(portsOf({ action })).toEqual(Object.keys(expected));
  });

  test('Get File Info', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'a.b'), 'text');
    const outputs = await bench('Get File Info', { file_path: 'a.b' }, folder).outputs();
    expect(outputs).toMatchObject({ size: 4, extension: '.b', name: 'a.b', parent: folder, success: true });
    expect(portsOf({ action: 'Get File Info' })).toEqual(Object.keys(outputs));
  });

  test('Read File is the action when none is given', () => {
    expect(portsOf({})).toEqual(['content', 'size', 'success']);
  });
});

test('an action is as idempotent as the node that does the same', () => {
  const everything = { file_path: 'a', source_path: 'a', dest_path: 'b', directory_path: 'd', content: 'c' };
  const effectOf = (action: string, config: JsonObject = {}): string =>
    bench(action, { ...everything, ...config }, '/').effect;
  expect(effectOf('Read File')).toBe('pure');
  expect(effectOf('Write File')).toBe('idempotent');
  expect(effectOf('Append File')).toBe('effect');
  expect(effectOf('Delete File')).toBe('effect');
  expect(effectOf('Delete File', { ignore_missing: true })).toBe('idempotent');
  expect(effectOf('Copy File', { overwrite: 'true' })).toBe('idempotent');
  expect(effectOf('Move File')).toBe('effect');
  expect(effectOf('Create Directory')).toBe('idempotent');
});

test('an append that was interrupted is found out', async () => {
  const folder = await temporaryFolder();
  await writeFile(join(folder, 'log'), 'a\n');
  const append = bench('Append File', { file_path: 'log', content: 'b\n' }, folder);
  const evidence = await append.prepare();
  expect(await append.probe(evidence)).toEqual({ state: 'not-done' });
  const result = await append.run();
  expect(await append.probe(evidence)).toEqual({ state: 'done', result });
  expect(await readFile(join(folder, 'log'), 'utf8')).toBe('a\nb\n');
});

test('what an action lacks is named', async () => {
  await expect(bench('Copy File', { source_path: 'a' }, '/').run()).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: '"Copy File": dest_path is required, but is not set',
  });
  expect(problemsOf(fileSystemSuperNode, { action: 'Reed File' })).toEqual([
    expect.stringContaining('action: must be one of Read File, Write File'),
  ]);
});

describe.each(['Write File', 'Append File'])('%s', (action) => {
  test.each<[JsonObject]>([[{}], [{ content: null }]])(
    'without content (%j) fails and writes nothing',
    async (config) => {
      const folder = await temporaryFolder();
      await expect(bench(action, { file_path: 'file', ...config }, folder).run()).rejects.toMatchObject({
        code: 'CONFIG_INVALID',
        message: `"${action}": content is required, but is not set`,
      });
      expect(await readdir(folder)).toEqual([]);
    },
  );

  test('with an empty text as content writes an empty file', async () => {
    const folder = await temporaryFolder();
    await bench(action, { file_path: 'empty', content: '' }, folder).run();
    expect(await readFile(join(folder, 'empty'), 'utf8')).toBe('');
  });
});

describe('before a run', () => {
  const missing = (config: JsonObject, connected: readonly string[] = []): readonly string[] =>
    (fileSystemSuperNode.missing?.(config, (param) => connected.includes(param)) ?? []).map(
      ({ param, purpose }) => `${param} ${purpose}`,
    );

  test.each<[string, readonly string[]]>([
    ['Read File', ['file_path']],
    ['Write File', ['file_path', 'content']],
    ['Append File', ['file_path', 'content']],
    ['Delete File', ['file_path']],
    ['Copy File', ['source_path', 'dest_path']],
    ['Move File', ['source_path', 'dest_path']],
    ['File Exists', ['path']],
    ['Get File Size', ['file_path']],
    ['Get File Info', ['file_path']],
    ['Create Directory', ['directory_path']],
    ['List Files', ['directory_path']],
    ['List Directory', ['dir_path']],
  ])('%s says that it lacks %j', (action, params) => {
    expect(missing({ action })).toEqual(params.map((param) => `${param} for the action "${action}"`));
    expect(missing({ action }, params)).toEqual([]);
    expect(missing({ action, ...Object.fromEntries(params.map((param) => [param, '{{x}}'])) })).toEqual([]);
  });

  test('an empty content is content, an empty path is none', () => {
    expect(missing({ action: 'Write File', file_path: '', content: '' })).toEqual([
      'file_path for the action "Write File"',
    ]);
  });

  test('an action that only the run will tell is not judged', () => {
    expect(missing({ action: '{{action}}' })).toEqual([]);
    expect(missing({ action: 'Write File' }, ['action'])).toEqual([]);
  });
});
