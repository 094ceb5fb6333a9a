import { ManualClock } from '@casare/testing';
import { describe, expect, it } from 'vitest';
import { type ClaimedJob, JobLocker, type LeaseOutcome } from '../../src/index.ts';

const robotId = '00000000-0000-4000-8000-000000000001';
const jobId = '00000000-0000-4000-8000-00000000000a';

function claimed(id: string, leaseToken: string): ClaimedJob {
  return {
    jobId: id,
    leaseToken,
    name: id,
    workflow: '{}',
    variables: {},
    attempt: 1,
    maxAttempts: 1,
    timeoutMs: null,
    onLost: 'hold',
    inDoubtPolicy: null,
    leaseMs: 300_000,
    cancelRequested: false,
  };
}

function lockerWith(
  answer: () => LeaseOutcome,
  clock = new ManualClock(),
  underWay: () => Promise<void> = async () => undefined,
) {
  const calls: unknown[] = [];
  const requests: unknown[] = [];
  const lostAnswers: Promise<void>[] = [];
  const locker = new JobLocker({
    robotId,
    lockTimeoutMs: 60_000,
    clock,
    gateway: {
      claimJob: async (id, _robot, _lockMs, options) => {
        requests.push(options?.requestId);
        if (lostAnswers.length > 0) await lostAnswers.pop();
        return claimed(id.toLowerCase(), '7');
      },
      claimJobs: async (request) => {
        calls.push(request);
        return [claimed(jobId, '8')];
      },
      heartbeatJobs: async (_robot, leases) => {
        calls.push(leases.map((lease) => [lease.jobId, lease.leaseToken]));
        await underWay();
        return leases.map((lease) => ({
          ...lease,
          outcome: answer(),
          cancelReason: null,
          cancelRequestedBy: null,
          answers: [],
        }));
      },
      robotTurn: async ({ leases, presence, claim }) => {
        calls.push([leases.map((lease) => lease.leaseToken), presence?.status, claim?.limit]);
        const answers = leases.map((lease) => ({
          ...lease,
          outcome: answer(),
          cancelReason: null,
          cancelRequestedBy: null,
          answers: [],
        }));
        return { leases: answers, claims: claim === null ? [] : [claimed(jobId, '8')], fleetSize: 1 };
      },
      completeJob: async (lease, end) => {
        calls.push([lease.leaseToken, end.status]);
        return answer();
      },
      releaseJob: async (lease) => {
        calls.push([lease.leaseToken, 'released']);
        return answer();
      },
    },
  });
  return { locker, calls, clock, requests, lostAnswers };
}

describe('JobLocker', () => {
  it('counts the deadline from the moment the last successful request was sent', async () => {
    const { locker, clock } = lockerWith(() => 'ok');
    await locker.tryClaim(jobId);
    await clock.advance(20_000);
    expect(locker.remainingMs(jobId)).toBe(40_000);
    clock.stepWall(3_600_000);
    expect(locker.remainingMs(jobId)).toBe(40_000);
    await locker.heartbeat(jobId);
    expect(locker.remainingMs(jobId)).toBe(60_000);
  });

  it('carries the token of the claim on every later write', async () => {
    const { locker, calls } = lockerWith(() => 'ok');
    await locker.tryClaim(jobId);
    await locker.heartbeatAll();
    await locker.release(jobId, { status: 'completed' });
    expect(calls).toEqual([[[jobId, '7']], ['7', 'completed']]);
    expect(locker.held).toEqual([]);
  });

  it('forgets a lease that is answered stale, and writes nothing about it any more', async () => {
    const { locker, calls } = lockerWith(() => 'stale');
    await locker.tryClaim(jobId);
    expect(await locker.heartbeat(jobId)).toBe('stale');
    expect(await locker.release(jobId, { status: 'completed' })).toBe('stale');
    expect(calls).toHaveLength(1);
  });

  it('hands a job back when it is released without a status', async () => {
    const { locker, calls } = lockerWith(() => 'ok');
    await locker.claim({ requestId: robotId, limit: 1 });
    await locker.release(jobId);
    expect(calls[1]).toEqual(['8', 'released']);
  });

  it('renews, tells of presence and claims in one request, from whose sending the deadlines run', async () => {
    const { locker, calls, clock } = lockerWith(() => 'ok');
    const other = '00000000-0000-4000-8000-00000000000b';
    await locker.tryClaim(other);
    await clock.advance(20_000);
    const claim = { requestId: robotId, limit: 1, capabilities: [], tags: [] };
    const { claims } = await locker.turn({ presence: { status: 'busy', metrics: null }, claim });
    expect(claims).toMatchObject([{ jobId }]);
    expect([locker.remainingMs(other), locker.remainingMs(jobId)]).toEqual([60_000, 60_000]);
    await locker.turn({ presence: null, claim: null });
    expect(calls).toEqual([
      [['7'], 'busy', 1],
      [['7', '8'], undefined, undefined],
    ]);
  });

  it('counts the newest request, in whatever order the answers arrive, and no answer about a lost lease', async () => {
    const { clock } = lockerWith(() => 'ok');
    const late: (() => void)[] = [];
    const { locker } = lockerWith(
      () => 'ok',
      clock,
      () => new Promise((resolve) => late.push(resolve)),
    );
    await locker.tryClaim(jobId);
    const first = locker.heartbeatAll();
    await clock.advance(30_000);
    const second = locker.heartbeatAll();
    await clock.advance(10_000);
    late[1]?.();
    await second;
    late[0]?.();
    await first;
    expect(locker.remainingMs(jobId)).toBe(50_000);
  });

  it('knows a job however its id is written', async () => {
    const { locker } = lockerWith(() => 'ok');
    const written = jobId.toUpperCase();
    await locker.tryClaim(written);
    expect([await locker.heartbeat(written), locker.remainingMs(written)]).toEqual(['ok', 60_000]);
    expect(await locker.release(written, { status: 'completed' })).toBe('ok');
    expect(locker.held).toEqual([]);
  });

  it('asks again for a claim whose answer was lost by the same request, which is handed out once', async () => {
    const { locker, requests, lostAnswers } = lockerWith(() => 'ok');
    lostAnswers.push(Promise.reject(new Error('lost')));
    await expect(locker.tryClaim(jobId)).rejects.toThrow('lost');
    await Promise.all([locker.tryClaim(jobId), locker.tryClaim(jobId)]);
    await locker.tryClaim(jobId, { requestId: robotId });
    expect(requests[1]).toBe(requests[0]);
    expect(new Set(requests).size).toBe(3);
    expect(requests[3]).toBe(robotId);
  });

  it('refuses an end of which only {} would arrive, and times that the database has no number for', async () => {
    const { locker } = lockerWith(() => 'ok');
    await locker.tryClaim(jobId);
    const failed = { status: 'failed', error: new TypeError('why') } as never;
    await expect(locker.release(jobId, failed)).rejects.toThrow('end.error must be a plain object (of an Error');
    await expect(locker.release(jobId, { delayMs: 1e15 })).rejects.toThrow('end.delayMs must be a whole number of ms');
    expect(locker.held).toHaveLength(1);
  });

  it('takes up a lease with the time that it is still known to stand', async () => {
    const { locker } = lockerWith(() => 'ok');
    locker.adopt({ jobId, leaseToken: '9' }, 10_000);
    expect(locker.remainingMs(jobId)).toBe(10_000);
  });
});
