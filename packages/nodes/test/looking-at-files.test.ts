import { mkdir, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { fileBench } from './file-benches.ts';
import { temporaryFolder } from './temp-folder.ts';

async function tree(): Promise<string> {
  const folder = await temporaryFolder();
  await mkdir(join(folder, 'sub/deep'), { recursive: true });
  for (const name of ['b.txt', 'a.txt', 'c.csv', '.hidden', 'sub/d.txt', 'sub/deep/e.txt']) {
    await writeFile(join(folder, name), 'x');
  }
  await symlink('sub', join(folder, 'way'));
  await symlink('nowhere', join(folder, 'broken'));
  return folder;
}

describe('listing', () => {
  async function listed(type: string, config: object): Promise<string[]> {
    const folder = await tree();
    const key = type === 'ListFilesNode' ? 'directory_path' : 'dir_path';
    const outputs = await fileBench(type, { [key]: '.', ...config }, folder).outputs();
    const found = (outputs.files ?? outputs.items) as string[];
    expect(outputs).toMatchObject({ count: found.length, success: true });
    return found.map((path) => path.slice(folder.length + 1));
  }

  test('files that match, in alphabetical order, as absolute paths', async () => {
    expect(await listed('ListFilesNode', {})).toEqual(['.hidden', 'a.txt', 'b.txt', 'c.csv']);
    expect(await listed('ListFilesNode', { pattern: '*.txt' })).toEqual(['a.txt', 'b.txt']);
    expect(await listed('ListFilesNode', { pattern: 'sub/*.txt' })).toEqual(['sub/d.txt']);
  });

  test('in folders below, too, without following links', async () => {
    expect(await listed('ListFilesNode', { pattern: '*.txt', recursive: 'true' })).toEqual([
      'a.txt',
      'b.txt',
      'sub/d.txt',
      'sub/deep/e.txt',
    ]);
  });

  test('entries of a folder, or only those of a kind', async () => {
    expect(await listed('ListDirectoryNode', {})).toEqual([
      '.hidden',
      'a.txt',
      'b.txt',
      'broken',
      'c.csv',
      'sub',
      'way',
    ]);
    expect(await listed('ListDirectoryNode', { dirs_only: true })).toEqual(['sub', 'way']);
    expect(await listed('ListDirectoryNode', { files_only: true, pattern: 'a*' })).toEqual(['a.txt']);
  });

  test('a missing folder and a file fail', async () => {
    const folder = await tree();
    const list = (directory_path: string): Promise<unknown> =>
      fileBench('ListFilesNode', { directory_path }, folder).run();
    await expect(list('none')).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
    await expect(list('a.txt')).rejects.toMatchObject({ code: 'FOLDER_IS_FILE' });
  });
});

describe('looking', () => {
  test.each([
    ['a.txt', 'any', { exists: true, is_file: true, is_dir: false }],
    ['sub', 'any', { exists: true, is_file: false, is_dir: true }],
    ['sub', 'file', { exists: false, is_file: false, is_dir: true }],
    ['a.txt', 'directory', { exists: false, is_file: true, is_dir: false }],
    ['none', 'any', { exists: false, is_file: false, is_dir: false }],
    ['a.txt/none', 'any', { exists: false, is_file: false, is_dir: false }],
    ['broken', 'any', { exists: false, is_file: false, is_dir: false }],
  ])('%s as %s', async (path, check_type, outputs) => {
    expect(await fileBench('FileExistsNode', { path, check_type }, await tree()).outputs()).toEqual(outputs);
  });

  test('size and details', async () => {
    const folder = await tree();
    await utimes(join(folder, 'c.csv'), 1_000_000, 1_000_000);
    expect(await fileBench('GetFileSizeNode', { file_path: 'c.csv' }, folder).outputs()).toEqual({
      size: 1,
      success: true,
    });
    expect(await fileBench('GetFileInfoNode', { file_path: 'c.csv' }, folder).outputs()).toEqual({
      size: 1,
      created: expect.stringMatching(/^\d{4}-.*Z$/),
      modified: '1970-01-12T13:46:40.000Z',
      extension: '.csv',
      name: 'c.csv',
      parent: folder,
      success: true,
    });
    await expect(fileBench('GetFileSizeNode', { file_path: 'sub' }, folder).run()).rejects.toMatchObject({
      code: 'FILE_IS_FOLDER',
    });
  });
});
