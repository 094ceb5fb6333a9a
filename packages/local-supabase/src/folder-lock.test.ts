import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { lockFolder } from './folder-lock.ts';
import { systemClock } from './system-clock.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'folder-lock-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const now = { clock: systemClock, waitMs: 0 };

test('a folder has one owner at a time, also within one process', async () => {
  const lock = await lockFolder(folder, now);

  await expect(lockFolder(folder, now)).rejects.toMatchObject({
    code: 'DATA_DIR_IN_USE',
    message: expect.stringContaining(`process ${process.pid} on ${hostname()} (since 2`),
  });

  lock.release();
  (await lockFolder(folder, now)).release();
});

test('whoever waits gets the folder when its owner lets go', async () => {
  const lock = await lockFolder(folder, now);
  let sleeps = 0;
  const sleep = async (): Promise<void> => {
    sleeps += 1;
    if (sleeps === 3) lock.release();
  };

  (await lockFolder(folder, { clock: { ...systemClock, sleep }, waitMs: 60_000 })).release();

  expect(sleeps).toBe(3);
});

test('a killed owner leaves no lock behind', async () => {
  const [lockModule, clockModule] = ['./folder-lock.ts', './system-clock.ts'].map((path) =>
    JSON.stringify(fileURLToPath(new URL(path, import.meta.url))),
  );
  const program = `
    const { lockFolder } = await import(${lockModule});
    const { systemClock } = await import(${clockModule});
    await lockFolder(${JSON.stringify(folder)}, { clock: systemClock });
    console.log('locked');
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  await expect(lockFolder(folder, now)).rejects.toThrow(`process ${child.pid}`);

  child.kill('SIGKILL');
  await once(child, 'exit');

  (await lockFolder(folder, now)).release();
});
