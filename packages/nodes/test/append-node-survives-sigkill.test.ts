import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from './temp-folder.ts';

const LINES = 60;
const SCRIPT = join(import.meta.dirname, 'append-until-killed.ts');

/** Runs the script; kills it the moment it announces the line, while the append is under way. */
async function runUntil(folder: string, line: number): Promise<number | null> {
  const child = spawn(process.execPath, [SCRIPT, folder, String(LINES)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  child.stdout.on('data', (chunk: Buffer) => {
    if (chunk.toString().split('\n').includes(String(line))) child.kill('SIGKILL');
  });
  const [code] = (await once(child, 'exit')) as [number | null];
  return code;
}

test('killed again and again in the middle of appending, every line is there once', { timeout: 60_000 }, async () => {
  const folder = await temporaryFolder();
  let kills = 0;
  for (let line = 5; line < LINES; line += 9) {
    if ((await runUntil(folder, line)) === null) kills += 1;
  }
  expect(await runUntil(folder, LINES + 1)).toBe(0);
  expect(kills).toBeGreaterThan(0);
  const numbers = (await readFile(join(folder, 'out'), 'utf8'))
    .split('\n')
    .slice(0, -1)
    .map((text) => text.split(' ')[1]);
  expect(numbers).toEqual(Array.from({ length: LINES }, (_, index) => String(index + 1)));
});
