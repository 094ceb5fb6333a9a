import { createHash, randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { takePlace } from './one-place.ts';

it('is taken once on a machine, by one that lives, and the next one is told by whom', async () => {
  const id = randomUUID();
  const lines: string[] = [];
  const logger = { log: (_level: string, message: string) => void lines.push(message) };
  const original = await takePlace(id, '/homes/original', logger);
  onTestFinished(() => original.release());
  await expect(takePlace(id, '/homes/copy', logger)).rejects.toMatchObject({
    code: 'ROBOT_TWIN',
    message: expect.stringMatching(/\/homes\/original \(process \d+\).*\/homes\/copy is a copy.*delete robot\.json/),
  });
  await (await takePlace(randomUUID(), '/homes/another', logger)).release();
  await original.release();
  if (process.platform !== 'win32') {
    // What a robot that was killed leaves is nobody.
    const name = createHash('sha256').update(id).digest('hex').slice(0, 16);
    await writeFile(join(tmpdir(), `casare-robots-${userInfo().uid}`, name), '');
  }
  const next = await takePlace(id, '/homes/copy', logger);
  await next.release();
  expect(lines).toEqual([]);
});
