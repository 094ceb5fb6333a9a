import { copyFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import {
  CheckpointManager,
  type Incident,
  OfflineQueue,
  openStore,
  type SecretKeys,
  type Store,
  secretKey,
} from '@casare/offline-store';
import { describe, expect, it, onTestFinished } from 'vitest';
import { durableJobs } from '../src/durable-jobs.ts';
import { auditIncidents, recentIncidents } from '../src/store-incidents.ts';
import { claim, deskWith } from './support/desk.ts';
import { temporaryFolder } from './support/robot-home.ts';

/** A robot's store at `path`, and the desk's view of it. */
async function storeAt(path: string, keys?: SecretKeys) {
  const store = await openStore({ path, robotId: 'r', ...(keys === undefined ? {} : { keys }) });
  onTestFinished(() => store.close());
  const queue = new OfflineQueue({ store });
  const jobs = durableJobs({ queue, checkpoints: new CheckpointManager(queue), bootId: 'b', bootClock: () => 0 });
  return { store, queue, jobs };
}

const entry = (step: number) =>
  ({
    kind: 'result',
    step,
    node_id: `n${step}`,
    exit: null,
    outputs: {},
    variables: {},
    duration_ms: 0,
    retries: 0,
    at: 0,
  }) as const;

/** The newest steps of job `a` are gone: the store's file is an older one. */
async function withLostSteps(path: string) {
  const { store, jobs } = await storeAt(path);
  await jobs.add(claim('a'), 300_000);
  await jobs.open('a').commit([entry(1)], { outbox: [] });
  await store.close();
  copyFileSync(path, `${path}.old`);
  const later = await storeAt(path);
  await later.jobs.open('a').commit([entry(2)], { outbox: [] });
  await later.store.close();
  for (const suffix of ['', '-wal', '-shm']) rmSync(`${path}${suffix}`, { force: true });
  copyFileSync(`${path}.old`, path);
  return storeAt(path);
}

const kindsOf = async (store: Store): Promise<unknown[]> =>
  (await store.outbox.peek()).map(({ kind, payload }) => [kind, payload]);

describe('a job of which the store has lost the newest steps', () => {
  it('does not go on from an older one: it asks, and ends when an operator says so', async () => {
    const { store, jobs, queue } = await withLostSteps(join(temporaryFolder(), 'store.db'));
    const { desk, clock, server, runs } = await deskWith({ store: jobs });
    await desk.recover();
    expect([desk.inDoubt, runs.size]).toEqual([['a'], 0]);
    expect(await kindsOf(store)).toMatchObject([
      ['in_doubt', { nodes: [{ node_id: null, answers: ['restart', 'fail'] }] }],
    ]);
    server.answer = () => ({
      answers: [{ node_id: null, step: null, attempt: null, answer: 'fail', by: 'ann', at: 'now' }],
    });
    await clock.advance(1_000);
    await expect.poll(() => desk.inDoubt).toEqual([]);
    expect(await queue.getJob('a')).toMatchObject({ status: 'failed', error: { code: 'JOB_IN_DOUBT' } });
    expect((await store.outbox.peek()).at(-1)).toMatchObject({ kind: 'complete', payload: { status: 'failed' } });
  });

  it('begins anew under another claim', async () => {
    const { jobs, queue } = await withLostSteps(join(temporaryFolder(), 'store.db'));
    const { desk, clock, server, runs, locker } = await deskWith({ store: jobs });
    await desk.recover();
    server.answer = () => ({ outcome: 'stale', leaseToken: '7' });
    await clock.advance(1_000);
    await expect.poll(() => desk.inDoubt).toEqual([]);
    server.answer = () => ({});
    locker.adopt({ jobId: 'a', leaseToken: '8' }, 300_000);
    await desk.admit(claim('a', { leaseToken: '8' }));
    expect(runs.size).toBe(1);
    expect(await queue.getJob('a')).toMatchObject({ leaseToken: '8', status: 'cached' });
  });

  it('is named to the audit log and to operators', async () => {
    const { store } = await withLostSteps(join(temporaryFolder(), 'store.db'));
    const told: object[] = [];
    auditIncidents(store, {
      storeIncident: (incident) => {
        told.push(incident);
        return { ok: true } as never;
      },
    });
    expect(told).toEqual([{ kind: 'job-in-doubt', jobId: 'a', detail: expect.stringContaining('lost') }]);
    const now = Date.now();
    expect(await recentIncidents(store, now)).toMatchObject([{ kind: 'job-in-doubt', job_id: 'a' }]);
    expect(await recentIncidents(store, now + 8 * 86_400_000)).toEqual([]);
    const long: Incident = { kind: 'job-lost', atMs: now, jobId: 'b', leaseToken: '7', detail: 'x'.repeat(9_000) };
    const [shown] = await recentIncidents({ incidents: async () => [long] }, now);
    expect(JSON.stringify(shown).length).toBeLessThan(500);
  });
});

it('a job whose keys are lost waits, and goes on, with its question withdrawn, once they are back', async () => {
  const path = join(temporaryFolder(), 'store.db');
  const [keys, others] = [1, 2].map((byte) => ({ current: secretKey(new Uint8Array(32).fill(byte)) }));
  const first = await storeAt(path, keys);
  await first.jobs.add(claim('a'), 300_000);
  await first.jobs.open('a').commit([{ ...entry(1), outputs: { token: 'abc' }, secret: [['outputs', 'token']] }], {
    outbox: [],
  });
  await first.store.close();

  for (let start = 0; start < 2; start += 1) {
    const { store, jobs } = await storeAt(path, others);
    const { desk, runs } = await deskWith({ store: jobs });
    await desk.recover();
    expect([desk.inDoubt, runs.size]).toEqual([['a'], 0]);
    const asked = { nodes: [{ node_id: null, reason: expect.stringContaining('put its file back') }] };
    expect((await kindsOf(store)).at(-1)).toMatchObject(['in_doubt', asked]);
    desk.stop();
    await store.close();
  }

  const { store, jobs, queue } = await storeAt(path, keys);
  const { desk, runs } = await deskWith({ store: jobs });
  await desk.recover();
  expect([desk.inDoubt, runs.size]).toEqual([[], 1]);
  expect((await kindsOf(store)).at(-1)).toEqual(['in_doubt', { nodes: [] }]);
  expect(await queue.getJob('a')).toMatchObject({ status: 'in_progress' });
});
