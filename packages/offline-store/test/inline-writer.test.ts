import { expect, it } from 'vitest';
import { CheckpointManager, OfflineQueue } from '../src/index.ts';
import { openTestJob, openTestStore, result, type TestEntry } from './support/open-stores.ts';

it('a store that writes in the caller’s thread keeps the same promises', async () => {
  const { store, queue, handle } = await openTestJob({ writer: 'inline' });
  const before = await store.stats();
  expect(before.settings).toMatchObject({ journal_mode: 'wal', synchronous: 2 });
  await Promise.all(
    [1, 2, 3].map((step) => handle.commit([result(step)], { outbox: [{ kind: 'step', payload: step }] })),
  );
  const after = await store.stats();
  expect([after.commits - before.commits, after.transactions - before.transactions]).toEqual([3, 1]);
  expect((await store.outbox.peek()).map(({ seq }) => seq)).toEqual([1, 2, 3]);
  await queue.markCompleted('job-456', { success: true });
  await expect(handle.commit([result(4)])).rejects.toMatchObject({ code: 'JOB_FINAL' });
  await store.cleanup();
  await handle.load();
  await store.close();
  await expect(handle.load()).rejects.toMatchObject({ code: 'STORE_CLOSED' });

  const reopened = await openTestStore({ path: store.path });
  expect(reopened.opening.incidents).toEqual([]);
  const again = new CheckpointManager(new OfflineQueue({ store: reopened })).startJob<TestEntry>('job-456', 'w');
  expect((await again.load()).map((entry) => entry.step)).toEqual([1, 2, 3]);
});

it('what was asked for before close() is written, what no longer fits is refused', async () => {
  const { store, handle } = await openTestJob({ writer: 'inline', maxBytes: 300 * 1_024 });
  const some = { ...result(1), text: 'x'.repeat(120_000) };
  await handle.commit([some]);
  await expect(handle.commit([some])).rejects.toMatchObject({ code: 'STORE_FULL' });
  const last = handle.commit([result(2)]);
  await store.close();
  await last;
  const reopened = new OfflineQueue({ store: await openTestStore({ path: store.path }) });
  expect((await reopened.getJob('job-456')).journalSeq).toBe(2);
});
