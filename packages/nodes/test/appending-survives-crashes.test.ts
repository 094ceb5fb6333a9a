/** Appending, and what the robot finds out after it was killed between intent and result (I4). */
import { appendFile, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../src/ports.ts';
import type { NodeBench } from './context.ts';
import { fileBench } from './file-benches.ts';
import { temporaryFolder } from './temp-folder.ts';

const TEXT = 'line of the job\n';

/** The two ways to append, in a folder with a log file of the given content (or none). */
async function appendTo(before: string | null, type: string, more: JsonObject = {}): Promise<[NodeBench, string]> {
  const folder = await temporaryFolder();
  const path = join(folder, 'log.txt');
  if (before !== null) await writeFile(path, before);
  const config = { file_path: 'log.txt', content: TEXT, ...(type === 'WriteFileNode' ? { append_mode: true } : {}) };
  return [fileBench(type, { ...config, ...more }, folder), path];
}

describe.each(['AppendFileNode', 'WriteFileNode'])('%s', (type) => {
  test('appends, and makes the file if there is none', async () => {
    for (const before of ['first\n', null]) {
      const [bench, path] = await appendTo(before, type);
      expect(await bench.outputs()).toMatchObject({ file_path: path, bytes_written: TEXT.length, success: true });
      expect(await readFile(path, 'utf8')).toBe((before ?? '') + TEXT);
      expect(bench.effect).toBe('effect');
    }
  });

  test('notes before what it is about to append, and changes nothing by that', async () => {
    const [bench, path] = await appendTo('first\n', type);
    expect(await bench.prepare()).toEqual({
      path,
      size_before: 6,
      bytes_length: TEXT.length,
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect(await readFile(path, 'utf8')).toBe('first\n');
  });

  test.each([['first\n'], [''], [null]])('killed before it wrote (file: %j): not done', async (before) => {
    const [bench] = await appendTo(before, type);
    expect(await bench.probe(await bench.prepare())).toEqual({ state: 'not-done' });
  });

  test.each([['first\n'], [''], [null]])(
    'killed after it wrote (file: %j): done, with the outputs of a run',
    async (before) => {
      const [bench] = await appendTo(before, type);
      const evidence = await bench.prepare();
      const result = await bench.run();
      expect(await bench.probe(evidence)).toEqual({ state: 'done', result });
    },
  );

  test('killed between making the file and writing to it: not done', async () => {
    const [bench, path] = await appendTo(null, type);
    const evidence = await bench.prepare();
    await writeFile(path, '');
    expect(await bench.probe(evidence)).toEqual({ state: 'not-done' });
  });

  test('others appended after it: still done', async () => {
    const [bench, path] = await appendTo('first\n', type);
    const evidence = await bench.prepare();
    await bench.run();
    await appendFile(path, 'of another job\n');
    expect(await bench.probe(evidence)).toMatchObject({ state: 'done' });
  });

  test('others appended instead, as much or more: unknown', async () => {
    const [bench, path] = await appendTo('first\n', type);
    const evidence = await bench.prepare();
    await appendFile(path, 'a longer line of another job\n');
    expect(await bench.probe(evidence)).toEqual({
      state: 'unknown',
      reason: `${path} was changed by another writer since the append began`,
    });
  });

  test('a part of the text is there: unknown, and the part stays', async () => {
    const [bench, path] = await appendTo('first\n', type);
    const evidence = await bench.prepare();
    await appendFile(path, TEXT.slice(0, 4));
    expect(await bench.probe(evidence)).toEqual({
      state: 'unknown',
      reason: `${path} has grown by 4 of ${TEXT.length} bytes: a part, or another writer`,
    });
    expect(await readFile(path, 'utf8')).toBe('first\nline');
  });

  test('the file is gone or has shrunk: unknown', async () => {
    const [bench, path] = await appendTo('first\n', type);
    const evidence = await bench.prepare();
    await truncate(path, 2);
    expect(await bench.probe(evidence)).toMatchObject({ state: 'unknown', reason: expect.stringContaining('shrunk') });
    await rm(path);
    expect(await bench.probe(evidence)).toMatchObject({ state: 'unknown', reason: `${path} is gone` });
  });

  test('the evidence is missing: unknown', async () => {
    const [bench] = await appendTo(null, type);
    expect(await bench.probe(null)).toMatchObject({ state: 'unknown' });
  });
});

test('a byte order mark is written only where the file begins', async () => {
  const [bench, path] = await appendTo(null, 'AppendFileNode', { content: 'a', encoding: 'utf-16' });
  await bench.run();
  const evidence = await bench.prepare();
  const result = await bench.run();
  expect((await readFile(path)).toString('hex')).toBe('fffe61006100');
  expect(await bench.probe(evidence)).toEqual({ state: 'done', result });
});

test('a hundred writers at once lose and mix nothing', async () => {
  const folder = await temporaryFolder();
  const lines = Array.from({ length: 100 }, (_, index) => `${String(index).padStart(3, '0')} ${'x'.repeat(200)}\n`);
  await Promise.all(lines.map((content) => fileBench('AppendFileNode', { file_path: 'a', content }, folder).run()));
  const written = (await readFile(join(folder, 'a'), 'utf8')).split('\n').slice(0, -1);
  expect(written.sort()).toEqual(lines.map((line) => line.trimEnd()));
});

test('a missing file is an error where create_if_missing is off', async () => {
  const [bench] = await appendTo(null, 'AppendFileNode', { create_if_missing: false });
  await expect(bench.run()).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
});

test('a stopped run appends nothing', async () => {
  const [bench, path] = await appendTo('first\n', 'AppendFileNode');
  const signal = AbortSignal.abort(new Error('lease lost'));
  await expect(bench.runWith({ signal })).rejects.toThrow('lease lost');
  expect(await readFile(path, 'utf8')).toBe('first\n');
});
