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
    leaseRemainingMs: 0,
    ...changes,
  };
}

/** A recovery over stored jobs, whose server can be away and then answers as told. */
function setup(jobs: readonly StoredJob[], answer: () => 'ok' | 'stale') {
  const clock = new ManualClock();
  const queued: string[] = [];
  const waiting: string[] = [];
  const superseded: string[] = [];
  const locker = new JobLocker({
    robotId: 'r',
    clock,
    gateway: {
      claimJob: async () => null,
      claimJobs: async () => [],
      heartbeatJobs: async (_robot, leases) =>
        leases.map((lease) => ({ ...lease, outcome: answer(), cancelReason: null, cancelRequestedBy: null })),
      completeJob: async () => 'ok',
      releaseJob: async () => 'ok',
    },
  });
  const recovery = new JobRecovery({
    store: {
      add: async () => undefined,
      unfinished: async () => jobs,
      open: () => {
        throw new Error('not used');
      },
      supersede: async (jobId) => void superseded.push(jobId),
    },
    locker,
    telemetry: {
      metricsFor: () => null,
      auditFor: () => null,
      received: () => undefined,
      resumed: () => undefined,
      leaseLost: () => undefined,
      released: () => undefined,
      cancelRequested: () => undefined,
      ended: () => undefined,
    },
    logger: { log: () => undefined },
    clock,
    queue: async ({ jobId }) => void queued.push(jobId),
    waitInDoubt: ({ jobId }) => void waiting.push(jobId),
  });
  return { clock, recovery, queued, waiting, superseded };
}

const away = (): never => {
  throw new Error('offline');
};

describe('after a restart without the database', () => {
  it('jobs on hold go on at once, those in doubt wait', async () => {
    const { recovery, queued, waiting } = setup([job('a'), job('b', { state: 'in_doubt' })], away);
    expect(await recovery.takeUpAll()).toBe(2);
    expect(queued).toEqual(['a']);
    expect(waiting).toEqual(['b']);
  });

  it('a restart job goes on only while its lease is known to stand', async () => {
    const fresh = setup([job('a', { onLost: 'restart', leaseRemainingMs: 200_000 })], away);
    await fresh.recovery.takeUpAll();
    expect(fresh.queued).toEqual(['a']);
    const late = setup([job('a', { onLost: 'restart', leaseRemainingMs: 5_000 })], away);
    await late.recovery.takeUpAll();
    await late.clock.advance(30_000);
    expect(late.queued).toEqual([]);
    late.recovery.stop();
    await late.clock.advance(0);
    expect(late.clock.sleeping).toBe(0);
  });
});

describe('a restart job whose lease may have passed on', () => {
  it('goes on once the server says that the lease stands', async () => {
    let up = false;
    const { clock, recovery, queued } = setup([job('a', { onLost: 'restart' })], () => (up ? 'ok' : away()));
    await recovery.takeUpAll();
    await clock.advance(3_000);
    expect(queued).toEqual([]);
    up = true;
    await clock.advance(2_000);
    expect(queued).toEqual(['a']);
  });

  it('is given up when another claim holds it', async () => {
    const { clock, recovery, queued, superseded } = setup([job('a', { onLost: 'restart' })], () => 'stale');
    await recovery.takeUpAll();
    await clock.advance(0);
    expect([queued, superseded]).toEqual([[], ['a']]);
  });
});
