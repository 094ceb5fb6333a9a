/** Deleting, copying, moving and making folders, and what is found out about them after a crash (I4). */
import { chmod, mkdir, readdir, readFile, rename, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { fileBench } from './file-benches.ts';
import { temporaryFolder } from './temp-folder.ts';

async function folderWith(files: Record<string, string>): Promise<string> {
  const folder = await temporaryFolder();
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
  return folder;
}

describe('DeleteFileNode', () => {
  test('deletes a file, and knows after a crash whether it did', async () => {
    const folder = await folderWith({ a: 'x' });
    const bench = fileBench('DeleteFileNode', { file_path: 'a' }, folder);
    expect(bench.effect).toBe('effect');
    const evidence = await bench.prepare();
    expect(await bench.probe(evidence)).toEqual({ state: 'not-done' });
    const result = await bench.run();
    expect(result).toEqual({ outputs: { deleted_path: join(folder, 'a'), success: true } });
    expect(await readdir(folder)).toEqual([]);
    expect(await bench.probe(evidence)).toEqual({ state: 'done', result });
  });

  test('another file in its place after a crash: unknown', async () => {
    const folder = await folderWith({ a: 'x' });
    const bench = fileBench('DeleteFileNode', { file_path: 'a' }, folder);
    const evidence = await bench.prepare();
    await bench.run();
    await writeFile(join(folder, 'a'), 'something new');
    expect(await bench.probe(evidence)).toMatchObject({ state: 'unknown' });
  });

  test('a missing file fails, or is fine with ignore_missing, which makes it idempotent', async () => {
    const folder = await folderWith({});
    const bench = fileBench('DeleteFileNode', { file_path: 'a' }, folder);
    await expect(bench.run()).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
    expect(await bench.probe(await bench.prepare())).toEqual({ state: 'not-done' });
    const lenient = fileBench('DeleteFileNode', { file_path: 'a', ignore_missing: 'true' }, folder);
    expect(lenient.effect).toBe('idempotent');
    expect(await lenient.outputs()).toMatchObject({ success: true });
  });

  test('a folder is never deleted', async () => {
    const folder = await folderWith({});
    await mkdir(join(folder, 'sub'));
    await expect(fileBench('DeleteFileNode', { file_path: 'sub' }, folder).run()).rejects.toMatchObject({
      code: 'FILE_IS_FOLDER',
    });
  });
});

describe('CopyFileNode', () => {
  const config = { source_path: 'a', dest_path: 'x/b' };

  test('copies content, mode and time, and makes the folders on the way', async () => {
    const folder = await folderWith({ a: 'content' });
    await chmod(join(folder, 'a'), 0o640);
    await utimes(join(folder, 'a'), 1_000_000, 1_000_000);
    const copy = join(folder, 'x/b');
    expect(await fileBench('CopyFileNode', config, folder).outputs()).toEqual({
      dest_path: copy,
      bytes_copied: 7,
      success: true,
    });
    const found = await stat(copy);
    expect([found.mode & 0o777, found.mtimeMs]).toEqual([0o640, 1_000_000_000]);
    expect(await readdir(join(folder, 'x'))).toEqual(['b']);
  });

  test('never overwrites unless told to, and is idempotent when it is', async () => {
    const folder = await folderWith({ a: 'new', b: 'old' });
    const bench = fileBench('CopyFileNode', { source_path: 'a', dest_path: 'b' }, folder);
    expect(bench.effect).toBe('effect');
    await expect(bench.run()).rejects.toMatchObject({ code: 'FILE_EXISTS' });
    expect(await readFile(join(folder, 'b'), 'utf8')).toBe('old');
    const over = fileBench('CopyFileNode', { source_path: 'a', dest_path: 'b', overwrite: true }, folder);
    expect(over.effect).toBe('idempotent');
    await over.run();
    expect(await readFile(join(folder, 'b'), 'utf8')).toBe('new');
    expect((await readdir(folder)).sort()).toEqual(['a', 'b']);
  });

  test('after a crash: not there is not done, the same is done, another is unknown', async () => {
    const folder = await folderWith({ a: 'content' });
    const bench = fileBench('CopyFileNode', config, folder);
    const evidence = await bench.prepare();
    expect(await bench.probe(evidence)).toEqual({ state: 'not-done' });
    const result = await bench.run();
    expect(await bench.probe(evidence)).toEqual({ state: 'done', result });
    await writeFile(join(folder, 'x/b'), 'of others');
    expect(await bench.probe(evidence)).toMatchObject({ state: 'unknown' });
  });

  test('a destination that was there before means that nothing was done', async () => {
    const folder = await folderWith({ a: 'same', b: 'same' });
    const bench = fileBench('CopyFileNode', { source_path: 'a', dest_path: 'b' }, folder);
    expect(await bench.probe(await bench.prepare())).toEqual({ state: 'not-done' });
  });

  test('what cannot be copied is refused', async () => {
    const folder = await folderWith({ a: 'x' });
    await mkdir(join(folder, 'sub'));
    const copy = (source_path: string, dest_path: string, overwrite = false): Promise<unknown> =>
      fileBench('CopyFileNode', { source_path, dest_path, overwrite }, folder).run();
    await expect(copy('none', 'b')).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
    await expect(copy('a', './a', true)).rejects.toMatchObject({ code: 'FILE_SAME' });
    await expect(copy('a', 'sub', true)).rejects.toThrow('give dest_path with the name of the file');
    await expect(copy('sub', 'other')).rejects.toMatchObject({ code: 'FILE_IS_FOLDER' });
  });
});

describe('MoveFileNode', () => {
  const config = { source_path: 'a', dest_path: 'x/b' };

  test('moves a file or a folder', async () => {
    const folder = await folderWith({ a: 'content' });
    expect(await fileBench('MoveFileNode', config, folder).outputs()).toEqual({
      dest_path: join(folder, 'x/b'),
      success: true,
    });
    await fileBench('MoveFileNode', { source_path: 'x', dest_path: 'y' }, folder).run();
    expect(await readFile(join(folder, 'y/b'), 'utf8')).toBe('content');
    expect(await readdir(folder)).toEqual(['y']);
  });

  test('overwrites only if told to', async () => {
    const folder = await folderWith({ a: 'new', b: 'old' });
    const move = (overwrite: boolean): Promise<unknown> =>
      fileBench('MoveFileNode', { source_path: 'a', dest_path: 'b', overwrite }, folder).run();
    await expect(move(false)).rejects.toMatchObject({ code: 'FILE_EXISTS' });
    await move(true);
    expect(await readdir(folder)).toEqual(['b']);
    expect(await readFile(join(folder, 'b'), 'utf8')).toBe('new');
  });

  test('after a crash: still there is not done, moved is done', async () => {
    const folder = await folderWith({ a: 'content' });
    const bench = fileBench('MoveFileNode', config, folder);
    const evidence = await bench.prepare();
    expect(await bench.probe(evidence)).toEqual({ state: 'not-done' });
    const result = await bench.run();
    expect(await bench.probe(evidence)).toEqual({ state: 'done', result });
  });

  test('after a crash of a move that overwrites: not done while the source is there', async () => {
    const folder = await folderWith({ a: 'new', b: 'old' });
    const bench = fileBench('MoveFileNode', { source_path: 'a', dest_path: 'b', overwrite: true }, folder);
    const evidence = await bench.prepare();
    expect(await bench.probe(evidence)).toEqual({ state: 'not-done' });
    const result = await bench.run();
    expect(await bench.probe(evidence)).toEqual({ state: 'done', result });
  });

  test('a folder that was moved into another folder is recognized', async () => {
    const folder = await folderWith({});
    await mkdir(join(folder, 'a/sub'), { recursive: true });
    const bench = fileBench('MoveFileNode', config, folder);
    const evidence = await bench.prepare();
    const result = await bench.run();
    expect(await bench.probe(evidence)).toEqual({ state: 'done', result });
  });

  test('whatever else is found is unknown', async () => {
    const folder = await folderWith({ a: 'content' });
    const bench = fileBench('MoveFileNode', { source_path: 'a', dest_path: 'b' }, folder);
    const evidence = await bench.prepare();
    await writeFile(join(folder, 'b'), 'of others');
    expect(await bench.probe(evidence)).toMatchObject({
      state: 'unknown',
      reason: expect.stringContaining('appeared'),
    });
    await rename(join(folder, 'a'), join(folder, 'c'));
    expect(await bench.probe(evidence)).toMatchObject({ state: 'unknown', reason: expect.stringContaining('gone') });
    await writeFile(join(folder, 'a'), 'another');
    expect(await bench.probe(evidence)).toMatchObject({ state: 'unknown' });
  });

  test('a source that was missing means that nothing was done', async () => {
    const folder = await folderWith({});
    const bench = fileBench('MoveFileNode', config, folder);
    expect(await bench.probe(await bench.prepare())).toEqual({ state: 'not-done' });
    await expect(bench.run()).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
  });
});

describe('CreateDirectoryNode', () => {
  test('makes a folder and its parents, and is fine with one that exists', async () => {
    const folder = await folderWith({});
    const bench = fileBench('CreateDirectoryNode', { directory_path: 'a/b' }, folder);
    expect(bench.effect).toBe('idempotent');
    expect(await bench.outputs()).toEqual({ dir_path: join(folder, 'a/b'), success: true });
    await bench.run();
  });

  test('without parents or exist_ok it is strict', async () => {
    const folder = await folderWith({ file: '' });
    const make = (directory_path: string, more = {}): Promise<unknown> =>
      fileBench('CreateDirectoryNode', { directory_path, ...more }, folder).run();
    await expect(make('x/y', { parents: false })).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
    await expect(make('.', { exist_ok: false })).rejects.toThrow('set exist_ok if that is fine');
    await expect(make('file')).rejects.toThrow('it is a file, so choose another name');
    await expect(make('file/sub')).rejects.toMatchObject({ code: 'FOLDER_IS_FILE' });
  });

  test('after a crash the folder itself tells', async () => {
    const folder = await folderWith({});
    const bench = fileBench('CreateDirectoryNode', { directory_path: 'a', exist_ok: false }, folder);
    expect(bench.effect).toBe('effect');
    const evidence = await bench.prepare();
    expect(await bench.probe(evidence)).toEqual({ state: 'not-done' });
    const result = await bench.run();
    expect(await bench.probe(evidence)).toEqual({ state: 'done', result });
    expect(await bench.probe(await bench.prepare())).toEqual({ state: 'not-done' });
  });
});
