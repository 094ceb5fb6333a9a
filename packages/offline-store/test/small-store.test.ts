/** A store with hardly any room, and values of any size: what it acknowledges it gives back, and every job can end. */
import { rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type SeededRandom, seededRandom } from '@casare/testing';
import { expect, it } from 'vitest';
import { CheckpointManager, OfflineQueue, openStore } from '../src/index.ts';
import { openTestJob, result, type TestEntry } from './support/open-stores.ts';
import { temporaryFolder } from './support/temporary-folder.ts';

const rounds = Number(process.env.SMALL_STORE_ROUNDS ?? 8);
const seed = Number(process.env.SMALL_STORE_SEED ?? 1);
const jobIds = ['a', 'b', 'c'] as const;

it('never gives back a wrong value, refuses by code, and saves every end', async () => {
  for (let round = 0; round < rounds; round += 1) {
    const random = seededRandom(seed + round);
    const kib = 256 + random.below(400);
    await fillAndCompare(random, kib).catch((error: unknown) => {
      throw new Error(`with seed ${seed + round}`, { cause: error });
    });
  }
});

async function fillAndCompare(random: SeededRandom, kib: number): Promise<void> {
  const path = join(temporaryFolder(), 'store.db');
  const options = { path, robotId: 'r', maxBytes: kib * 1024, writer: 'inline', synchronous: 'normal' } as const;
  const store = await openStore(options);
  const queue = new OfflineQueue({ store });
  for (const jobId of jobIds) await queue.cacheJob({ jobId, workflowJson: '{}', leaseToken: '7' });
  const checkpoints = new CheckpointManager(queue);
  const handles = new Map(jobIds.map((jobId) => [jobId, checkpoints.startJob<TestEntry>(jobId, jobId)]));
  const kept = new Map<string, TestEntry[]>(jobIds.map((jobId) => [jobId, []]));
  const states = new Map<string, object>();
  for (let index = 0; index < 40; index += 1) {
    const job = random.pick(jobIds);
    const kind = random.pick(['commit', 'commit', 'commit', 'checkpoint', 'drain']);
    const size = random.below(random.pick([4_000, 4_000, 120_000]));
    const reserve = random.below(2) === 0;
    const entry = { ...result(index), text: 'x'.repeat(size) };
    try {
      if (kind === 'drain') await store.outbox.ack((await store.outbox.peek(10_000)).map(({ id }) => id));
      else if (kind === 'checkpoint') {
        const context = { variables: { index, text: entry.text } };
        await handles.get(job)?.saveCheckpoint({ nodeId: `n${index}`, context });
        states.set(job, context);
      } else {
        const outbox = [{ kind: 'step', payload: { index, text: entry.text.slice(0, 2_000) } }];
        await handles.get(job)?.commit([entry], { outbox, reserve });
        kept.get(job)?.push(entry);
      }
    } catch (error) {
      expect(['STORE_FULL', 'VALUE_TOO_LARGE']).toContain((error as { code?: unknown }).code);
    }
  }
  await store.close();

  const again = await openStore(options);
  expect(again.opening.incidents).toEqual([]);
  const reopened = new OfflineQueue({ store: again });
  const resumed = new CheckpointManager(reopened);
  for (const jobId of jobIds) {
    const handle = resumed.startJob<TestEntry>(jobId, jobId);
    expect(await handle.load()).toEqual(kept.get(jobId));
    if (states.has(jobId) && kept.get(jobId)?.length === 0) {
      expect((await handle.getCheckpoint())?.state).toEqual(states.get(jobId));
    }
    await handle.commit([{ kind: 'outcome' }], {
      status: { status: 'completed', result: { jobId } },
      outbox: [{ kind: 'complete', payload: { jobId } }],
    });
  }
  const ends = (await again.outbox.peek(10_000)).filter(({ kind }) => kind === 'complete');
  expect(ends.map(({ jobId }) => jobId)).toEqual([...jobIds]);
  for (const jobId of jobIds) expect((await reopened.getJob(jobId)).result).toEqual({ jobId });
  await again.close();
  rmSync(dirname(path), { recursive: true });
}

it('tells a job that has filled it from one that others keep from going on', async () => {
  const { store, queue, handle } = await openTestJob({ maxBytes: 512 * 1024 });
  await queue.cacheJob({ jobId: 'other', workflowJson: '{}' });
  const other = new CheckpointManager(queue).startJob<TestEntry>('other', 'other');
  const entry = (index: number): TestEntry => ({ ...result(index), text: 'x'.repeat(40_000) });
  let error: unknown = null;
  for (let index = 0; error === null; index += 1) {
    error = await handle.commit([entry(index)]).then(
      () => null,
      (e: unknown) => e,
    );
  }
  expect(error).toMatchObject({
    code: 'VALUE_TOO_LARGE',
    message: expect.stringContaining('of one job: all of what steps may use'),
  });
  const { bytes, limitBytes } = error as { bytes: number; limitBytes: number };
  expect(bytes).toBeGreaterThan(limitBytes);
  await expect(other.commit([entry(1)])).rejects.toMatchObject({
    code: 'STORE_FULL',
    message: expect.stringMatching(/The commit of job other needs 4\d{4} bytes/),
  });
  // What has happened is recorded all the same, and the job can end; then there is room for others.
  await handle.commit([result(99)], { reserve: true });
  await handle.commit([{ kind: 'outcome' }], { status: { status: 'failed', error: { code: 'RESULT_TOO_LARGE' } } });
  await queue.markSynced('job-456');
  await store.cleanup({ endedForMs: 0 });
  await other.commit([entry(1)]);
});
