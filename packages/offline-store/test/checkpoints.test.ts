import { describe, expect, it } from 'vitest';
import { CheckpointManager, OfflineQueue, openStore } from '../src/index.ts';
import { type StateRow, toPosition, toStateRow } from '../src/jobs/job-rows.ts';
import { openTestJob, openTestStore, result, type TestEntry, withDatabase } from './support/open-stores.ts';

describe('checkpoints', () => {
  it('follow a job node by node and bring it back after a restart', async () => {
    const { store, queue, checkpoints, handle } = await openTestJob();
    expect(handle.isNodeExecuted('node-1')).toBe(false);
    await handle.saveCheckpoint({
      nodeId: 'node-1',
      context: { variables: { x: 1, big: 'b' }, outputs: { 'node-1': { a: 1 } } },
    });
    await handle.saveCheckpoint({
      nodeId: 'node-2',
      context: { variables: { x: 2, big: 'b' }, outputs: {}, frames: ['loop'] },
    });
    expect(handle.isNodeExecuted('node-1')).toBe(true);
    expect(handle.isNodeExecuted('node-3')).toBe(false);
    expect(handle.getExecutedNodes()).toEqual(['node-1', 'node-2']);
    expect(await checkpoints.getCheckpoint('job-456')).toEqual(await handle.getCheckpoint());
    await store.close();

    const reopened = await openTestStore({ path: store.path });
    const queueAfter = new OfflineQueue({ store: reopened });
    const [job] = await queueAfter.getInProgressJobs();
    expect(job?.id).toBe('job-456');
    const resumed = new CheckpointManager(queueAfter).startJob('job-456', 'A workflow');
    expect(() => resumed.isNodeExecuted('node-1')).toThrow(expect.objectContaining({ code: 'NOT_LOADED' }));
    const checkpoint = await resumed.getCheckpoint();
    expect(checkpoint).toMatchObject({
      jobId: 'job-456',
      checkpointId: 'cp-2',
      nodeId: 'node-2',
      state: { variables: { x: 2, big: 'b' }, outputs: {}, frames: ['loop'] },
    });
    const context = { variables: new Map<string, unknown>(), outputs: { stale: 1 }, other: 'stays' };
    if (checkpoint !== null) await resumed.restoreFromCheckpoint(checkpoint, context);
    expect(Object.fromEntries(context.variables)).toEqual({ x: 2, big: 'b' });
    expect(context).toMatchObject({ outputs: {}, frames: ['loop'], other: 'stays' });
    expect(resumed.getExecutedNodes()).toEqual(['node-1', 'node-2']);
    expect(queue.store.isOpen).toBe(false);
  });

  it('count the result entries of an engine, and fold them into the latest checkpoint', async () => {
    const { queue, handle } = await openTestJob();
    expect(await handle.getCheckpoint()).toBeNull();
    await handle.commit([{ kind: 'began', variables: { start: 0, last: 0 } }]);
    expect(await handle.getCheckpoint()).toBeNull();
    await handle.commit([result(1), { kind: 'intent', node_id: 'node-2' }]);
    await handle.commit([result(2), { kind: 'intent', node_id: 'node-3' }]);
    expect(handle.getExecutedNodes()).toEqual(['node-1', 'node-2']);
    expect(handle.isNodeExecuted('node-3')).toBe(false);
    expect(await queue.getLatestCheckpoint('job-456')).toMatchObject({
      nodeId: 'node-2',
      state: { variables: { start: 0, last: 2 }, outputs: { 'node-1': { step: 1 }, 'node-2': { step: 2 } } },
    });
  });

  it('and results of an engine may be mixed: the latest of them counts, in full', async () => {
    const { queue, handle } = await openTestJob();
    await handle.saveCheckpoint({ nodeId: 'a', context: { variables: { x: 1 } } });
    await handle.commit([{ kind: 'result', node_id: 'b', variables: { y: 2 } }]);
    expect((await queue.getLatestCheckpoint('job-456'))?.state).toEqual({
      variables: { x: 1, y: 2 },
      outputs: { b: {} },
    });
    await handle.saveCheckpoint({ nodeId: 'c', context: { variables: { x: 1 } } });
    const latest = await queue.getLatestCheckpoint('job-456');
    expect(latest?.nodeId).toBe('c');
    expect(latest?.state).toEqual({ variables: { x: 1 } });
    expect((await handle.load()).map((entry) => entry.node_id)).toEqual(['b']);
  });

  it('start from the snapshot of an engine when nothing before it is kept', async () => {
    const { queue, handle } = await openTestJob({ maxBytes: 1 << 20 });
    await handle.commit([{ kind: 'result', node_id: 'early', iteration: ['loop', 1] }] as never);
    await handle.commit([
      { kind: 'result', node_id: 'big', iteration: ['loop', 2], text: 'x'.repeat(70_000) },
    ] as never);
    const state = { variables: [['total', 3]], outputs: [] };
    await handle.commit([{ kind: 'snapshot', state }] as unknown as TestEntry[]);
    expect(await queue.getLatestCheckpoint('job-456')).toMatchObject({
      nodeId: 'big',
      state: { variables: { total: 3 } },
    });
    expect(await queue.getJobHistory('job-456')).toHaveLength(2);

    withDatabase(queue.store.path, (db) => {
      const last = db.prepare('SELECT max(last_seq) FROM journal').pluck().get() as number;
      for (const table of ['journal', 'journal_index']) db.prepare(`DELETE FROM ${table} WHERE last_seq < ?`).run(last);
      const row = db.prepare('SELECT * FROM job_states').get() as StateRow;
      const moved = toStateRow({ ...toPosition(row, 'job-456'), firstSeq: last });
      db.prepare('UPDATE job_states SET first_seq = ?, crc = ?').run(moved.first_seq, moved.crc);
    });
    expect(await queue.getLatestCheckpoint('job-456')).toMatchObject({
      nodeId: 'big',
      state: { variables: { total: 3 } },
    });
  });

  it('and commits that are asked for together are written in that order, by a handle that was resumed too', async () => {
    const { queue, checkpoints, handle } = await openTestJob();
    await handle.commit([result(1)]);
    handle.endJob();
    const resumed = checkpoints.startJob<TestEntry>('job-456', 'A workflow');
    await Promise.all([
      resumed.saveCheckpoint({ nodeId: 'late', context: { variables: { x: 1 } } }),
      resumed.commit([result(2)]),
      resumed.commit([], { status: { status: 'completed' } }),
    ]);
    const history = await queue.getJobHistory('job-456');
    expect(history.map(({ nodeId }) => nodeId)).toEqual(['node-1', 'late', 'node-2']);
    expect(resumed.getExecutedNodes()).toEqual(['node-1', 'late', 'node-2']);
  });

  it('of turns count as they were handed over, whatever becomes of the list', async () => {
    const { handle } = await openTestJob();
    const turn: [string, number] = ['loop', 0];
    await handle.saveCheckpoint({ nodeId: 'saved', context: {}, iteration: turn });
    const committed = handle.commit([{ kind: 'result', node_id: 'committed', iteration: turn }] as never);
    turn[1] = 1;
    await committed;
    expect(handle.getExecutedNodes(turn)).toEqual([]);
    expect(handle.getExecutedNodes(['loop', 0])).toEqual(['saved', 'committed']);
  });

  it('of the queue carry the id they were given', async () => {
    const { queue } = await openTestJob();
    await queue.saveCheckpoint({
      jobId: 'job-456',
      checkpointId: 'cp-1',
      nodeId: 'node-3',
      state: { variables: { x: 1 } },
    });
    expect(await queue.getLatestCheckpoint('job-456')).toMatchObject({
      checkpointId: 'cp-1',
      nodeId: 'node-3',
      state: { variables: { x: 1 } },
    });
    await expect(
      queue.saveCheckpoint({
        jobId: 'job-456',
        checkpointId: 'cp-2',
        nodeId: 'n',
        state: { page: new Map() } as never,
      }),
    ).rejects.toMatchObject({
      code: 'NOT_SERIALIZABLE',
      message: expect.stringContaining('"$.page", an instance of Map'),
    });
    for (const bad of [{ nodeId: '' }, { nodeId: 7 }, { state: [1] }]) {
      const options = { jobId: 'job-456', checkpointId: 'cp-3', nodeId: 'n', state: {}, ...bad };
      await expect(queue.saveCheckpoint(options as never)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    }
    expect(await queue.getJobHistory('job-456')).toHaveLength(1);
  });

  it('cost what changed, not what there is (I10)', async () => {
    const { queue, handle } = await openTestJob();
    const big = 'x'.repeat(500_000);
    for (let step = 1; step <= 200; step += 1) {
      await handle.saveCheckpoint({ nodeId: `n${step}`, context: { variables: { big, step }, outputs: {} } });
    }
    const history = await queue.getJobHistory('job-456');
    const bytes = history.map((row) => JSON.stringify(row.entry).length);
    expect(bytes.filter((size) => size > 1_000)).toHaveLength(1);
    expect((await queue.getLatestCheckpoint('job-456'))?.state).toEqual({ variables: { big, step: 200 }, outputs: {} });
  });

  it('write a new snapshot once the changes outweigh the last one, so reading stays short', async () => {
    const { queue, handle } = await openTestJob();
    for (let step = 1; step <= 40; step += 1) {
      await handle.saveCheckpoint({
        nodeId: 'n',
        context: { variables: { step, text: `${step}`.padEnd(10_000, '.') } },
      });
    }
    const kinds = (await queue.getJobHistory('job-456')).map((row) => row.kind);
    expect(kinds.filter((kind) => kind === 'checkpoint_snapshot').length).toBeGreaterThan(2);
    expect(kinds.filter((kind) => kind === 'checkpoint_delta').length).toBeGreaterThan(30);
    expect((await queue.getLatestCheckpoint('job-456'))?.state).toMatchObject({ variables: { step: 40 } });
  });

  it('saved at the same time end as the last one that was asked for', async () => {
    const { queue, handle } = await openTestJob();
    const steps = Array.from({ length: 20 }, (_, index) => index);
    await Promise.all(
      steps.map((step) =>
        handle.saveCheckpoint({ nodeId: `n${step}`, context: { variables: { step, [`k${step}`]: 1 } } }),
      ),
    );
    await handle.saveCheckpoint({ nodeId: 'last', context: { variables: { end: true } } });
    expect((await queue.getLatestCheckpoint('job-456'))?.state).toEqual({ variables: { end: true } });
    expect(handle.getExecutedNodes()).toHaveLength(21);
  });

  it('without autoSave are remembered but not written; commits are written all the same', async () => {
    const { queue } = await openTestJob();
    await queue.cacheJob({ jobId: 'other', workflowJson: '{}' });
    const handle = new CheckpointManager(queue, { autoSave: false }).startJob<TestEntry>('other', 'w');
    await handle.saveCheckpoint({ nodeId: 'a', context: {} });
    expect(handle.isNodeExecuted('a')).toBe(true);
    expect(await queue.getLatestCheckpoint('other')).toBeNull();
    await handle.commit([result(1)]);
    expect((await queue.getLatestCheckpoint('other'))?.nodeId).toBe('node-1');
  });
});

describe('a recording', () => {
  it('is one per claim at a time and fails clearly once ended', async () => {
    const { queue, checkpoints, handle } = await openTestJob();
    for (const manager of [checkpoints, new CheckpointManager(queue)]) {
      expect(() => manager.startJob('job-456', 'w')).toThrow(expect.objectContaining({ code: 'JOB_ALREADY_STARTED' }));
    }
    expect(() => checkpoints.startJob('job-0', 'w')).toThrow(expect.objectContaining({ code: 'UNKNOWN_JOB' }));
    await handle.commit([result(1)]);
    handle.endJob();
    handle.endJob();
    const ended = { code: 'HANDLE_ENDED', message: 'The recording of job job-456 has ended.' };
    await expect(handle.commit([result(2)])).rejects.toMatchObject(ended);
    await expect(handle.load()).rejects.toMatchObject(ended);
    await expect(handle.getCheckpoint()).rejects.toMatchObject(ended);
    await expect(handle.saveCheckpoint({ nodeId: 'n', context: {} })).rejects.toMatchObject(ended);
    expect(() => handle.isNodeExecuted('n')).toThrow(expect.objectContaining(ended));
    const again = checkpoints.startJob('job-456', 'w');
    expect(await again.load()).toEqual([result(1)]);
    expect(again.getExecutedNodes()).toEqual(['node-1']);
  });

  it('of several jobs at once are apart', async () => {
    const store = await openTestStore();
    const queue = new OfflineQueue({ store });
    const checkpoints = new CheckpointManager(queue);
    const handles = await Promise.all(
      ['a', 'b', 'c'].map(async (jobId) => {
        await queue.cacheJob({ jobId, workflowJson: '{}' });
        return checkpoints.startJob(jobId, jobId);
      }),
    );
    await Promise.all(
      handles.map((handle) =>
        handle.saveCheckpoint({ nodeId: `node-of-${handle.jobId}`, context: { variables: { me: handle.jobId } } }),
      ),
    );
    for (const handle of handles) {
      expect(handle.getExecutedNodes()).toEqual([`node-of-${handle.jobId}`]);
      expect((await handle.getCheckpoint())?.state).toEqual({ variables: { me: handle.jobId } });
    }
  });

  it('refuses the checkpoint of another job', async () => {
    const { handle } = await openTestJob();
    await handle.saveCheckpoint({ nodeId: 'a', context: {} });
    const checkpoint = await handle.getCheckpoint();
    if (checkpoint === null) throw new Error('no checkpoint');
    await expect(handle.restoreFromCheckpoint({ ...checkpoint, jobId: 'other' }, {})).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
  });

  it('puts back a field of any name, and names the one that its target does not take', async () => {
    const { handle } = await openTestJob();
    const context = JSON.parse('{"__proto__": {"isAdmin": true}, "variables": {"x": 1}}') as object;
    await handle.saveCheckpoint({ nodeId: 'a', context });
    const checkpoint = await handle.getCheckpoint();
    if (checkpoint === null) throw new Error('no checkpoint');
    const target: { isAdmin?: boolean } = {};
    await handle.restoreFromCheckpoint(checkpoint, target);
    expect([Object.keys(target), target.isAdmin]).toEqual([['__proto__', 'variables'], undefined]);
    const { state: _, ...stateless } = checkpoint;
    for (const [given, into, said] of [
      [
        checkpoint,
        {
          get variables() {
            return {};
          },
        },
        'does not take the field "variables"',
      ],
      [stateless, {}, 'state of the checkpoint is a plain object'],
    ] as const) {
      const refused = handle.restoreFromCheckpoint(given as typeof checkpoint, into);
      await expect(refused).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', message: expect.stringContaining(said) });
    }
  });

  it('of 20,000 steps is read back in about the time of its reading', { timeout: 30_000 }, async () => {
    const { store, handle } = await openTestJob({ synchronous: 'normal' });
    for (let step = 0; step < 200; step += 1) {
      await handle.commit(Array.from({ length: 100 }, (_, index) => result(step * 100 + index, `node-${index}`)));
    }
    await store.close();
    const again = await openStore({ path: store.path, robotId: 'robot-123' });
    const resumed = new CheckpointManager(new OfflineQueue({ store: again })).startJob('job-456', 'w');
    const startedAt = performance.now();
    expect(await resumed.load()).toHaveLength(20_000);
    expect(performance.now() - startedAt).toBeLessThan(2_000);
    await again.close();
  });
});

describe('nodes in loops', () => {
  it('count as executed in the present turn only, across a restart', async () => {
    const { store, handle } = await openTestJob();
    const save = (nodeId: string, iteration: readonly (string | number)[]) =>
      handle.saveCheckpoint({ nodeId, iteration, context: {} });
    await save('before', []);
    await save('body-1', ['loop', 1]);
    await save('body-2', ['loop', 1]);
    expect(handle.getExecutedNodes()).toEqual(['before', 'body-1', 'body-2']);
    expect(handle.isNodeExecuted('body-1', ['loop', 2])).toBe(false);
    await save('body-1', ['loop', 2]);
    expect(handle.isNodeExecuted('body-2')).toBe(false);
    await store.close();

    const again = new CheckpointManager(new OfflineQueue({ store: await openTestStore({ path: store.path }) }));
    const resumed = again.startJob('job-456', 'w');
    await resumed.load();
    expect(resumed.getExecutedNodes()).toEqual(['before', 'body-1']);
    expect(resumed.getExecutedNodes([])).toEqual(['before', 'body-1', 'body-2']);
  });
});

describe('a long job', () => {
  it('keeps what a resume needs and so many entries besides, and is read from its newest snapshot', async () => {
    const { store, queue, handle } = await openTestJob({ keepJournalEntries: 300 });
    for (let step = 1; step <= 1_000; step += 100) {
      const entries = Array.from({ length: 100 }, (_, index) => result(step + index, `n${(step + index) % 7}`));
      await handle.commit(entries);
      await handle.commit([{ kind: 'snapshot', state: { variables: [['last', step + 99]], outputs: [] } } as never]);
    }
    await handle.commit([result(1_001)]);
    expect((await handle.load()).map((entry) => entry.kind)).toEqual(['snapshot', 'result']);
    expect(handle.getExecutedNodes()).toHaveLength(8);
    expect((await queue.getLatestCheckpoint('job-456'))?.state).toMatchObject({ variables: { last: 1_001 } });
    const { journalEntries } = await queue.getStats();
    expect(journalEntries).toBeLessThan(600);
    expect((await store.stats()).journalCompacted).toBe(1_011 - journalEntries);
    expect(await queue.getJobHistory('job-456', { limit: 10_000 })).toHaveLength(journalEntries);
    await store.close();
    const reopened = await openTestStore({ path: store.path });
    expect(reopened.opening.incidents).toEqual([]);
  });

  it('of large entries keeps so many bytes besides', async () => {
    const { queue, handle } = await openTestJob({ keepJournalBytes: 50_000 });
    const large = { ...result(1), text: 'x'.repeat(10_000) };
    for (let turn = 0; turn < 5; turn += 1) {
      for (let step = 0; step < 10; step += 1) await handle.commit([large]);
      await handle.commit([{ kind: 'snapshot' }, result(2)]);
    }
    expect((await queue.getStats()).journalEntries).toBe(6);
    expect((await handle.load()).map((entry) => entry.kind)).toEqual(['snapshot', 'result']);
    expect(handle.getExecutedNodes()).toEqual(['node-1', 'node-2']);
  });

  it('without a snapshot keeps every entry', async () => {
    const { queue, handle } = await openTestJob({ keepJournalEntries: 10 });
    for (let step = 1; step <= 6; step += 1) {
      await handle.commit(Array.from({ length: 100 }, (_, index) => result(step * 100 + index)));
    }
    expect(await handle.load()).toHaveLength(600);
    expect((await queue.getStats()).journalEntries).toBe(600);
    const history = await queue.getJobHistory('job-456', { limit: 150 });
    expect([history.length, history[0]?.seq, history.at(-1)?.seq]).toEqual([150, 451, 600]);
  });
});
