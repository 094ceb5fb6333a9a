import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { loadClaimRequest } from './claim-request.ts';

it('asks under the same id after a restart until the claimed jobs are stored', async () => {
  const home = await mkdtemp(join(tmpdir(), 'casare-claim-'));
  onTestFinished(() => rm(home, { recursive: true }));
  const first = (await loadClaimRequest(home)).current;
  const restarted = await loadClaimRequest(home);
  expect(restarted.current).toBe(first);
  await restarted.rotate();
  expect(restarted.current).not.toBe(first);
  expect((await loadClaimRequest(home)).current).toBe(restarted.current);
});

it('draws a new id when the file was damaged: a robot that starts can take up its jobs', async () => {
  const home = await mkdtemp(join(tmpdir(), 'casare-claim-'));
  onTestFinished(() => rm(home, { recursive: true }));
  const { current } = await loadClaimRequest(home);
  await writeFile(join(home, 'claim-request.json'), '{"request_id": "');
  const restarted = await loadClaimRequest(home);
  expect(restarted.current).not.toBe(current);
  expect((await loadClaimRequest(home)).current).toBe(restarted.current);
});
