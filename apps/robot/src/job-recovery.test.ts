import { JobLocker } from '@casare/execution';
import { ManualClock } from '@casare/testing';
import { describe, expect, it } from 'vitest';
import type { StoredJob } from './desk-ports.ts';
import { JobRecovery } from './job-recovery.ts';

function job(jobId: string, changes: Partial<StoredJob> = {}): StoredJob {
  return {
    jobId,
    leaseToken: '7',
    name: jobId,
    workflowJson: '{}',
    variables: {},
    onLost: 'hold',
    inDoubtPolicy: null,
    timeoutMs: null,
    state: 'in_progress',
    lostRecord: null,
    leaseRemainingMs: 0,
    ...changes,
  };
}

/** A recovery over stored jobs; each refusal lets one take-up fail. */
function setup(jobs: readonly StoredJob[], refusals: Error[] = []) {
  const clock = new ManualClock();
  const queued: string[] = [];
  const waiting: string[] = [];
  const unconfirmed: string[] = [];
  const locker = new JobLocker({
    robotId: 'r',
    clock,
    gateway: {
      claimJob: async () => null,
      claimJobs: async () => [],
      heartbeatJobs: async () => [],
      robotTurn: async () => ({ leases: [], claims: [], fleetSize: null }),
      completeJob: async () => 'ok',
      releaseJob: async () => 'ok',
    },
  });
  const recovery = new JobRecovery({
    store: { unfinished: async () => jobs },
    locker,
    telemetry: { resumed: () => undefined },
    logger: { log: () => undefined },
    clock,
    onFound: () => undefined,
    queue: async ({ jobId }) => {
      const refusal = refusals.shift();
      if (refusal !== undefined) throw refusal;
      queued.push(jobId);
    },
    loseRecord: async ({ jobId }) => void waiting.push(`${jobId} as a whole`),
    waitInDoubt: async ({ jobId }) => void waiting.push(jobId),
    waitForLease: ({ jobId }) => void unconfirmed.push(jobId),
  });
  return { clock, recovery, locker, queued, waiting, unconfirmed };
}

describe('after a restart without the database', () => {
  it('jobs on hold go on at once, those in doubt wait', async () => {
    const { recovery, queued, waiting } = setup([job('a'), job('b', { state: 'in_doubt' })]);
    expect(await recovery.takeUpAll()).toBe(2);
    expect(queued).toEqual(['a']);
    expect(waiting).toEqual(['b']);
  });

  it('a restart job goes on only while its lease is known to stand', async () => {
    const fresh = setup([job('a', { onLost: 'restart', leaseRemainingMs: 200_000 })]);
    await fresh.recovery.takeUpAll();
    expect([fresh.queued, fresh.unconfirmed]).toEqual([['a'], []]);
    const late = setup([job('a', { onLost: 'restart', leaseRemainingMs: 5_000 })]);
    await late.recovery.takeUpAll();
    expect([late.queued, late.unconfirmed]).toEqual([[], ['a']]);
    expect(late.locker.held).toEqual([{ jobId: 'a', leaseToken: '7', confirmedAt: expect.any(Number) }]);
  });
});

describe('a job that cannot be taken up', () => {
  it('is tried again until it can, and does not keep the others', async () => {
    const busy = new Error('the store is busy');
    const { clock, recovery, queued } = setup([job('a'), job('b')], [busy]);
    expect(await recovery.takeUpAll()).toBe(2);
    expect(queued).toEqual(['b']);
    await clock.advance(10_000);
    expect(queued).toEqual(['b', 'a']);
    expect(clock.sleeping).toBe(0);
  });

  it('is judged by what is left of its lease by then', async () => {
    const one = job('a', { onLost: 'restart', leaseRemainingMs: 25_000 });
    const busy = new Error('the store is busy');
    const { clock, recovery, queued, unconfirmed } = setup([one], [busy, busy]);
    await recovery.takeUpAll();
    await clock.advance(20_000);
    expect([queued, unconfirmed]).toEqual([[], ['a']]);
  });
});

describe('a job that the store cannot record', () => {
  it('is tried again after a while, unless the robot stops', async () => {
    const { clock, recovery } = setup([]);
    const first = recovery.waitToRetry('a', 'the disk is full');
    await clock.advance(10_000);
    expect(await first).toBe(true);
    const second = recovery.waitToRetry('a', 'the disk is full');
    recovery.stop();
    expect(await second).toBe(false);
    expect(clock.sleeping).toBe(0);
  });
});
