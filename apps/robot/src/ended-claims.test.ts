import type { ClaimedJob, JobEvent, JournalEntry, LeaseOutcome } from '@casare/execution';
import { CheckpointManager, OfflineQueue } from '@casare/offline-store';
import { ManualClock } from '@casare/testing';
import { expect, it, onTestFinished } from 'vitest';
import { claim } from '../test/support/desk.ts';
import { temporaryFolder } from '../test/support/robot-home.ts';
import { durableJobs } from './durable-jobs.ts';
import { endedClaimRecords } from './ended-claim-records.ts';
import { EndedClaims } from './ended-claims.ts';

const began = { kind: 'began', workflow_hash: 'h', at: 1 } as JournalEntry;
const result = {
  kind: 'result',
  step: 1,
  node_id: 'n',
  exit: 'exec_out',
  outputs: {},
  variables: {},
  duration_ms: 1,
  retries: 0,
  at: 1,
} as JournalEntry;

/** A real store, beside a server that has forgotten what the store was told. */
async function setup() {
  const queue = new OfflineQueue({ dbPath: `${temporaryFolder()}/store.db`, robotId: 'r' });
  onTestFinished(() => queue.close());
  const jobs = durableJobs({
    queue,
    checkpoints: new CheckpointManager(queue),
    bootId: 'b',
    bootClock: () => 0,
  });
  const clock = new ManualClock();
  const told: unknown[] = [];
  const critical: string[] = [];
  const server = { lease: 'ok' as LeaseOutcome, isDown: false };
  const send = async (what: unknown): Promise<LeaseOutcome> => {
    if (server.isDown) throw new Error('offline');
    told.push(what);
    return 'ok';
  };
  const ended = new EndedClaims({
    records: endedClaimRecords(queue, jobs),
    locker: {
      heartbeat: async () => server.lease,
      release: (jobId, end) => send(['released', jobId, end?.error?.code]),
      forget: () => undefined,
    },
    gateway: {
      recordEvents: ({ jobId, leaseToken }, events: readonly JobEvent[]) =>
        send([jobId, leaseToken, events.map(({ seq, kind }) => `${seq} ${kind}`)]),
      completeJob: ({ jobId, leaseToken }, { status, result: with_ }) => send([jobId, leaseToken, status, with_]),
      setInDoubt: () => send('in doubt'),
      releaseJob: () => send('released'),
    },
    isPermanent: () => false,
    clock,
    logger: { log: (level, text) => void (level === 'critical' && critical.push(text)) },
  });
  const isBegun = async (job: ClaimedJob): Promise<void> => {
    await jobs.add(job, 300_000);
    const run = jobs.open(job.jobId);
    await run.commit([began, result], { outbox: [] });
    run.close();
  };
  const completed = async (job: ClaimedJob): Promise<void> => {
    await isBegun(job);
    await queue.markCompleted(job.jobId, { success: true, result: { rows: 3 } });
  };
  return { clock, queue, jobs, ended, told, critical, server, isBegun, completed };
}

const unknown = { kind: 'unknown' };
const settled = { kind: 'settled' };

it('tells the end of a job again that a restored server gives out under an old, the same, or a new token', async () => {
  const { queue, ended, told, critical, server, completed } = await setup();
  await completed(claim('a', { leaseToken: '105' }));
  expect(await ended.settle(claim('a', { leaseToken: '105' }))).toEqual(settled);
  expect([told, critical]).toEqual([[], []]);
  await queue.markSynced('a');
  server.lease = 'stale';
  expect(await ended.settle(claim('a', { leaseToken: '105' }))).toEqual(settled);
  expect([told, critical]).toEqual([[], []]);
  server.lease = 'ok';
  server.isDown = true;
  await expect(ended.settle(claim('a', { leaseToken: '105' }))).rejects.toThrow(/could not be sent again yet/);
  server.isDown = false;
  for (const leaseToken of ['101', '105', '230']) {
    expect(await ended.settle(claim('a', { leaseToken }))).toEqual(settled);
    expect(told.splice(0)).toEqual([
      ['a', leaseToken, ['1 job_started', '2 node_completed']],
      ['a', leaseToken, 'completed', { rows: 3 }],
    ]);
  }
  expect(critical.length).toBe(1);
  expect(critical[0]).toMatch(
    /ended here as completed, under lease token 105: the database seems to be restored .*sent again.*setval\('casare.lease_token_seq'.*105 is the greatest/,
  );
});

it('takes a claim like any other of a job that failed, or whose end did not count, or that it does not know', async () => {
  const { queue, ended, told, isBegun, completed, jobs } = await setup();
  expect(await ended.settle(claim('new'))).toEqual(unknown);
  await jobs.add(claim('here'), 300_000);
  expect(await ended.settle(claim('here'))).toEqual(unknown);
  await isBegun(claim('failed'));
  await queue.markCompleted('failed', { success: false, error: { code: 'X' }, outbox: [] });
  await queue.markSynced('failed');
  expect(await ended.settle(claim('failed', { leaseToken: '8' }))).toEqual(unknown);
  await isBegun(claim('b'));
  await queue.markCompleted('b', { success: true, outbox: [{ kind: 'complete', payload: {} }] });
  const entries = await queue.store.outbox.peek();
  await queue.store.outbox.supersede(
    entries.map(({ id }) => id),
    'another claim holds the job',
  );
  await queue.markSynced('b');
  expect(await ended.settle(claim('b', { leaseToken: '8' }))).toEqual(unknown);
  await completed(claim('c'));
  expect(await ended.settle(claim('c', { leaseToken: '8' }))).toEqual(unknown);
  expect(told).toEqual([]);
});

it('hands back what it has never begun until its token is new, says so once, and fails what was given away begun', async () => {
  const { clock, queue, jobs, ended, told, critical, isBegun } = await setup();
  await jobs.add(claim('a', { leaseToken: '99' }), 300_000);
  await jobs.add(claim('b', { leaseToken: '105' }), 300_000);
  await queue.markReleased('b');
  for (const leaseToken of ['101', '104', '105']) {
    expect(await ended.settle(claim('b', { leaseToken }))).toEqual({
      kind: 'hand-back',
      reason: expect.stringMatching(`its lease token ${leaseToken} was given before .*105 for the job`),
    });
  }
  expect(critical).toEqual([expect.stringMatching(/cannot begin.*setval\('casare.lease_token_seq', N\).*105 is the/)]);
  const held = [
    { jobId: 'b', why: expect.stringMatching(/105 was given before.*setval\('casare.lease_token_seq', N\)/) },
  ];
  await clock.advance(60_000);
  expect(ended.held).toEqual(held);
  await clock.advance(1);
  expect(ended.held).toEqual([]);
  await ended.settle(claim('b', { leaseToken: '105' }));
  expect(ended.held).toEqual(held);
  expect(await ended.settle(claim('b', { leaseToken: '106' }))).toEqual(unknown);
  expect(ended.held).toEqual([]);
  await isBegun(claim('c', { leaseToken: '102' }));
  await queue.markReleased('c');
  expect(await ended.settle(claim('c', { leaseToken: '102', onLost: 'restart' }))).toMatchObject({ kind: 'hand-back' });
  expect(told).toEqual([]);
  expect(await ended.settle(claim('c', { leaseToken: '102' }))).toEqual(settled);
  expect(told).toEqual([['released', 'c', 'JOB_IN_DOUBT']]);
});
