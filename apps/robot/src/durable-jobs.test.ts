import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JournalEntry } from '@casare/execution';
import { CheckpointManager, OfflineQueue } from '@casare/offline-store';
import { expect, it, onTestFinished } from 'vitest';
import { claim } from '../test/support/desk.ts';
import { durableJobs } from './durable-jobs.ts';

const result: JournalEntry = {
  kind: 'result',
  step: 1,
  node_id: 'a',
  exit: 'exec_out',
  outputs: {},
  variables: {},
  duration_ms: 1,
  retries: 0,
  at: 1,
} as JournalEntry;

const draft = { kind: 'event', payload: { kind: 'node_completed' } } as const;

it('goes on with what this robot has begun: not with what is lost, and not with what another robot has claimed', async () => {
  const home = await mkdtemp(join(tmpdir(), 'casare-durable-'));
  onTestFinished(() => rm(home, { recursive: true }));
  const told: unknown[] = [];
  const openAs = (robotId: string) => {
    const queue = new OfflineQueue({ dbPath: join(home, 'store.db'), robotId, adopt: true });
    const checkpoints = new CheckpointManager(queue);
    const onForeign = (...about: unknown[]): void => void told.push(about);
    return { queue, store: durableJobs({ queue, checkpoints, bootId: 'b', bootClock: () => 0, onForeign }) };
  };
  const one = openAs('one');
  for (const jobId of ['mine', 'lost']) await one.store.add(claim(jobId), 300_000);
  await one.store.noteLost({ jobId: 'lost', leaseToken: '7' });
  const run = one.store.open('lost');
  await run.commit([result], { outbox: [draft] });
  run.close();
  // One whose end waits to be sent, and one whose end was discarded.
  for (const jobId of ['untold', 'discarded']) {
    await one.store.add(claim(jobId), 300_000);
    await one.queue.markCompleted(jobId, { success: true, outbox: [{ kind: 'complete', payload: {} }] });
  }
  const entries = await one.queue.store.outbox.peek();
  await one.queue.store.outbox.ack(entries.filter(({ jobId }) => jobId === 'discarded').map(({ id }) => id));
  await one.queue.close();

  const other = openAs('two');
  expect([await other.store.unfinished(), await other.store.untold()]).toEqual([[], []]);
  expect(told).toEqual([['one', ['lost', 'mine']]]);
  await other.queue.close();

  const again = openAs('one');
  expect((await again.store.unfinished()).map(({ jobId }) => jobId)).toEqual(['mine']);
  expect(await again.store.untold()).toEqual([{ jobId: 'untold', leaseToken: '7', leaseRemainingMs: 300_000 }]);
  expect((await again.queue.store.outbox.peek(10)).map(({ jobId }) => jobId)).toEqual(['lost', 'untold']);
  await again.queue.close();
});
