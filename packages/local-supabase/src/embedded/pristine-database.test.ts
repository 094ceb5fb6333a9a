import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Migration } from '../migrations.ts';
import { pristineDatabase } from './pristine-database.ts';

test('is made once for each set of migrations, made anew when its file is damaged, and only the last few are kept', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'pristine-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  let made = 0;
  const start = async (...migrations: readonly Migration[]): Promise<string | undefined> => {
    const database = await pristineDatabase(
      () => undefined,
      migrations,
      folder,
      async () => new Blob([`database ${++made}`]),
    );
    return database?.text();
  };

  expect([await start(), await start()]).toEqual(['database 1', 'database 1']);

  const [name] = await readdir(folder);
  const path = join(folder, String(name));
  await writeFile(path, (await readFile(path)).subarray(0, -1));
  expect([await start(), await start()]).toEqual(['database 2', 'database 2']);
  expect(await readdir(folder)).toEqual([name]);

  const changed = Array.from({ length: 5 }, (_, version) => ({ name: '001.sql', text: `select ${version}` }));
  for (const [index, migration] of changed.entries()) expect(await start(migration)).toBe(`database ${index + 3}`);
  expect(await start(...changed.slice(4))).toBe('database 7');
  expect(await readdir(folder)).toHaveLength(4);
});

test('is done without when its folder cannot be used', async () => {
  const lines: string[] = [];
  const folder = await mkdtemp(join(tmpdir(), 'pristine-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, 'a-file'), '');

  expect(await pristineDatabase((_level, line) => lines.push(line), [], join(folder, 'a-file'))).toBeNull();
  expect(lines).toEqual([expect.stringContaining('no prepared database')]);
});
