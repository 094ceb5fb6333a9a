import { ManualClock } from '@casare/testing';
import { describe, expect, it } from 'vitest';
import { CheckpointManager, OfflineQueue } from '../src/index.ts';
import { openTestJob, openTestStore, result, type TestEntry, withDatabase } from './support/open-stores.ts';

function drafts(count: number, kind = 'event'): { kind: string; payload: { n: number } }[] {
  return Array.from({ length: count }, (_, index) => ({ kind, payload: { n: index + 1 } }));
}

describe('the outbox', () => {
  it('numbers the entries of each claim from 1 without gaps and hands them out oldest first', async () => {
    const store = await openTestStore();
    const queue = new OfflineQueue({ store });
    const checkpoints = new CheckpointManager(queue);
    await queue.cacheJob({ jobId: 'a', workflowJson: '{}', leaseToken: '1' });
    await queue.cacheJob({ jobId: 'b', workflowJson: '{}' });
    const a = checkpoints.startJob('a', 'a');
    const b = checkpoints.startJob('b', 'b');
    await Promise.all([
      a.commit([], { outbox: drafts(2) }),
      b.commit([], { outbox: drafts(1) }),
      a.commit([], { outbox: drafts(1) }),
    ]);
    const entries = await store.outbox.peek();
    expect(entries.map(({ jobId, leaseToken, seq }) => [jobId, leaseToken, seq])).toEqual([
      ['a', '1', 1],
      ['a', '1', 2],
      ['b', null, 1],
      ['a', '1', 3],
    ]);
    expect(await store.outbox.peek(2)).toEqual(entries.slice(0, 2));

    const ids = entries.map((entry) => entry.id);
    expect(await store.outbox.ack(ids)).toBe(4);
    expect(await store.outbox.ack(ids)).toBe(0);
    expect(await store.outbox.ack([])).toBe(0);
    await a.commit([], { outbox: drafts(1) });
    expect((await store.outbox.peek()).map((entry) => entry.seq)).toEqual([4]);
    expect(await store.outbox.stats()).toMatchObject({ pending: 1, acknowledged: 4, dropped: 0, dead: 0 });
  });

  it('hands out what is committed after the newest records were removed, now and after it was opened again', async () => {
    const clock = new ManualClock();
    let store = await openTestStore({ clock });
    const { path } = store;
    const run = async (jobId: string): Promise<void> => {
      const queue = new OfflineQueue({ store });
      await queue.cacheJob({ jobId, workflowJson: '{}', leaseToken: '1' });
      const handle = new CheckpointManager(queue).startJob<TestEntry>(jobId, jobId);
      for (let step = 1; step <= 3; step += 1) await handle.commit([result(step)], { outbox: drafts(1) });
      await queue.markCompleted(jobId, { success: true });
      const entries = await store.outbox.peek();
      expect([jobId, entries.filter((entry) => entry.jobId === jobId).length]).toEqual([jobId, 3]);
      await store.outbox.ack(entries.map(({ id }) => id));
      await queue.markSynced(jobId);
    };
    for (const [index, jobId] of ['a', 'b', 'c', 'd'].entries()) {
      await run(jobId);
      await clock.advance(8 * 86_400_000);
      expect((await store.cleanup()).jobs).toBe(1);
      if (index !== 1) continue;
      await store.close();
      store = await openTestStore({ clock, path });
    }
  });

  it('gives an entry up after five permanent answers, keeps it, and goes on with what follows', async () => {
    const clock = new ManualClock();
    const { store, handle } = await openTestJob({ clock });
    await handle.commit([], {
      outbox: [
        { kind: 'poison', payload: { p: 1 } },
        { kind: 'good', payload: {} },
      ],
    });
    const [poison] = await store.outbox.peek(1);
    const id = poison?.id ?? 0;
    for (let outage = 0; outage < 50; outage += 1) expect(await store.outbox.fail(id, 'no network')).toBe('kept');
    for (let answer = 1; answer < 5; answer += 1) {
      expect(await store.outbox.fail(id, 'refused', { permanent: true })).toBe('kept');
      expect((await store.outbox.peek())[0]).toMatchObject({ id, attempts: answer });
    }
    expect(await store.outbox.fail(id, 'refused for good', { permanent: true })).toBe('dead');
    expect(await store.outbox.fail(id, 'again', { permanent: true })).toBe('unknown');
    expect(await store.outbox.fail(id, 'again', { permanent: true, final: true })).toBe('unknown');
    expect((await store.outbox.peek()).map((entry) => entry.kind)).toEqual(['good']);
    expect(await store.outbox.deadLetters()).toEqual([
      {
        id,
        jobId: 'job-456',
        leaseToken: '7',
        seq: 1,
        kind: 'poison',
        payload: { p: 1 },
        recordedAtMs: clock.now(),
        attempts: 5,
        reason: 'refused for good',
        deadAtMs: clock.now(),
        disposition: 'dead',
      },
    ]);
    expect(await store.outbox.stats()).toMatchObject({ pending: 1, deadLetters: 1, dead: 1 });
  });

  it('leaves a job that waits after a failure behind the others, in its own order', async () => {
    const clock = new ManualClock();
    const { store, queue, checkpoints, handle } = await openTestJob({ clock });
    await queue.cacheJob({ jobId: 'other', workflowJson: '{}' });
    const other = checkpoints.startJob('other', 'w');
    await handle.commit([], { outbox: drafts(2, 'first') });
    await other.commit([], { outbox: drafts(1, 'second') });
    const [head] = await store.outbox.peek(1);
    await store.outbox.fail(head?.id ?? 0, 'busy', { retryAfterMs: 1_000 });
    expect((await store.outbox.peek()).map((entry) => entry.kind)).toEqual(['second']);
    await clock.advance(1_000);
    expect((await store.outbox.peek()).map(({ kind, seq }) => [kind, seq])).toEqual([
      ['first', 1],
      ['first', 2],
      ['second', 1],
    ]);
  });

  it('leaves what steps tell in the journal until somebody looks, and hands it out in the order of the commits', async () => {
    const first = await openTestJob();
    await first.handle.commit([result(1)], { outbox: drafts(2) });
    await first.handle.commit([], { outbox: drafts(1, 'without a step') });
    await first.handle.commit([result(2)], { outbox: drafts(1) });
    await first.store.close();
    const inOutbox = (): unknown =>
      withDatabase(first.store.path, (db) => db.prepare('SELECT count(*) FROM outbox').pluck().get());
    expect(inOutbox()).toBe(1);

    const store = await openTestStore({ path: first.store.path });
    const handle = new CheckpointManager(new OfflineQueue({ store })).startJob<TestEntry>('job-456', 'w');
    await handle.commit([], { outbox: drafts(1, 'last') });
    const entries = await store.outbox.peek();
    expect(entries.map(({ seq, kind }) => [seq, kind])).toEqual([
      [1, 'event'],
      [2, 'event'],
      [3, 'without a step'],
      [4, 'event'],
      [5, 'last'],
    ]);
    await store.outbox.ack(entries.slice(0, 4).map(({ id }) => id));
    await handle.commit([result(3)], { outbox: drafts(1) });
    await store.close();
    const again = await openTestStore({ path: first.store.path });
    expect((await again.outbox.peek()).map(({ seq }) => seq)).toEqual([5, 6]);
    expect(await again.outbox.stats()).toMatchObject({ pending: 2, acknowledged: 4 });
  });

  it('takes what old steps tell out of the journal before they are removed from it', async () => {
    const { store, handle } = await openTestJob({ keepJournalEntries: 10, synchronous: 'normal', writer: 'inline' });
    for (let step = 1; step <= 700; step += 1) {
      const snapshot = step % 100 === 0 ? [{ kind: 'snapshot', state: {} }] : [];
      await handle.commit([result(step), ...snapshot], { outbox: drafts(1) });
    }
    expect((await store.stats()).journalCompacted).toBeGreaterThan(0);
    expect((await store.outbox.peek(10)).map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect((await store.outbox.peek(1_000)).map(({ seq }) => seq)).toEqual(
      Array.from({ length: 700 }, (_, index) => index + 1),
    );
  });

  it('drops the oldest entries above its limit and counts them, but never an outcome', async () => {
    const { store, handle } = await openTestJob({ outbox: { maxEntries: 10 } });
    await handle.commit([], { outbox: [{ kind: 'kept', payload: 0, keep: true }] });
    for (let round = 0; round < 5; round += 1) await handle.commit([], { outbox: drafts(5) });
    const end = { kind: 'end', payload: { status: 'completed' } };
    await handle.commit([], { outbox: [end], status: { status: 'completed' } });
    const entries = await store.outbox.peek();
    expect(entries.length).toBeLessThanOrEqual(11);
    expect(entries[0]?.kind).toBe('kept');
    expect(entries.at(-1)).toMatchObject({ kind: 'end', seq: 27 });
    const { pending, dropped } = await store.outbox.stats();
    expect(pending + dropped).toBe(27);

    await store.close();
    expect(
      withDatabase(store.path, (db) =>
        db.prepare('SELECT value FROM counters WHERE name = ?').pluck().get('outbox_dropped'),
      ),
    ).toBe(dropped);
  });

  it('never drops an outcome, however many there are', async () => {
    const store = await openTestStore({ outbox: { maxEntries: 3 } });
    const queue = new OfflineQueue({ store });
    for (let job = 0; job < 10; job += 1) {
      await queue.cacheJob({ jobId: `job-${job}`, workflowJson: '{}' });
      await queue.markCompleted(`job-${job}`, { success: true, outbox: [{ kind: 'end', payload: job }] });
    }
    expect((await store.outbox.peek()).map((entry) => entry.payload)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect((await store.outbox.stats()).dropped).toBe(0);
  });

  it('brings dead letters back behind what waits, under the same number and with no attempt counted', async () => {
    const { store, handle } = await openTestJob({ outbox: { maxPermanentFailures: 1 } });
    await handle.commit([], { outbox: drafts(3) });
    const [first, second] = await store.outbox.peek();
    for (const entry of [first, second]) await store.outbox.fail(entry?.id ?? 0, 'refused', { permanent: true });
    const dead = await store.outbox.deadLetters();
    expect(dead.map(({ seq, disposition }) => [seq, disposition])).toEqual([
      [2, 'dead'],
      [1, 'dead'],
    ]);
    expect(await store.outbox.requeue([first?.id ?? 0, 999])).toBe(1);
    expect(await store.outbox.discard([second?.id ?? 0])).toBe(1);
    expect((await store.outbox.peek()).map(({ seq, attempts }) => [seq, attempts])).toEqual([
      [3, 0],
      [1, 0],
    ]);
    expect(await store.outbox.deadLetters()).toEqual([]);
    expect(await store.outbox.stats()).toMatchObject({ pending: 2, deadLetters: 0, dead: 2 });
  });

  it('says what waits of a kind, in pages and without payloads, however large the others are; not what is damaged', async () => {
    const { store, handle } = await openTestJob();
    for (let step = 1; step <= 4; step += 1) {
      await handle.commit([result(step)], {
        outbox: [
          { kind: 'large', payload: 'x'.repeat(100_000) },
          { kind: 'end', payload: { step } },
        ],
      });
    }
    const first = await store.outbox.waiting('end', { limit: 2 });
    expect(first.map(({ seq }) => seq)).toEqual([2, 4]);
    expect(Object.keys(first[0] ?? {})).toEqual([
      'id',
      'jobId',
      'leaseToken',
      'seq',
      'kind',
      'recordedAtMs',
      'attempts',
    ]);
    const [poison] = await store.outbox.waiting('end', { afterId: first.at(-1)?.id ?? 0, limit: 1 });
    expect(poison).toMatchObject({ jobId: 'job-456', leaseToken: '7', seq: 6, kind: 'end' });
    await store.outbox.fail(first[0]?.id ?? 0, 'busy', { retryAfterMs: 60_000 });
    withDatabase(store.path, (db) => db.prepare('UPDATE outbox SET crc = crc + 1 WHERE id = ?').run(poison?.id));
    expect((await store.outbox.waiting('end')).map(({ seq }) => seq)).toEqual([2, 4, 8]);
    expect(await store.outbox.waiting('other')).toEqual([]);
    await expect(store.outbox.waiting('end', { limit: 0 })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  it('gives no dead letter the number of one that is gone, also after it was opened again', async () => {
    let store = await openTestStore({ outbox: { maxPermanentFailures: 1 } });
    const { path } = store;
    const queue = new OfflineQueue({ store });
    await queue.cacheJob({ jobId: 'a', workflowJson: '{}' });
    const numbers: number[] = [];
    for (let round = 0; round < 3; round += 1) {
      const handle = new CheckpointManager(new OfflineQueue({ store })).startJob('a', 'a');
      await handle.commit([], { outbox: drafts(1) });
      const [entry] = await store.outbox.peek();
      await store.outbox.fail(entry?.id ?? 0, 'refused', { permanent: true });
      numbers.push(...(await store.outbox.deadLetters()).map(({ id }) => id));
      expect(await store.outbox.discard(numbers)).toBe(1);
      await store.close();
      store = await openTestStore({ path, outbox: { maxPermanentFailures: 1 } });
    }
    expect(new Set(numbers).size).toBe(3);
  });

  it('keeps results that the server took as superseded, as evidence', async () => {
    const { store, handle } = await openTestJob();
    await handle.commit([], { outbox: drafts(2) });
    const [first] = await store.outbox.peek();
    expect(await store.outbox.supersede([first?.id ?? 0], 'the job has passed to lease 9')).toBe(1);
    expect(await store.outbox.deadLetters()).toEqual([]);
    expect(await store.outbox.deadLetters({ dispositions: ['superseded'] })).toMatchObject([
      { seq: 1, disposition: 'superseded', reason: 'the job has passed to lease 9' },
    ]);
    expect(await store.outbox.stats()).toMatchObject({ pending: 1, superseded: 1, deadLetters: 0 });
  });
});
