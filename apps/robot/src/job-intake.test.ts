import type { ClaimedJob } from '@casare/execution';
import { describe, expect, it } from 'vitest';
import { JobIntake } from './job-intake.ts';

const never = new AbortController().signal;

function claimed(jobId: string): ClaimedJob {
  return {
    jobId,
    leaseToken: '1',
    name: jobId,
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

/** An intake whose server answers the claims of the list one after the other. */
function setup(
  answers: readonly (readonly ClaimedJob[] | Error | (() => readonly ClaimedJob[]))[],
  refused: { code?: string } = {},
) {
  const queue = [...answers];
  const asked: string[] = [];
  const admitted: string[] = [];
  const released: string[] = [];
  const limits: number[] = [];
  const room = { slots: 2, isPaused: false };
  let requestId = 1;
  const intake = new JobIntake({
    connection: { isConnected: true },
    gateway: { schemaVersion: async () => 4, registerRobot: async () => undefined },
    locker: {
      claim: async (request) => {
        asked.push(request.requestId);
        limits.push(request.limit);
        const next = queue.shift() ?? [];
        const answer = typeof next === 'function' ? next() : next;
        if (answer instanceof Error) throw answer;
        return answer;
      },
      release: async (jobId) => {
        released.push(jobId);
        return 'ok';
      },
    },
    isPaused: () => room.isPaused,
    desk: {
      get freeSlots() {
        return Math.max(0, room.slots - admitted.length);
      },
      has: (job) => admitted.includes(job.jobId),
      admit: async (job) => {
        if (refused.code !== undefined) throw Object.assign(new Error('refused'), refused);
        if (!admitted.includes(job.jobId)) admitted.push(job.jobId);
      },
    },
    claimRequest: {
      get current() {
        return `request-${requestId}`;
      },
      rotate: async () => {
        requestId += 1;
      },
    },
    robot: () => ({
      robotId: 'r',
      name: 'r',
      capabilities: [],
      tags: [],
      maxConcurrentJobs: 2,
      version: '0',
      bootId: 'b',
    }),
    logger: { log: () => undefined },
  });
  return { intake, asked, limits, admitted, released, room };
}

describe('JobIntake', () => {
  it('asks under a new id only after the claimed jobs are stored', async () => {
    const { intake, asked, admitted } = setup([[], [], [claimed('a')], []]);
    for (let turn = 0; turn < 4; turn += 1) await intake.turn(never);
    expect(asked).toEqual(['request-1', 'request-2', 'request-2', 'request-3']);
    expect(admitted).toEqual(['a']);
  });

  it('repeats an id whose answer got lost, and gives it up when nothing of it is left', async () => {
    const { intake, asked, admitted } = setup([[], new Error('answer lost'), [], [claimed('b')]]);
    await intake.turn(never);
    await expect(intake.turn(never)).rejects.toThrow('answer lost');
    await intake.turn(never);
    await intake.turn(never);
    expect(asked).toEqual(['request-1', 'request-2', 'request-2', 'request-3']);
    expect(admitted).toEqual(['b']);
  });

  it('hands back a claim that the store refuses for what it is, and asks again for one it cannot take now', async () => {
    const conflict = setup([[claimed('a')]], { code: 'JOB_CONFLICT' });
    await conflict.intake.turn(never);
    expect(conflict.released).toEqual(['a']);
    const full = setup([[claimed('a')], [claimed('a')]], { code: 'STORE_FULL' });
    await expect(full.intake.turn(never)).rejects.toThrow('refused');
    await expect(full.intake.turn(never)).rejects.toThrow('refused');
    expect(full.asked).toEqual(['request-1', 'request-1']);
    expect(full.released).toEqual([]);
  });

  it('takes no more than what can start when the limit is lowered, or the robot paused, while it asks', async () => {
    const lowered = setup([
      () => {
        lowered.room.slots = 1;
        return [claimed('a'), claimed('b')];
      },
    ]);
    await lowered.intake.turn(never);
    expect([lowered.admitted, lowered.released]).toEqual([['a'], ['b']]);
    const paused = setup([
      () => {
        paused.room.isPaused = true;
        return [claimed('a'), claimed('b')];
      },
    ]);
    await paused.intake.turn(never);
    expect([paused.admitted, paused.released]).toEqual([[], ['a', 'b']]);
  });

  it('claims nothing while it is paused or full, and goes on afterwards', async () => {
    const { intake, limits, room } = setup([[], [claimed('a')]]);
    await intake.turn(never);
    room.isPaused = true;
    await intake.turn(never);
    room.isPaused = false;
    room.slots = 0;
    await intake.turn(never);
    room.slots = 2;
    await intake.turn(never);
    expect(limits).toEqual([2, 2]);
  });

  it('asks after a claim that got lost also when it is full, and hands back what it has no place for', async () => {
    const { intake, limits, admitted, released, room } = setup([[claimed('a'), claimed('b')]]);
    room.slots = 0;
    await intake.turn(never);
    expect([limits, admitted, released]).toEqual([[0], [], ['a', 'b']]);
  });

  it('leaves a job alone that comes back with a repeated claim and is here already', async () => {
    const { intake, admitted, released } = setup([
      [claimed('a')],
      new Error('answer lost'),
      [claimed('a'), claimed('b'), claimed('c')],
    ]);
    for (let turn = 0; turn < 3; turn += 1) await intake.turn(never).catch(() => undefined);
    expect([admitted, released]).toEqual([['a', 'b'], ['c']]);
  });

  it('hands back what a claim that was cut short has claimed, when it stops', async () => {
    const { intake, limits, released, room } = setup([[], new Error('stopped'), [claimed('a')]]);
    await intake.turn(never);
    await intake.handBackLostClaim(never);
    expect(limits).toEqual([2]);
    await expect(intake.turn(never)).rejects.toThrow('stopped');
    room.slots = 0;
    await intake.handBackLostClaim(never);
    expect([limits, released]).toEqual([[2, 2, 0], ['a']]);
  });
});
