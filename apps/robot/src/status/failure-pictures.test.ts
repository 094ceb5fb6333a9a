import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../../test/support/robot-home.ts';
import { failurePictures } from './failure-pictures.ts';

it('shows the first picture of a job that failed, and nothing from elsewhere', async () => {
  const home = temporaryFolder();
  const pages = join(home, 'bundles', 'job-1', 'pages');
  mkdirSync(pages, { recursive: true });
  mkdirSync(join(home, 'bundles', 'job-2'));
  writeFileSync(join(home, 'secret.png'), 'secret');
  writeFileSync(join(pages, '2.png'), 'second');
  writeFileSync(join(pages, '1.png'), 'first');
  writeFileSync(join(pages, '0.txt'), 'text');
  symlinkSync(join(home, 'secret.png'), join(home, 'bundles', 'job-2', 'a.png'));
  const pictures = failurePictures(home);
  expect(String(await pictures.read('job-1'))).toBe('first');
  expect(await pictures.has('job-1')).toBe(true);
  for (const jobId of ['job-2', 'job-3', '..', '../..', '']) expect(await pictures.read(jobId), jobId).toBeNull();
});
