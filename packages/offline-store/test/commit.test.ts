import Database from 'better-sqlite3';
import { describe, expect, it, onTestFinished } from 'vitest';
import { CheckpointManager, OfflineQueue } from '../src/index.ts';
import { SqliteStore } from '../src/sqlite-store.ts';
import { openTestJob, openTestStore, result, type TestEntry, withDatabase } from './support/open-stores.ts';

describe('a commit', () => {
  it('records entries, outbox and status together and gives them back as they were', async () => {
    const { store, queue, handle } = await openTestJob();
    const entries: TestEntry[] = [
      { kind: 'began', variables: { a: 1 } },
      { kind: 'result', node_id: 'n1', step: 1, outputs: { deep: { list: [1, 'ü', null, { x: false }] } } },
    ];
    await handle.commit(entries, { outbox: [{ kind: 'node', payload: { n: 1 } }] });
    expect(await handle.load()).toEqual(entries);
    expect((await queue.getInProgressJobs()).map((job) => job.id)).toEqual(['job-456']);

    await handle.commit([{ kind: 'in_doubt', node_id: 'n2' }], {
      status: { status: 'in_doubt', nodes: [{ node_id: 'n2', reason: 'interrupted' }] },
      outbox: [{ kind: 'doubt', payload: null }],
    });
    expect(await queue.getInProgressJobs()).toMatchObject([
      { status: 'in_doubt', inDoubt: [{ node_id: 'n2', reason: 'interrupted' }] },
    ]);
    await handle.commit([result(2)], { status: { status: 'in_progress' } });
    expect(await queue.getInProgressJobs()).toMatchObject([{ status: 'in_progress', inDoubt: [] }]);

    const end = { status: 'completed', result: { total: 3 } } as const;
    await handle.commit([{ kind: 'outcome' }], { status: end, outbox: [{ kind: 'end', payload: {} }] });
    expect(await queue.getJobsToSync()).toMatchObject([{ status: 'completed', result: { total: 3 }, journalSeq: 5 }]);
    expect((await store.outbox.peek()).map(({ seq, kind }) => [seq, kind])).toEqual([
      [1, 'node'],
      [2, 'doubt'],
      [3, 'end'],
    ]);
  });

  it.each(['thread', 'inline'] as const)(
    'writes what it was given, not what its caller makes of that meanwhile (%s)',
    async (writer) => {
      const { queue, handle } = await openTestJob({ writer });
      const nodes = [{ node_id: 'n1', reason: 'cut off' }];
      const doubted = handle.commit([], { status: { status: 'in_doubt', nodes } });
      nodes.length = 0;
      const result: Record<string, unknown> = { total: 3 };
      const ended = handle.commit([], { status: { status: 'completed', result } });
      result.total = 4n;
      const variables: Record<string, unknown> = { list: [1] };
      const lease = { bootId: 'b', sentAtMs: 1, durationMs: 2 };
      const cached = queue.cacheJob({ jobId: 'job-2', workflowJson: '{}', leaseToken: '1', variables, lease });
      variables.list = () => 1;
      lease.bootId = 'other';
      const error: Record<string, unknown> = { code: 'X' };
      const failed = queue.markCompleted('job-2', { success: false, error: error as never });
      error.code = 4n;
      await Promise.all([doubted, ended, cached, failed]);
      expect(await queue.getJob('job-456')).toMatchObject({ status: 'completed', result: { total: 3 } });
      expect(await queue.getJob('job-2')).toMatchObject({
        variables: { list: [1] },
        lease: { bootId: 'b' },
        error: { code: 'X' },
      });
    },
  );

  it('refuses names that the file would give back otherwise', async () => {
    const { queue, handle } = await openTestJob();
    const half = 'n\ud800';
    const refused = [
      handle.commit([{ kind: 'result', node_id: half }]),
      handle.commit([result(1)], { outbox: [{ kind: half, payload: 1 }] }),
      handle.saveCheckpoint({ nodeId: half, context: {} }),
    ];
    for (const refusal of refused) await expect(refusal).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(await queue.getJobHistory('job-456')).toEqual([]);
  });

  it('is not held up by another write that cannot be sent to the thread', async () => {
    const { store, handle } = await openTestJob();
    const unsendable = SqliteStore.of(store).write({ op: 'outbox-remove', ids: [(() => 1) as never] });
    await Promise.all([
      expect(unsendable).rejects.toMatchObject({ code: 'NOT_SERIALIZABLE' }),
      handle.commit([result(1)]),
      handle.commit([result(2)]),
    ]);
    expect(await handle.load()).toHaveLength(2);
  });

  it('after the end of the job is refused; saying the same end again is fine', async () => {
    const { queue, handle } = await openTestJob();
    const end = { status: 'failed', error: { code: 'X' } } as const;
    await handle.commit([{ kind: 'outcome' }], { status: end });
    await handle.commit([], { status: end });
    await expect(handle.commit([result(1)])).rejects.toMatchObject({ code: 'JOB_FINAL' });
    await expect(handle.commit([], { outbox: [{ kind: 'late', payload: 1 }] })).rejects.toMatchObject({
      code: 'JOB_FINAL',
    });
    await expect(handle.commit([], { status: { status: 'completed' } })).rejects.toMatchObject({ code: 'JOB_FINAL' });
    expect(await queue.getJob('job-456')).toMatchObject({ status: 'failed', journalSeq: 1 });
  });

  it.each([
    ['a function', { kind: 'result', outputs: { f: () => 1 } }, '$.outputs.f", a function has no JSON form'],
    [
      'a number without JSON form',
      { kind: 'result', outputs: { list: [1, Number.POSITIVE_INFINITY] } },
      '$.outputs.list[1]", Infinity',
    ],
    ['a bigint', { kind: 'result', outputs: { n: 1n } }, '$.outputs.n", a bigint'],
    ['a date', { kind: 'result', outputs: { at: new Date(0) } }, '$.outputs.at", an instance of Date'],
    ['a hole in a list', { kind: 'result', outputs: { list: [undefined] } }, '$.outputs.list[0]", undefined'],
  ])('with %s is refused before anything is written', async (_name, bad, message) => {
    const { store, queue, handle } = await openTestJob();
    await expect(
      handle.commit([result(1), bad as TestEntry], { outbox: [{ kind: 'node', payload: 1 }] }),
    ).rejects.toMatchObject({
      code: 'NOT_SERIALIZABLE',
      message: expect.stringContaining(message),
    });
    expect(await handle.load()).toEqual([]);
    expect(await store.outbox.peek()).toEqual([]);
    expect((await queue.getJob('job-456')).status).toBe('cached');
  });

  it('refuses entries that are none, and a doubt about nothing', async () => {
    const { handle } = await openTestJob();
    const refused = { code: 'INVALID_ARGUMENT' };
    for (const entry of ['text', null, {}, { kind: 1 }, { kind: 'result', node_id: 1 }, { kind: 'checkpoint_delta' }]) {
      await expect(handle.commit([entry as never]), JSON.stringify(entry)).rejects.toMatchObject(refused);
    }
    await expect(handle.commit([], { outbox: [{ kind: '', payload: 1 }] })).rejects.toMatchObject(refused);
    await expect(handle.commit([], { status: { status: 'in_doubt', nodes: [] } })).rejects.toMatchObject(refused);
    expect(await handle.load()).toEqual([]);
  });

  it('keeps the value of the moment, whatever happens to the object afterwards', async () => {
    const { handle } = await openTestJob();
    const outputs = { list: [1] };
    const done = handle.commit([{ kind: 'result', node_id: 'n', outputs }]);
    outputs.list.push(2);
    await done;
    expect(await handle.load()).toEqual([{ kind: 'result', node_id: 'n', outputs: { list: [1] } }]);
  });
});

describe('concurrent commits', () => {
  it('of one turn share one transaction', async () => {
    const store = await openTestStore();
    const queue = new OfflineQueue({ store });
    const checkpoints = new CheckpointManager(queue);
    const handles = await Promise.all(
      Array.from({ length: 8 }, async (_, index) => {
        await queue.cacheJob({ jobId: `job-${index}`, workflowJson: '{}' });
        return checkpoints.startJob<TestEntry>(`job-${index}`, 'w');
      }),
    );
    const before = await store.stats();
    await Promise.all(handles.flatMap((handle) => [handle.commit([result(1)]), handle.commit([result(2)])]));
    const after = await store.stats();
    expect(after.commits - before.commits).toBe(16);
    expect(after.transactions - before.transactions).toBe(1);
    for (const handle of handles) expect((await handle.load()).map((entry) => entry.step)).toEqual([1, 2]);
  });

  it('are seen by another connection once they have resolved', async () => {
    const { store, handle } = await openTestJob();
    const count = (): unknown =>
      withDatabase(store.path, (db) => db.prepare('SELECT count(*) FROM journal').pluck().get());
    const commit = handle.commit([result(1)]);
    expect(count()).toBe(0);
    await commit;
    expect(count()).toBe(1);
  });

  it('that are refused do not take the others of their turn along', async () => {
    const { queue, checkpoints, handle } = await openTestJob();
    await queue.cacheJob({ jobId: 'ended', workflowJson: '{}' });
    await queue.markCompleted('ended', { success: true });
    const ended = checkpoints.startJob<TestEntry>('ended', 'w');
    const outcomes = await Promise.allSettled([
      handle.commit([result(1)]),
      ended.commit([result(1)]),
      handle.commit([result(2)]),
    ]);
    expect(outcomes.map((outcome) => outcome.status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect((await handle.load()).map((entry) => entry.step)).toEqual([1, 2]);
  });

  it('wait while another connection has the file locked, and hold up nobody else', async () => {
    const { store, handle } = await openTestJob({ busyTimeoutMs: 0 });
    const other = new Database(store.path);
    onTestFinished(() => void other.close());
    other.exec('BEGIN IMMEDIATE');
    let done = false;
    const patient = handle.commit([result(1)]).then(() => {
      done = true;
    });
    expect(await handle.load()).toEqual([]);
    expect(done).toBe(false);
    other.exec('ROLLBACK');
    await patient;
    expect(await handle.load()).toHaveLength(1);
  });
});
