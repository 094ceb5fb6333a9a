import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { QueueStats } from '@casare/offline-store';
import { eventually, ManualClock } from '@casare/testing';
import { expect, it, onTestFinished } from 'vitest';
import { StoreProbe } from './store-probe.ts';

const stats = { store: { isInPlace: true, pressure: 'none', marksProblem: null } } as QueueStats;

it('calls a store that answers late slow, not unwritable, asks it once, and takes its late answer', async () => {
  const home = mkdtempSync(join(tmpdir(), 'casare-probe-'));
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  const clock = new ManualClock();
  const answer = Promise.withResolvers<QueueStats>();
  let asked = 0;
  const getStats = (): Promise<QueueStats> => {
    asked += 1;
    return answer.promise;
  };
  const probe = new StoreProbe({ home, queue: { getStats }, clock });
  for (let look = 0; look < 2; look += 1) {
    const looked = probe.look();
    await eventually('the store is asked', () => asked === 1);
    await clock.advance(5_000);
    await looked;
    expect(probe.problem).toBe('the store is slow: it has not answered for 5 s');
  }
  answer.resolve(stats);
  await probe.look();
  expect([probe.problem, probe.stats, asked]).toEqual([null, stats, 1]);
  const behind = { store: { ...stats.store, marksProblem: 'ENOSPC' } } as QueueStats;
  const other = new StoreProbe({ home, queue: { getStats: async () => behind }, clock });
  await other.look();
  expect(other.problem).toBe('the high-water marks of the store cannot be written: ENOSPC');
  rmSync(home, { recursive: true });
  await probe.look();
  expect(probe.problem).toMatch(/^the store cannot be written to: .*ENOENT/);
});
