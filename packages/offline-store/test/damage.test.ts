import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { CheckpointManager, CorruptRecordError, OfflineQueue, secretKey } from '../src/index.ts';
import { SecretBox } from '../src/secrets/secret-box.ts';
import { openTestJob, openTestStore, result, withDatabase } from './support/open-stores.ts';
import { temporaryFolder } from './support/temporary-folder.ts';
import { fillVersion2 } from './support/version-2-store.ts';

/** A closed store with one job of five steps, each with an outbox entry. */
async function closedStore(): Promise<string> {
  const { store, handle } = await openTestJob();
  for (let step = 1; step <= 5; step += 1) {
    await handle.commit([{ ...result(step), text: `marker-of-step-${step}` }], {
      outbox: [{ kind: 'step', payload: { step } }],
    });
  }
  await store.close();
  return store.path;
}

async function reopen(path: string): Promise<{ queue: OfflineQueue; load: () => Promise<unknown> }> {
  const queue = new OfflineQueue({ store: await openTestStore({ path }) });
  const load = (): Promise<unknown[]> => {
    const handle = new CheckpointManager(queue).startJob('job-456', 'w');
    return handle.load().finally(() => handle.endJob());
  };
  return { queue, load };
}

async function errorOf(action: Promise<unknown>): Promise<CorruptRecordError> {
  const error = await action.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(CorruptRecordError);
  return error as CorruptRecordError;
}

describe('damage is reported, never handed out as a value', () => {
  it('a flipped bit in the file, in the middle of a value', async () => {
    const path = await closedStore();
    const bytes = readFileSync(path);
    const at = bytes.indexOf('marker-of-step-3');
    expect(at).toBeGreaterThan(0);
    bytes[at + 3] = (bytes[at + 3] ?? 0) ^ 1;
    writeFileSync(path, bytes);
    const { queue, load } = await reopen(path);
    const doubt = {
      code: 'JOB_IN_DOUBT',
      message: expect.stringContaining('the journal entry fails its checksum (seq 3)'),
    };
    await expect(load()).rejects.toMatchObject(doubt);
    await expect(queue.getLatestCheckpoint('job-456')).rejects.toMatchObject(doubt);
    expect(await errorOf(queue.getJobHistory('job-456'))).toMatchObject({
      code: 'STORE_CORRUPT',
      jobId: 'job-456',
      seq: 3,
      message: 'Damaged record of job job-456, seq 3: the journal entry fails its checksum.',
    });
    expect(await queue.getJobHistory('job-456', { limit: 2 })).toHaveLength(2);
  });

  it.each([
    ['text', 'entries = replace(entries, \'"step":2\', \'"step":7\')'],
    ['number', 'first_seq = 1'],
    ['time', 'recorded_at_ms = recorded_at_ms + 1'],
    ['revision', 'revision = revision + 1'],
    ['origin', 'saved = 1'],
    ['checksum', 'crc = crc + 1'],
  ])('a changed %s of a journal row', async (_column, change) => {
    const path = await closedStore();
    withDatabase(path, (db) => db.exec(`UPDATE journal SET ${change} WHERE last_seq = 2`));
    const { load } = await reopen(path);
    await expect(load()).rejects.toMatchObject({ code: 'JOB_IN_DOUBT', message: expect.stringContaining('(seq 2)') });
  });

  it.each([
    ['first', 1],
    ['middle', 3],
    ['last', 5],
  ])('a missing journal row: the %s', async (_which, seq) => {
    const path = await closedStore();
    withDatabase(path, (db) => db.prepare('DELETE FROM journal WHERE last_seq = ?').run(seq));
    const { load } = await reopen(path);
    await expect(load()).rejects.toMatchObject({
      code: 'JOB_IN_DOUBT',
      message: expect.stringContaining(`is missing (seq ${seq})`),
    });
  });

  it('two journal rows that changed places', async () => {
    const path = await closedStore();
    withDatabase(path, (db) =>
      db.exec(
        `UPDATE journal SET id = 99 WHERE id = 2;
         UPDATE journal SET id = 2 WHERE id = 3;
         UPDATE journal SET id = 3 WHERE id = 99`,
      ),
    );
    const { load } = await reopen(path);
    await expect(load()).rejects.toMatchObject({ code: 'JOB_IN_DOUBT', message: expect.stringContaining('(seq 2)') });
  });

  it.each([
    ['points to another row', 'UPDATE journal_index SET id = 3 WHERE last_seq = 2'],
    ['is missing', 'DELETE FROM journal_index WHERE last_seq = 2'],
    ['names another claim', 'UPDATE journal_index SET run_id = 2 WHERE last_seq = 2'],
  ])('an entry of the journal’s index that %s', async (_how, change) => {
    const path = await closedStore();
    withDatabase(path, (db) => db.exec(change));
    const { load } = await reopen(path);
    await expect(load()).rejects.toMatchObject({
      code: 'JOB_IN_DOUBT',
      message: expect.stringContaining('is missing (seq 2)'),
    });
  });

  it.each([
    ['workflow', 'UPDATE jobs SET workflow_json = \'{"nodes": {"x": 1}}\''],
    ['lease token', "UPDATE jobs SET lease_token = '8'"],
  ])('a changed %s of a job', async (_column, change) => {
    const path = await closedStore();
    withDatabase(path, (db) => db.exec(change));
    const { queue } = await reopen(path);
    expect(await errorOf(queue.getJob('job-456'))).toMatchObject({ jobId: 'job-456', seq: null });
    expect(await queue.getInProgressJobs()).toEqual([]);
    expect(queue.store.opening.incidents).toMatchObject([{ kind: 'job-in-doubt', jobId: 'job-456' }]);
  });

  it.each([
    ['status', "UPDATE job_states SET status = 'completed'"],
    ['state', 'UPDATE job_states SET state = \'{"status":"in_progress","startedAtMs":1}\''],
    ['position', 'UPDATE job_states SET journal_seq = 4'],
    ['revision', 'UPDATE job_states SET revision = revision + 9'],
  ])('a changed %s of a job puts it in doubt as a whole', async (_column, change) => {
    const path = await closedStore();
    withDatabase(path, (db) => db.exec(change));
    const { queue, load } = await reopen(path);
    const [job] = await queue.getInProgressJobs();
    expect(job).toMatchObject({ id: 'job-456', status: 'in_doubt', inDoubt: [] });
    expect(job?.inDoubtAsWhole).toBe('its state fails its checksum');
    await expect(load()).rejects.toMatchObject({ code: 'JOB_IN_DOUBT' });
    await queue.markCompleted('job-456', { success: false, error: { message: 'an operator gave it up' } });
    expect((await queue.getJob('job-456')).status).toBe('failed');
  });

  it('a damaged identity of the store: it is set aside, and its jobs are salvaged whole', async () => {
    const path = await closedStore();
    const first = await openTestJob({ path });
    await first.handle.commit([], { outbox: [{ kind: 'dead', payload: 1 }] });
    const dead = (await first.store.outbox.peek()).at(-1)?.id ?? 0;
    await first.store.outbox.fail(dead, 'refused', { permanent: true, final: true });
    expect(await first.store.outbox.discard([dead])).toBe(1);
    await first.store.close();
    withDatabase(path, (db) => db.exec("UPDATE meta SET value = 'x' WHERE name = 'store_id'"));
    const { queue } = await reopen(path);
    expect(queue.store.opening.incidents.map(({ kind }) => kind)).toEqual(['store-set-aside']);
    expect(queue.store.opening.setAside).not.toBeNull();
    const handle = new CheckpointManager(queue).startJob('job-456', 'w');
    expect(await handle.load()).toHaveLength(5);
    expect(await queue.store.outbox.peek()).toHaveLength(5);
    // Numbers of dead letters that are gone are not given again.
    await handle.commit([], { outbox: [{ kind: 'next', payload: 1 }] });
    expect((await queue.store.outbox.peek()).at(-1)?.id).toBeGreaterThan(dead);
  });

  it('a damaged job does not hide the others', async () => {
    const { store, queue } = await openTestJob();
    await queue.cacheJob({ jobId: 'other', workflowJson: '{}' });
    await queue.markInProgress('job-456');
    await queue.markInProgress('other');
    await store.close();
    withDatabase(store.path, (db) => db.exec("UPDATE jobs SET name = 'x' WHERE job_id = 'job-456'"));
    const { queue: reopened } = await reopen(store.path);
    expect((await reopened.getInProgressJobs()).map((job) => job.id)).toEqual(['other']);
  });

  it('what a damaged step would have told is a dead letter; what the others tell is sent', async () => {
    const path = await closedStore();
    withDatabase(path, (db) =>
      db.exec("UPDATE journal SET drafts = replace(drafts, 'step', 'stop') WHERE last_seq = 2"),
    );
    const store = await openTestStore({ path });
    expect((await store.outbox.peek()).map((entry) => entry.seq)).toEqual([1, 3, 4, 5]);
    expect(await store.outbox.deadLetters()).toMatchObject([
      {
        jobId: 'job-456',
        seq: 2,
        payload: null,
        disposition: 'damaged',
        reason: 'the journal entry fails its checksum',
      },
    ]);
    expect(await store.outbox.stats()).toMatchObject({ pending: 4, deadLetters: 1 });
  });

  it('a damaged outbox entry is set aside; the others are still sent', async () => {
    const path = await closedStore();
    const before = await openTestStore({ path });
    await before.outbox.peek();
    await before.close();
    withDatabase(path, (db) => db.exec("UPDATE outbox SET payload = 'not json' WHERE seq = 2"));
    const store = await openTestStore({ path });
    expect((await store.outbox.peek()).map((entry) => entry.seq)).toEqual([1, 3, 4, 5]);
    expect(await store.outbox.deadLetters()).toMatchObject([
      { jobId: 'job-456', seq: 2, payload: null, disposition: 'damaged', reason: 'the record fails its checksum' },
    ]);
  });
});

it('what waits to be sent is still sent when it is no longer known what was taken in before, beside what was acknowledged', async () => {
  const path = await closedStore();
  const first = await openTestStore({ path });
  await first.outbox.ack((await first.outbox.peek()).map(({ id }) => id));
  await first.close();
  const second = await openTestJob({ path });
  await second.handle.commit([result(6)], { outbox: [{ kind: 'step', payload: { step: 6 } }] });
  await second.store.close();
  withDatabase(path, (db) => db.exec("UPDATE meta SET crc = crc + 1 WHERE name = 'outbox_cursor'"));
  const store = await openTestStore({ path });
  expect((await store.outbox.peek()).map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6]);
});

it('a file over which the search for damage itself stumbles is set aside, too', async () => {
  const path = await closedStore();
  const bytes = readFileSync(path);
  // The index of the jobs: a row says that its head is longer than the row.
  const at = bytes.indexOf('\u000c\u0004\u001b\u000f\tjob-4567', 0, 'latin1');
  expect(at).toBeGreaterThan(0);
  bytes[at + 1] = 12;
  writeFileSync(path, bytes);
  const { queue, load } = await reopen(path);
  expect(queue.store.opening.incidents.map(({ kind }) => kind)).toEqual(['store-set-aside']);
  expect(await load()).toHaveLength(5);
});

it('what was executed is found out from the journal when its table is damaged', async () => {
  const path = await closedStore();
  const { page, size } = withDatabase(path, (db) => ({
    page: db.prepare("SELECT rootpage FROM sqlite_schema WHERE name = 'executed'").pluck().get() as number,
    size: db.pragma('page_size', { simple: true }) as number,
  }));
  const bytes = readFileSync(path);
  bytes.fill(0, (page - 1) * size, page * size);
  writeFileSync(path, bytes);
  const { queue } = await reopen(path);
  expect(queue.store.opening.incidents.map(({ kind }) => kind)).toEqual(['store-set-aside']);
  const handle = new CheckpointManager(queue).startJob('job-456', 'w');
  expect(await handle.load()).toHaveLength(5);
  expect(handle.getExecutedNodes()).toEqual([1, 2, 3, 4, 5].map((step) => `node-${step}`));
});

it.each([
  ['executed', 'iteration TEXT', 'iteratiol TEXT'],
  ['executed', 'CREATE TABLE', 'CREAPE TABLE'],
  ['journal', 'entries TEXT', 'entrier TEXT'],
  ['job_states', 'revision INTEGER', 'revisinn INTEGER'],
  ['outbox', 'payload TEXT', 'paylmad TEXT'],
])(
  'a flipped bit in the definition of %s, that says %s, costs nothing that lies in the table',
  async (table, was, is) => {
    const path = await closedStore();
    const first = await openTestStore({ path });
    expect(await first.outbox.peek()).toHaveLength(5);
    await first.close();
    withDatabase(path, (db) => {
      db.unsafeMode(true);
      db.pragma('writable_schema = ON');
      db.prepare('UPDATE sqlite_schema SET sql = replace(sql, ?, ?) WHERE name = ?').run(was, is, table);
    });
    const { queue } = await reopen(path);
    expect(queue.store.opening.incidents.map(({ kind }) => kind)).toEqual(['store-set-aside']);
    const handle = new CheckpointManager(queue).startJob('job-456', 'w');
    expect(await handle.load()).toHaveLength(5);
    expect(handle.getExecutedNodes()).toEqual([1, 2, 3, 4, 5].map((step) => `node-${step}`));
    expect(await queue.store.outbox.peek()).toHaveLength(5);
  },
);

it('a damaged file of an older version is set aside; its jobs are brought to the newest version', async () => {
  const path = join(temporaryFolder(), 'store.db');
  const db = new Database(path);
  fillVersion2(db, new SecretBox({ current: secretKey(Buffer.alloc(32, 7)) }));
  db.pragma('application_id = 1');
  db.close();
  const queue = new OfflineQueue({ store: await openTestStore({ path }) });
  const kinds = queue.store.opening.incidents.map(({ kind }) => kind);
  expect(kinds).toEqual(['store-set-aside', 'marks-lost', 'job-in-doubt']);
  expect(await queue.getJob('job-1')).toMatchObject({ status: 'in_progress', journalSeq: 3, inDoubtAsWhole: null });
  expect((await queue.store.outbox.peek()).map(({ jobId, seq }) => [jobId, seq])).toEqual([['job-1', 1]]);
  expect((await queue.getJob('job-2')).inDoubtAsWhole).toContain('seq 2');
});
