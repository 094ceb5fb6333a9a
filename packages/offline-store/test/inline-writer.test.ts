import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { expect, it, onTestFinished } from 'vitest';
import { CheckpointManager, OfflineQueue } from '../src/index.ts';
import { readMarks } from '../src/marks/mark-file.ts';
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
  await expect(handle.commit([some])).rejects.toMatchObject({ code: 'VALUE_TOO_LARGE' });
  const last = handle.commit([result(2)]);
  await store.close();
  await last;
  const reopened = new OfflineQueue({ store: await openTestStore({ path: store.path }) });
  expect((await reopened.getJob('job-456')).journalSeq).toBe(2);
});

/** From now on nothing can be written behind these many bytes of a file of marks. */
function fillDisk(roomBytes: number): () => void {
  const { writeSync } = fs;
  fs.writeSync = ((file: number, buffer: Buffer, from: number, length: number, at: number) => {
    if (at >= roomBytes) throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
    return writeSync(file, buffer, from, Math.min(length, roomBytes - at), at);
  }) as typeof fs.writeSync;
  syncBuiltinESMExports();
  const makeRoom = (): void => {
    fs.writeSync = writeSync;
    syncBuiltinESMExports();
  };
  onTestFinished(makeRoom);
  return makeRoom;
}

it.each([
  ['anything', 0],
  ['half of it', 192],
])('what is on disk is acknowledged and written once although the disk has no room to mark %s', async (_what, room) => {
  const { store, queue, handle } = await openTestJob({ writer: 'inline' });
  await queue.cacheJob({ jobId: 'job-removed', workflowJson: '{}' });
  await queue.markReleased('job-removed');
  await handle.commit([result(1)]);
  const makeRoom = fillDisk(room);
  await handle.commit([result(2)]);
  await Promise.all([3, 4, 5].map((step) => handle.commit([result(step)])));
  await store.cleanup({ endedForMs: 0 });
  expect((await handle.load()).map(({ step }) => step)).toEqual([1, 2, 3, 4, 5]);
  expect((await store.stats()).marksProblem).toContain('ENOSPC');

  makeRoom();
  await queue.cacheJob({ jobId: 'job-other', workflowJson: '{}' });
  expect((await store.stats()).marksProblem).toBeNull();
  await store.close();
  const reopened = await openTestStore({ path: store.path });
  expect(reopened.opening).toMatchObject({ marks: 'ok', incidents: [] });
  expect(readMarks(`${store.path}-marks`).marks.map(({ jobId, journalSeq }) => [jobId, journalSeq])).toEqual([
    ['job-456', 5],
    ['job-other', 0],
  ]);
});
