import { chmod, link, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { problemsOf } from './context.ts';
import { fileBench, fileNodeOf } from './file-benches.ts';
import { temporaryFolder } from './temp-folder.ts';

describe('reading', () => {
  test('a file is read as text, with its size in bytes', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'a.txt'), 'héllo\r\n');
    expect(await fileBench('ReadFileNode', { file_path: 'a.txt' }, folder).outputs()).toEqual({
      content: 'héllo\r\n',
      size: 8,
      success: true,
    });
  });

  test('bytes are read as base64', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'b'), Buffer.from([0, 255, 10]));
    const outputs = await fileBench('ReadFileNode', { file_path: 'b', binary_mode: true }, folder).outputs();
    expect(outputs.content).toBe('AP8K');
  });

  test('a file that is not in the encoding fails, unless errors says otherwise', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'a'), Buffer.from([0x61, 0xe9]));
    await expect(fileBench('ReadFileNode', { file_path: 'a' }, folder).run()).rejects.toMatchObject({
      code: 'DECODING_FAILED',
    });
    const read = async (config: object): Promise<unknown> =>
      (await fileBench('ReadFileNode', { file_path: 'a', ...config }, folder).outputs()).content;
    expect(await read({ errors: 'replace' })).toBe('a\ufffd');
    expect(await read({ encoding: 'latin-1' })).toBe('aé');
  });

  test('what cannot be read is said with its path and the remedy', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'big'), 'x'.repeat(11));
    await expect(fileBench('ReadFileNode', { file_path: 'none.txt' }, folder).run()).rejects.toMatchObject({
      code: 'FILE_NOT_FOUND',
      category: 'permanent',
      errorType: 'FileNotFoundError',
      message: `There is no ${join(folder, 'none.txt')}: check the path, or create it first`,
    });
    await expect(fileBench('ReadFileNode', { file_path: '.' }, folder).run()).rejects.toMatchObject({
      code: 'FILE_IS_FOLDER',
    });
    await expect(fileBench('ReadFileNode', { file_path: 'big', max_size: 10 }, folder).run()).rejects.toThrow(
      'has 11 bytes, more than the 10 allowed: raise max_size',
    );
    await expect(fileBench('ReadFileNode', { file_path: '/dev/zero' }, folder).run()).rejects.toMatchObject({
      code: 'FILE_NOT_REGULAR',
    });
    expect(problemsOf(fileNodeOf('ReadFileNode'), { file_path: null })).toEqual([
      'file_path: is required, but is not set',
    ]);
  });

  test('reading is pure', async () => {
    expect(fileBench('ReadFileNode', { file_path: 'a' }, '/').effect).toBe('pure');
  });
});

describe('writing', () => {
  test('a file is written whole, with the folders that lead to it', async () => {
    const folder = await temporaryFolder();
    const bench = fileBench('WriteFileNode', { file_path: 'x/y/a.txt', content: 'é' }, folder);
    const path = join(folder, 'x/y/a.txt');
    expect(await bench.outputs()).toEqual({
      file_path: path,
      attachment_file: [path],
      bytes_written: 2,
      success: true,
    });
    expect(await readFile(path, 'utf8')).toBe('é');
    expect(bench.effect).toBe('idempotent');
    await bench.run();
    expect(await readdir(join(folder, 'x/y'))).toEqual(['a.txt']);
  });

  test('values other than text are written as their text, bytes from base64', async () => {
    const folder = await temporaryFolder();
    await fileBench('WriteFileNode', { file_path: 'a', content: { rows: [1, null] } }, folder).run();
    expect(await readFile(join(folder, 'a'), 'utf8')).toBe('{"rows":[1,null]}');
    await fileBench('WriteFileNode', { file_path: 'b', content: 'AP8K', binary_mode: true }, folder).run();
    expect(await readFile(join(folder, 'b'))).toEqual(Buffer.from([0, 255, 10]));
    await expect(
      fileBench('WriteFileNode', { file_path: 'b', content: 'hello', binary_mode: 'true' }, folder).run(),
    ).rejects.toMatchObject({ code: 'CONTENT_NOT_BASE64' });
  });

  test('the mode of a file, its links and what a link leads to stay', async () => {
    const folder = await temporaryFolder();
    const at = (name: string): string => join(folder, name);
    await writeFile(at('script'), 'old');
    await chmod(at('script'), 0o750);
    await symlink('script', at('pointer'));
    await writeFile(at('twin'), 'old');
    await link(at('twin'), at('other-twin'));
    for (const name of ['pointer', 'twin']) {
      await fileBench('WriteFileNode', { file_path: name, content: 'new' }, folder).run();
    }
    expect((await stat(at('script'))).mode & 0o777).toBe(0o750);
    expect(await readFile(at('script'), 'utf8')).toBe('new');
    expect(await readFile(at('other-twin'), 'utf8')).toBe('new');
    expect((await readdir(folder)).sort()).toEqual(['other-twin', 'pointer', 'script', 'twin']);
  });

  test('a reader sees the old content or the new one, never a part', async () => {
    const folder = await temporaryFolder();
    const size = 2_000_000;
    await writeFile(join(folder, 'a'), '0'.repeat(size));
    let writing = true;
    const writer = (async () => {
      for (const digit of '123456789') {
        await fileBench('WriteFileNode', { file_path: 'a', content: digit.repeat(size) }, folder).run();
      }
      writing = false;
    })();
    const seen = new Set<string>();
    while (writing) {
      const content = await readFile(join(folder, 'a'), 'latin1');
      expect(content.length).toBe(size);
      seen.add(`${content.at(0)}${content.at(-1)}`);
    }
    await writer;
    expect([...seen].filter(([first, last]) => first !== last)).toEqual([]);
  });

  test('a failed write leaves the old content and nothing else', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'a'), 'old');
    await expect(
      fileBench('WriteFileNode', { file_path: 'a', content: '€', encoding: 'latin-1' }, folder).run(),
    ).rejects.toMatchObject({ code: 'ENCODING_FAILED' });
    await mkdir(join(folder, 'sub'));
    await expect(fileBench('WriteFileNode', { file_path: 'sub', content: 'x' }, folder).run()).rejects.toMatchObject({
      code: 'FILE_IS_FOLDER',
    });
    await expect(
      fileBench('WriteFileNode', { file_path: 'no/a', content: 'x', create_dirs: false }, folder).run(),
    ).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
    expect(await readFile(join(folder, 'a'), 'utf8')).toBe('old');
    expect((await readdir(folder)).sort()).toEqual(['a', 'sub']);
  });

  test.skipIf(process.platform !== 'linux')('a full disk is a failure that may pass', async () => {
    await expect(
      fileBench('WriteFileNode', { file_path: '/dev/full', content: 'x' }, '/tmp').run(),
    ).rejects.toMatchObject({ code: 'DISK_FULL', category: 'transient' });
  });

  test('folders with keys and folders of the system are protected, unless the node insists', async () => {
    const folder = await temporaryFolder();
    const write = (path: string): Promise<unknown> =>
      fileBench('WriteFileNode', { file_path: path, content: 'x' }, folder).run();
    await expect(write('/etc/casare-test')).rejects.toMatchObject({ code: 'FILE_PATH_PROTECTED' });
    await expect(write(join(homedir(), '.ssh/authorized_keys'))).rejects.toThrow('set allow_dangerous_paths');
    await expect(
      fileBench('ReadFileNode', { file_path: join(homedir(), '.ssh', 'none') }, folder).run(),
    ).rejects.toMatchObject({ code: 'FILE_PATH_PROTECTED' });
    await expect(
      fileBench('ReadFileNode', { file_path: join(homedir(), '.ssh/none'), allow_dangerous_paths: true }, folder).run(),
    ).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
    expect((await fileBench('FileExistsNode', { path: '/etc/passwd' }, folder).outputs()).exists).toBe(true);
    await expect(write('a\0b')).rejects.toMatchObject({ code: 'FILE_PATH_INVALID' });
  });
});
