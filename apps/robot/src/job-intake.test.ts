import type { ClaimedJob, TurnRequest } from '@casare/execution';
import { eventually, ManualClock } from '@casare/testing';
import { describe, expect, it } from 'vitest';
import { claim } from '../test/support/desk.ts';
import type { EndedClaimVerdict } from './ended-claims.ts';
import { JobIntake } from './job-intake.ts';
import { RobotTurn } from './robot-turn.ts';

const never = new AbortController().signal;

/** An intake and the robot's turn, whose server answers the claims of the list one after the other. */
function setup(
  answers: readonly (readonly ClaimedJob[] | Error | (() => readonly ClaimedJob[]))[],
  refused: { code?: string } = {},
  ended: (job: ClaimedJob) => EndedClaimVerdict = () => ({ kind: 'unknown' }),
) {
  const queue = [...answers];
  const asked: string[] = [];
  const admitted: string[] = [];
  const released: string[] = [];
  const failed: unknown[] = [];
  const limits: number[] = [];
  const room = { slots: 2, isPaused: false, isHeld: false, store: Promise.resolve() };
  let requestId = 1;
  const problems: unknown[] = [];
  const answerClaim = async (request: Pick<NonNullable<TurnRequest['claim']>, 'requestId' | 'limit'>) => {
    asked.push(request.requestId);
    limits.push(request.limit);
    const next = queue.shift() ?? [];
    const answer = typeof next === 'function' ? next() : next;
    if (answer instanceof Error) throw answer;
    return answer;
  };
  const clock = new ManualClock();
  const robot = () => ({
    robotId: 'r',
    name: 'r',
    capabilities: [],
    tags: [],
    maxConcurrentJobs: 2,
    version: '0',
    bootId: 'b',
  });
  const intake = new JobIntake({
    locker: {
      claim: answerClaim,
      release: async (jobId, end) => {
        if (end?.status === undefined) released.push(jobId);
        else failed.push({ jobId, ...end });
        return 'ok';
      },
    },
    ended: { settle: async (job) => ended(job) },
    isPaused: () => room.isPaused,
    isHeld: () => room.isHeld,
    desk: {
      get freeSlots() {
        return Math.max(0, room.slots - admitted.length);
      },
      has: (job) => admitted.includes(job.jobId),
      admit: async (job) => {
        await room.store;
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
      retire: async () => void asked.push('retired'),
    },
    robot,
    onProblem: (error) => error !== null && problems.push(error),
    logger: { log: () => undefined },
  });
  const robotTurn = new RobotTurn({
    connection: { isConnected: true },
    gateway: { schemaVersion: async () => 7, registerRobot: async () => undefined },
    locker: {
      turn: async (request) => ({
        leases: [],
        claims: request.claim === null ? [] : await answerClaim(request.claim),
        fleetSize: null,
      }),
      heartbeatAll: async () => [],
      held: [],
    },
    checker: { answered: () => undefined, checkNow: async () => undefined },
    intake,
    robot,
    presence: () => ({ status: 'idle', metrics: null }),
    presenceIntervalMs: Number.POSITIVE_INFINITY,
    clock,
  });
  /** A whole turn, with what it brings stored. */
  const turn = async (): Promise<void> => {
    await robotTurn.take(never);
    await clock.advance(0);
  };
  return { intake, turn, asked, limits, admitted, released, failed, room, problems };
}

it('gives its request id up when the robot stops, unless a claim may have been made under it', async () => {
  const idle = setup([[]]);
  await idle.intake.retire();
  expect(idle.asked).toEqual([]);
  await idle.turn();
  await idle.intake.close();
  await idle.intake.retire();
  expect(idle.asked.at(-1)).toBe('retired');
  const lost = setup([new Error('the answer got lost')]);
  await lost.turn().catch(() => undefined);
  await lost.intake.close();
  await lost.intake.retire();
  expect(lost.asked).toEqual(['request-1']);
});

describe('JobIntake', () => {
  it('asks under a new id only after the claimed jobs are stored', async () => {
    const { turn, asked, admitted } = setup([[], [], [claim('a')], []]);
    for (let count = 0; count < 4; count += 1) await turn();
    expect(asked).toEqual(['request-1', 'request-2', 'request-2', 'request-3']);
    expect(admitted).toEqual(['a']);
  });

  it('repeats an id whose answer got lost, and gives it up when nothing of it is left', async () => {
    const { turn, asked, admitted } = setup([[], new Error('answer lost'), [], [claim('b')]]);
    await turn();
    await expect(turn()).rejects.toThrow('answer lost');
    await turn();
    await turn();
    expect(asked).toEqual(['request-1', 'request-2', 'request-2', 'request-3']);
    expect(admitted).toEqual(['b']);
  });

  it('ends a job that the store refuses for what is in it: it would be claimed and handed back for ever', async () => {
    for (const code of ['NOT_SERIALIZABLE', 'INVALID_ARGUMENT']) {
      const { turn, asked, released, failed } = setup([[claim('a')], []], { code });
      await turn();
      await turn();
      expect({ asked, released }).toEqual({ asked: ['request-1', 'request-2'], released: [] });
      const message = expect.stringMatching(/^its robot cannot take the job as it is: refused/);
      const error = { code: 'JOB_NOT_STORABLE', category: 'permanent', message };
      expect(failed).toEqual([{ jobId: 'a', status: 'failed', error }]);
    }
  });

  it('hands back a claim that the store refuses for what it is, and asks again for one it cannot take now', async () => {
    for (const code of ['JOB_CONFLICT', 'STALE_LEASE', 'JOB_FINAL']) {
      const refused = setup([[claim('a')], []], { code });
      await refused.turn();
      await refused.turn();
      expect([refused.released, refused.asked]).toEqual([['a'], ['request-1', 'request-2']]);
    }
    const full = setup([[claim('a')], [claim('a')]], { code: 'STORE_FULL' });
    await full.turn();
    await full.turn();
    expect(full.problems).toMatchObject([{ code: 'STORE_FULL' }, { code: 'STORE_FULL' }]);
    expect(full.asked).toEqual(['request-1', 'request-1']);
    expect(full.released).toEqual([]);
  });

  it('takes nothing of a claim whose job is over here, also when it has no place, and goes on under a new id', async () => {
    const verdicts: Record<string, EndedClaimVerdict> = {
      a: { kind: 'settled' },
      b: { kind: 'hand-back', reason: 'its token was given before' },
      c: { kind: 'unknown' },
    };
    const { turn, asked, admitted, released, room } = setup(
      [[claim('a'), claim('b'), claim('c')], []],
      {},
      ({ jobId }) => verdicts[jobId] ?? { kind: 'unknown' },
    );
    room.slots = 1;
    await turn();
    room.slots = 2;
    await turn();
    expect({ asked, admitted, released }).toEqual({
      asked: ['request-1', 'request-2'],
      admitted: ['c'],
      released: ['b'],
    });
  });

  it('takes no more than what can start when the limit is lowered, or the robot paused, while it asks', async () => {
    const lowered = setup([
      () => {
        lowered.room.slots = 1;
        return [claim('a'), claim('b')];
      },
    ]);
    await lowered.turn();
    expect([lowered.admitted, lowered.released]).toEqual([['a'], ['b']]);
    const paused = setup([
      () => {
        paused.room.isPaused = true;
        return [claim('a'), claim('b')];
      },
    ]);
    await paused.turn();
    expect([paused.admitted, paused.released]).toEqual([[], ['a', 'b']]);
  });

  it('keeps what was claimed when the robot stops claiming while its jobs are being stored', async () => {
    const { turn, admitted, released, limits, room } = setup([[claim('a'), claim('b')], [claim('c')]]);
    const disk = Promise.withResolvers<void>();
    room.store = disk.promise;
    await turn();
    room.isHeld = true;
    await turn();
    disk.resolve();
    await eventually('both are stored', () => admitted.length === 2);
    await turn();
    expect([admitted, released, limits]).toEqual([['a', 'b'], [], [2]]);
  });

  it('hands back what its store has no room for, once it is known that there will be none', async () => {
    const { turn, asked, released, room } = setup([[claim('a')], [claim('a')]], { code: 'STORE_FULL' });
    await turn();
    expect(released).toEqual([]);
    room.isHeld = true;
    await turn();
    expect([asked, released]).toEqual([['request-1', 'request-1'], ['a']]);
  });

  it('claims nothing while it is paused, held or full, and goes on afterwards', async () => {
    const { turn, limits, room } = setup([[], [claim('a')]]);
    await turn();
    room.isPaused = true;
    await turn();
    room.isPaused = false;
    room.isHeld = true;
    await turn();
    room.isHeld = false;
    room.slots = 0;
    await turn();
    room.slots = 2;
    await turn();
    expect(limits).toEqual([2, 2]);
  });

  it('asks after a claim that got lost also when it is full, and hands back what it has no place for', async () => {
    const { turn, limits, admitted, released, room } = setup([[claim('a'), claim('b')]]);
    room.slots = 0;
    await turn();
    expect([limits, admitted, released]).toEqual([[0], [], ['a', 'b']]);
  });

  it('leaves a job alone that comes back with a repeated claim and is here already', async () => {
    const { turn, admitted, released } = setup([
      [claim('a')],
      new Error('answer lost'),
      [claim('a'), claim('b'), claim('c')],
    ]);
    for (let count = 0; count < 3; count += 1) await turn().catch(() => undefined);
    expect([admitted, released]).toEqual([['a', 'b'], ['c']]);
  });

  it('hands back what a claim that was cut short has claimed, when it stops', async () => {
    const { intake, turn, limits, released, room } = setup([[], new Error('stopped'), [claim('a')]]);
    await turn();
    await intake.handBackLostClaim(never);
    expect(limits).toEqual([2]);
    await expect(turn()).rejects.toThrow('stopped');
    room.slots = 0;
    await intake.handBackLostClaim(never);
    expect([limits, released]).toEqual([[2, 2, 0], ['a']]);
  });
});
