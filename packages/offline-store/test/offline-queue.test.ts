import { ManualClock } from '@casare/testing';
import { describe, expect, it } from 'vitest';
import { OfflineQueue } from '../src/index.ts';
import { openTestJob, openTestStore } from './support/open-stores.ts';

async function openQueue(clock = new ManualClock()): Promise<OfflineQueue> {
  return new OfflineQueue({ store: await openTestStore({ clock }), robotId: 'robot-9' });
}

describe('the offline queue', () => {
  it('takes a job from caching to synced, and keeps all that a resume needs', async () => {
    const clock = new ManualClock();
    const queue = await openQueue(clock);
    const workflowJson = '{"nodes":  {"b":1,"a":[1.0, "ä"]}}\n';
    const facts = {
      jobId: 'job-456',
      workflowJson,
      originalStatus: 'pending',
      leaseToken: '9007199254740993',
      name: 'Invoices',
      variables: { x: 1, list: [null, true, 'é'] },
      lease: { bootId: 'boot-1', sentAtMs: 1_234, durationMs: 300_000 },
      onLost: 'restart',
      inDoubtPolicy: 'ask',
      timeoutMs: 60_000,
    } as const;
    expect(await queue.cacheJob(facts)).toBe('new');
    expect((await queue.getCachedJobs()).map((job) => job.id)).toEqual(['job-456']);
    expect(await queue.getInProgressJobs()).toEqual([]);

    await clock.advance(1_000);
    await queue.markInProgress('job-456');
    await queue.markInProgress('job-456');
    const { jobId, ...kept } = facts;
    expect(await queue.getInProgressJobs()).toEqual([
      {
        ...kept,
        id: jobId,
        robotId: 'robot-9',
        status: 'in_progress',
        inDoubt: [],
        inDoubtAsWhole: null,
        result: null,
        error: null,
        cachedAtMs: Date.UTC(2026, 0, 1),
        startedAtMs: Date.UTC(2026, 0, 1, 0, 0, 1),
        endedAtMs: null,
        syncedAtMs: null,
        journalSeq: 0,
        outboxSeq: 0,
      },
    ]);

    await clock.advance(1_000);
    await queue.markCompleted('job-456', { success: true, result: { status: 'done' } });
    const [ended] = await queue.getJobsToSync();
    expect(ended).toMatchObject({
      id: 'job-456',
      workflowJson,
      status: 'completed',
      result: { status: 'done' },
      endedAtMs: Date.UTC(2026, 0, 1, 0, 0, 2),
    });
    expect((await queue.getStats()).toSync).toBe(1);
    await queue.markSynced('job-456');
    await queue.markSynced('job-456');
    expect(await queue.getJobsToSync()).toEqual([]);
    expect((await queue.getJob('job-456')).syncedAtMs).toBe(Date.UTC(2026, 0, 1, 0, 0, 2));
    expect(await queue.getStats()).toMatchObject({
      robotId: 'robot-9',
      toSync: 0,
      jobs: { completed: 1, in_progress: 0 },
    });
  });

  it('lets the first end of a job stand', async () => {
    const queue = await openQueue();
    await queue.cacheJob({ jobId: 'j', workflowJson: '{}' });
    await queue.markCompleted('j', { success: false, error: { code: 'X', message: 'm' } });
    await queue.markCompleted('j', { success: false, error: { message: 'm', code: 'X' } });
    for (const other of [
      { success: true },
      { success: false, error: { code: 'Y' } },
      { success: false, status: 'cancelled', error: { code: 'X', message: 'm' } },
    ] as const) {
      await expect(queue.markCompleted('j', other)).rejects.toMatchObject({
        code: 'JOB_FINAL',
        message: 'Job j ended as failed; that is final.',
      });
    }
    await expect(queue.markInProgress('j')).rejects.toMatchObject({ code: 'JOB_FINAL' });
    await expect(queue.markReleased('j')).rejects.toMatchObject({ code: 'JOB_FINAL' });
    expect(await queue.getJob('j')).toMatchObject({ status: 'failed', error: { code: 'X', message: 'm' } });
  });

  it('names an unknown job in every call', async () => {
    const queue = await openQueue();
    const calls: (() => Promise<unknown>)[] = [
      () => queue.markInProgress('job-0'),
      () => queue.markCompleted('job-0', { success: true }),
      () => queue.markReleased('job-0'),
      () => queue.markSynced('job-0'),
      () => queue.saveCheckpoint({ jobId: 'job-0', checkpointId: 'c', nodeId: 'n', state: {} }),
      () => queue.getLatestCheckpoint('job-0'),
      () => queue.getJob('job-0'),
      () => queue.getJobHistory('job-0'),
      () => queue.renewLease('job-0', '1', { bootId: 'b', sentAtMs: 0, durationMs: 1 }),
    ];
    for (const call of calls) {
      await expect(call(), String(call)).rejects.toMatchObject({
        code: 'UNKNOWN_JOB',
        message: expect.stringContaining('job-0'),
      });
    }
  });

  it('refuses what it cannot keep, and keeps nothing of it', async () => {
    const queue = await openQueue();
    const base = { jobId: 'j', workflowJson: '{}' };
    const cyclic: Record<string, unknown> = {};
    cyclic.self = cyclic;
    const bad: [unknown, string][] = [
      [{ ...base, jobId: '' }, 'INVALID_ARGUMENT'],
      [{ ...base, workflowJson: { nodes: {} } }, 'INVALID_ARGUMENT'],
      [{ ...base, variables: [1] }, 'INVALID_ARGUMENT'],
      [{ ...base, leaseToken: 'abc' }, 'INVALID_ARGUMENT'],
      [{ ...base, leaseToken: 7 }, 'INVALID_ARGUMENT'],
      [undefined, 'INVALID_ARGUMENT'],
      [{ ...base, jobId: '\ud800' }, 'INVALID_ARGUMENT'],
      [{ ...base, name: {} }, 'INVALID_ARGUMENT'],
      [{ ...base, onLost: 'bogus' }, 'INVALID_ARGUMENT'],
      [{ ...base, inDoubtPolicy: 'bogus' }, 'INVALID_ARGUMENT'],
      [{ ...base, timeoutMs: Number.NaN }, 'INVALID_ARGUMENT'],
      [{ ...base, lease: { bootId: 'b' } }, 'INVALID_ARGUMENT'],
      [{ ...base, variables: { a: { b: [1, () => 1] } } }, 'NOT_SERIALIZABLE'],
      [{ ...base, variables: cyclic }, 'NOT_SERIALIZABLE'],
    ];
    for (const [options, code] of bad) {
      await expect(queue.cacheJob(options as never), JSON.stringify(code)).rejects.toMatchObject({ code });
    }
    expect(await queue.getCachedJobs()).toEqual([]);
    await queue.cacheJob(base);
    await expect(queue.markCompleted('j', { success: true, result: Number.NaN })).rejects.toMatchObject({
      code: 'NOT_SERIALIZABLE',
    });
    await expect(queue.markCompleted('j', { success: true, status: 'failed' })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
    await expect(queue.markSynced('j')).rejects.toMatchObject({ code: 'JOB_NOT_FINAL' });
    await expect(queue.cleanup({ endedForMs: '7d' } as never)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(queue.markCompleted('j', undefined as never)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(queue.getJobsToSync(0)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect((await queue.getJob('j')).status).toBe('cached');
  });

  it('opens and closes a file of its own when given a path', async () => {
    const store = await openTestStore();
    await store.close();
    const queue = new OfflineQueue({ dbPath: store.path, robotId: 'robot-123' });
    await queue.cacheJob({ jobId: 'j', workflowJson: '{}' });
    await queue.close();
    await expect(queue.getCachedJobs()).rejects.toMatchObject({ code: 'STORE_CLOSED' });
    await using again = new OfflineQueue({ dbPath: store.path, robotId: 'robot-123' });
    expect((await again.getCachedJobs()).map((job) => job.id)).toEqual(['j']);
  });

  it('leaves a store that it was given open', async () => {
    const store = await openTestStore();
    await new OfflineQueue({ store }).close();
    expect(store.isOpen).toBe(true);
  });
});

describe('a job that is claimed again', () => {
  const job = { jobId: 'j', workflowJson: '{}' };

  it('under the same token changes nothing', async () => {
    const queue = await openQueue();
    await queue.cacheJob({ ...job, leaseToken: '7', name: 'first' });
    await queue.markInProgress('j');
    expect(await queue.cacheJob({ ...job, leaseToken: '7', name: 'again' })).toBe('known');
    expect(await queue.getJob('j')).toMatchObject({ status: 'in_progress', name: 'first' });
    await expect(queue.cacheJob({ ...job, leaseToken: '7', workflowJson: '[]' })).rejects.toMatchObject({
      code: 'JOB_CONFLICT',
    });
  });

  it('under a newer token starts afresh and fences the older claim off', async () => {
    const { queue, checkpoints, handle, store } = await openTestJob({ jobId: 'j', leaseToken: '9' });
    await handle.commit([{ kind: 'result', node_id: 'n' }], { outbox: [{ kind: 'old', payload: 1 }] });
    expect(await queue.cacheJob({ jobId: 'j', workflowJson: '{"v":2}', leaseToken: '10' })).toBe('new-claim');

    await expect(handle.commit([{ kind: 'result', node_id: 'm' }])).rejects.toMatchObject({
      code: 'STALE_LEASE',
      message: 'Job j was claimed again under lease 10; this is the older claim.',
    });
    await expect(handle.saveCheckpoint({ nodeId: 'm', context: {} })).rejects.toMatchObject({ code: 'STALE_LEASE' });
    handle.endJob();
    expect(() => checkpoints.startJob('j', 'w', { leaseToken: '9' })).toThrow(
      expect.objectContaining({ code: 'STALE_LEASE' }),
    );
    expect(() => checkpoints.startJob('j', 'w', { leaseToken: '8' })).toThrow(
      expect.objectContaining({ code: 'STALE_LEASE' }),
    );

    const fresh = checkpoints.startJob('j', 'w', { leaseToken: '10' });
    expect(await fresh.load()).toEqual([]);
    await fresh.commit([{ kind: 'result', node_id: 'n' }], { outbox: [{ kind: 'new', payload: 2 }] });
    expect((await store.outbox.peek()).map(({ leaseToken, seq, kind }) => [leaseToken, seq, kind])).toEqual([
      ['9', 1, 'old'],
      ['10', 1, 'new'],
    ]);
    expect(await queue.getStats()).toMatchObject({ jobs: { released: 1, in_progress: 1 } });
  });

  it('keeps the end of the older claim for the sync', async () => {
    const queue = await openQueue();
    await queue.cacheJob({ ...job, leaseToken: '1' });
    await queue.markCompleted('j', { success: false, error: 'first' });
    expect(await queue.cacheJob({ ...job, leaseToken: '2' })).toBe('new-claim');
    expect(await queue.getJobsToSync()).toMatchObject([{ id: 'j', leaseToken: '1', status: 'failed' }]);
    await queue.markCompleted('j', { success: true });
    expect((await queue.getJobsToSync()).map((record) => record.leaseToken)).toEqual(['1', '2']);
    await queue.markSynced('j', { leaseToken: '1' });
    expect((await queue.getJobsToSync()).map((record) => record.leaseToken)).toEqual(['2']);
  });

  it('under an older token, or without one, is refused', async () => {
    const queue = await openQueue();
    await queue.cacheJob(job);
    expect(await queue.cacheJob(job)).toBe('known');
    expect(await queue.cacheJob({ ...job, leaseToken: '99' })).toBe('new-claim');
    expect(await queue.cacheJob({ ...job, leaseToken: '100' })).toBe('new-claim');
    await expect(queue.cacheJob({ ...job, leaseToken: '99' })).rejects.toMatchObject({ code: 'STALE_LEASE' });
    await expect(queue.cacheJob(job)).rejects.toMatchObject({ code: 'JOB_CONFLICT' });
  });

  it('notes renewals of its lease for the time after a restart', async () => {
    const queue = await openQueue();
    const lease = { bootId: 'b', sentAtMs: 1, durationMs: 300_000 };
    await queue.cacheJob({ ...job, leaseToken: '1', lease });
    await queue.renewLease('j', '1', { ...lease, sentAtMs: 500 });
    expect((await queue.getJob('j')).lease).toEqual({ ...lease, sentAtMs: 500 });
    await expect(queue.renewLease('j', '2', lease)).rejects.toMatchObject({ code: 'STALE_LEASE' });
    await queue.markReleased('j', { reason: 'shutdown' });
    await expect(queue.renewLease('j', '1', lease)).rejects.toMatchObject({ code: 'JOB_FINAL' });
  });
});
