import { ManualClock } from '@casare/testing';
import { describe, expect, it } from 'vitest';
import { CheckpointManager, OfflineQueue } from '../src/index.ts';
import { openTestStore, result, withDatabase } from './support/open-stores.ts';

const dayMs = 24 * 60 * 60 * 1_000;

describe('cleanup', () => {
  it('removes what has ended, was synced and waits for nothing, once it is old enough', async () => {
    const clock = new ManualClock();
    const store = await openTestStore({ clock });
    const queue = new OfflineQueue({ store });
    const checkpoints = new CheckpointManager(queue);
    for (const jobId of ['synced', 'unsynced', 'unsent', 'running', 'released']) {
      await queue.cacheJob({ jobId, workflowJson: '{}' });
      const handle = checkpoints.startJob(jobId, 'w');
      await handle.commit([result(1), result(2)]);
      if (jobId === 'unsent') await handle.commit([], { outbox: [{ kind: 'e', payload: 1 }] });
      if (jobId === 'released') await queue.markReleased(jobId);
      else if (jobId !== 'running') await queue.markCompleted(jobId, { success: true });
      if (jobId === 'synced' || jobId === 'unsent') await queue.markSynced(jobId);
    }
    expect(await queue.cleanup()).toEqual({ jobs: 0, journalEntries: 0, deadLetters: 0, incidents: 0 });
    await clock.advance(7 * dayMs + 1);
    expect(await queue.cleanup()).toEqual({ jobs: 2, journalEntries: 4, deadLetters: 0, incidents: 0 });
    await expect(queue.getJob('synced')).rejects.toMatchObject({ code: 'UNKNOWN_JOB' });
    expect((await queue.getStats()).jobs).toMatchObject({ completed: 2, in_progress: 1, released: 0 });

    const [waiting] = await store.outbox.peek();
    await store.outbox.ack([waiting?.id ?? 0]);
    expect(await queue.cleanup({ unsyncedForMs: dayMs })).toMatchObject({ jobs: 2 });
    expect((await queue.getInProgressJobs()).map((job) => job.id)).toEqual(['running']);
    await store.close();
    expect(withDatabase(store.path, (db) => db.prepare('SELECT name, value FROM counters').all())).toContainEqual({
      name: 'jobs_cleaned',
      value: 4,
    });
  });

  it('removes a long journal in pieces while other jobs go on', async () => {
    const clock = new ManualClock();
    const store = await openTestStore({ clock });
    const queue = new OfflineQueue({ store });
    await queue.cacheJob({ jobId: 'long', workflowJson: '{}' });
    const handle = new CheckpointManager(queue).startJob('long', 'w');
    await handle.commit(Array.from({ length: 5_000 }, (_, index) => result(index)));
    await queue.markCompleted('long', { success: true });
    await queue.markSynced('long');
    await clock.advance(8 * dayMs);
    const before = (await store.stats()).transactions;
    const cleaning = queue.cleanup();
    await queue.cacheJob({ jobId: 'other', workflowJson: '{}' });
    expect(await cleaning).toEqual({ jobs: 1, journalEntries: 5_000, deadLetters: 0, incidents: 0 });
    expect((await store.stats()).transactions - before).toBeGreaterThanOrEqual(5);
    expect((await queue.getCachedJobs()).map((job) => job.id)).toEqual(['other']);
  });

  it('removes dead letters by age', async () => {
    const clock = new ManualClock();
    const store = await openTestStore({ clock, outbox: { maxPermanentFailures: 1 } });
    const queue = new OfflineQueue({ store });
    await queue.cacheJob({ jobId: 'j', workflowJson: '{}' });
    await new CheckpointManager(queue).startJob('j', 'w').commit([], { outbox: [{ kind: 'e', payload: 1 }] });
    const [entry] = await store.outbox.peek();
    expect(await store.outbox.fail(entry?.id ?? 0, 'no', { permanent: true })).toBe('dead');
    await clock.advance(29 * dayMs);
    expect((await queue.cleanup()).deadLetters).toBe(0);
    await clock.advance(2 * dayMs);
    expect((await queue.cleanup()).deadLetters).toBe(1);
    expect(await store.outbox.stats()).toMatchObject({ deadLetters: 0, dead: 1 });
  });
});
