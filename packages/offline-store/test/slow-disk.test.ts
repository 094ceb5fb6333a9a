import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { openTestJob, result } from './support/open-stores.ts';

it('a commit that takes long holds up whoever waits for it, not the event loop, reads, or the order of writes', async () => {
  const commitDelayMs = new Int32Array(new SharedArrayBuffer(4));
  const { queue, handle } = await openTestJob({ commitDelayMs });
  Atomics.store(commitDelayMs, 0, 2_000);
  const done: string[] = [];
  const slow = handle.commit([result(1)]).then(() => done.push('first'));
  for (let turn = 0; turn < 20; turn += 1) {
    await delay(1);
    expect((await queue.getJob('job-456')).journalSeq).toBe(0);
  }
  expect(done).toEqual([]);
  Atomics.store(commitDelayMs, 0, 0);
  const next = handle.commit([result(2)]).then(() => done.push('second'));
  await Promise.all([slow, next]);
  expect(done).toEqual(['first', 'second']);
  expect((await handle.load()).map((entry) => entry.step)).toEqual([1, 2]);
});
