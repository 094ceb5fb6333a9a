import { copyFileSync, readFileSync, renameSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CheckpointManager, OfflineQueue, type Store } from '../src/index.ts';
import { moveLogIntoFile } from './drills/move-log.ts';
import { openTestJob, openTestStore, result, type TestEntry } from './support/open-stores.ts';
import { temporaryFolder } from './support/temporary-folder.ts';

/** The files of a store that is in use, as a crash would leave them; three steps lie in the write-ahead log. */
async function crashImage(): Promise<string> {
  const { store, handle } = await openTestJob({ idleCheckpointMs: 3_600_000 });
  await handle.commit([result(1)]);
  moveLogIntoFile(store.path);
  for (const step of [2, 3, 4]) await handle.commit([result(step)], { outbox: [{ kind: 'step', payload: { step } }] });
  const path = join(temporaryFolder(), 'store.db');
  for (const suffix of ['', '-wal', '-marks']) copyFileSync(store.path + suffix, path + suffix);
  return path;
}

function loadOf(store: Store): Promise<TestEntry[]> {
  return new CheckpointManager(new OfflineQueue({ store })).startJob<TestEntry>('job-456', 'w').load();
}

it('a job of which somebody else knows more is in doubt as a whole, and its outbox goes on behind what they know', async () => {
  const { store, handle } = await openTestJob();
  await handle.commit([result(1)], { outbox: [{ kind: 'step', payload: {} }] });
  const queue = new OfflineQueue({ store });
  const known = { leaseToken: '7', reason: 'the server has 9 events', outboxSeq: 9 };
  await queue.markStepsLost('job-456', known);
  await expect(queue.markStepsLost('job-456', known)).rejects.toMatchObject({ code: 'JOB_IN_DOUBT' });
  await expect(queue.markStepsLost('job-456', { ...known, outboxSeq: -1 })).rejects.toThrow('outboxSeq');
  await expect(handle.commit([result(2)])).rejects.toMatchObject({ code: 'JOB_IN_DOUBT' });
  await handle.commit([], { outbox: [{ kind: 'asked', payload: {} }] });
  expect((await store.outbox.peek()).map(({ seq }) => seq)).toEqual([1, 10]);
  expect(await store.incidents()).toMatchObject([{ kind: 'job-in-doubt', jobId: 'job-456', detail: known.reason }]);
  await store.close();

  const again = await openTestStore({ path: store.path });
  expect(again.opening.incidents).toEqual([]);
  const job = await new OfflineQueue({ store: again }).getJob('job-456');
  expect(job).toMatchObject({ inDoubtAsWhole: known.reason, outboxSeq: 10 });
});

describe('a write-ahead log that lost its end', () => {
  it.each([
    ['a flipped bit in its middle', (wal: string) => flip(wal, Math.floor(statSync(wal).size / 2))],
    ['its second half cut off', (wal: string) => truncateSync(wal, Math.floor(statSync(wal).size / 2))],
    ['all of it gone', (wal: string) => rmSync(wal)],
  ])('by %s leaves the job in doubt as a whole, not at an earlier step', async (_what, damage) => {
    const path = await crashImage();
    damage(`${path}-wal`);
    const store = await openTestStore({ path });
    const queue = new OfflineQueue({ store });
    expect(store.opening).toMatchObject({ setAside: null, marks: 'ok' });
    expect(store.opening.incidents).toMatchObject([{ kind: 'job-in-doubt', jobId: 'job-456', leaseToken: '7' }]);
    const [job] = await queue.getInProgressJobs();
    expect(job).toMatchObject({ id: 'job-456', status: 'in_doubt', inDoubt: [] });
    expect(job?.inDoubtAsWhole).toContain('the newest part of its record is lost');
    await expect(loadOf(store)).rejects.toMatchObject({ code: 'JOB_IN_DOUBT' });
    await expect(queue.getLatestCheckpoint('job-456')).rejects.toMatchObject({ code: 'JOB_IN_DOUBT' });
    await expect(
      queue.saveCheckpoint({ jobId: 'job-456', checkpointId: 'c', nodeId: 'n', state: {} }),
    ).rejects.toMatchObject({ code: 'JOB_IN_DOUBT' });
    expect((await queue.getJobHistory('job-456')).length).toBeGreaterThan(0);

    await store.close();
    const again = await openTestStore({ path });
    expect(again.opening.incidents).toEqual([]);
    expect(await again.incidents()).toHaveLength(1);
    const later = new OfflineQueue({ store: again });
    await expect(later.markInProgress('job-456')).rejects.toMatchObject({ code: 'JOB_IN_DOUBT' });
    await later.markCompleted('job-456', { success: false, outbox: [{ kind: 'complete', payload: {} }] });
    expect((await again.outbox.peek()).at(-1)).toMatchObject({ kind: 'complete', seq: 4 });
  });

  it('untouched, gives back every step', async () => {
    const store = await openTestStore({ path: await crashImage() });
    expect(store.opening).toEqual({ setAside: null, marks: 'ok', incidents: [] });
    expect((await loadOf(store)).map((entry) => entry.step)).toEqual([1, 2, 3, 4]);
    expect((await store.outbox.peek()).map(({ seq, payload }) => [seq, payload])).toEqual([
      [1, { step: 2 }],
      [2, { step: 3 }],
      [3, { step: 4 }],
    ]);
  });

  it('of a new store, damaged at its very beginning, takes no job along unsaid', async () => {
    const { store, handle } = await openTestJob({ idleCheckpointMs: 3_600_000 });
    await handle.commit([result(1)]);
    const path = join(temporaryFolder(), 'store.db');
    for (const suffix of ['', '-wal', '-marks']) copyFileSync(store.path + suffix, path + suffix);
    flip(`${path}-wal`, 100);
    const { opening } = await openTestStore({ path });
    expect(opening).toMatchObject({ setAside: null, marks: 'ok', incidents: [{ kind: 'job-lost', jobId: 'job-456' }] });
  });

  it('together with a whole job, is reported by the name in the mark', async () => {
    const store = await openTestStore({ idleCheckpointMs: 3_600_000 });
    const queue = new OfflineQueue({ store });
    await queue.cacheJob({ jobId: 'only-in-the-log', workflowJson: '{}', leaseToken: '9' });
    const path = join(temporaryFolder(), 'store.db');
    for (const suffix of ['', '-marks']) copyFileSync(store.path + suffix, path + suffix);
    const opened = await openTestStore({ path });
    expect(opened.opening.incidents).toMatchObject([
      { kind: 'job-lost', jobId: 'only-in-the-log', leaseToken: '9', detail: expect.stringContaining('under way') },
    ]);
    const reopened = new OfflineQueue({ store: opened });
    expect(await reopened.cacheJob({ jobId: 'another', workflowJson: '{}' })).toBe('new');
    await opened.close();
    expect((await openTestStore({ path })).opening.incidents).toEqual([]);
  });
});

describe('the file of marks', () => {
  it.each([
    ['is missing', (marks: string) => rmSync(marks), 'missing'],
    ['has a damaged head', (marks: string) => flip(marks, 20), 'damaged'],
    ['has a damaged mark', (marks: string) => flip(marks, 140), 'damaged'],
    ['is cut in the middle of a mark', (marks: string) => truncateSync(marks, 200), 'damaged'],
    ['is no such file', (marks: string) => writeFileSync(marks, 'something else'), 'damaged'],
  ] as const)('costs nothing but its protection when it %s', async (_what, damage, condition) => {
    const path = await crashImage();
    damage(`${path}-marks`);
    const store = await openTestStore({ path });
    expect(store.opening).toMatchObject({ setAside: null, marks: condition });
    const told = store.opening.incidents.map(({ kind, detail }) => [kind, detail.endsWith('there of: job-456')]);
    expect(told).toEqual([['marks-lost', true]]);
    expect(await loadOf(store)).toHaveLength(4);
    await store.close();
    expect((await openTestStore({ path })).opening).toMatchObject({ marks: 'ok', incidents: [] });
  });

  it('of another store is not believed', async () => {
    const { store, handle } = await openTestJob();
    await handle.commit([result(1)]);
    await store.close();
    const other = await openTestJob({ jobId: 'job-789' });
    for (let step = 1; step < 9; step += 1) await other.handle.commit([result(step)]);
    await other.store.close();
    copyFileSync(`${other.store.path}-marks`, `${store.path}-marks`);
    const reopened = await openTestStore({ path: store.path });
    expect(reopened.opening).toMatchObject({ setAside: null, marks: 'other-store' });
    expect(reopened.opening.incidents.map(({ kind, jobId }) => [kind, jobId])).toEqual([
      ['marks-lost', null],
      ['job-lost', 'job-789'],
    ]);
    expect((await reopened.stats()).isInPlace).toBe(true);
    renameSync(reopened.path, `${reopened.path}.moved`);
    expect((await reopened.stats()).isInPlace).toBe(false);
  });
});

describe('a file that is gone', () => {
  it('while its marks are there, is replaced by a new one, and its jobs are named', async () => {
    const path = await crashImage();
    truncateSync(path, 0);
    const store = await openTestStore({ path });
    expect(store.opening.incidents.map(({ kind, jobId }) => [kind, jobId])).toEqual([
      ['store-missing', null],
      ['job-lost', 'job-456'],
    ]);
    expect(statSync(`${store.opening.setAside}-wal`).size).toBeGreaterThan(0);
  });
});

function flip(path: string, at: number): void {
  const bytes = readFileSync(path);
  bytes[at] = (bytes[at] ?? 0) ^ 4;
  writeFileSync(path, bytes);
}
