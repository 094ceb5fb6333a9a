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
  };
}

/** An intake whose server answers the claims of the list one after the other. */
function setup(answers: readonly (readonly ClaimedJob[] | Error)[], refused: { code?: string } = {}) {
  const queue = [...answers];
  const asked: string[] = [];
  const admitted: string[] = [];
  const released: string[] = [];
  let requestId = 1;
  const intake = new JobIntake({
    connection: { isConnected: true },
    gateway: { schemaVersion: async () => 1, registerRobot: async () => undefined },
    executor: { freeSlots: 2 },
    locker: {
      claim: async (request) => {
        asked.push(request.requestId);
        const answer = queue.shift() ?? [];
        if (answer instanceof Error) throw answer;
        return answer;
      },
      release: async (jobId) => {
        released.push(jobId);
        return 'ok';
      },
    },
    desk: {
      admit: async (job) => {
        if (refused.code !== undefined) throw Object.assign(new Error('refused'), refused);
        admitted.push(job.jobId);
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
    robot: {
      robotId: 'r',
      name: 'r',
      capabilities: [],
      tags: [],
      maxConcurrentJobs: 2,
      version: '0',
      bootId: 'b',
    },
    logger: { log: () => undefined },
  });
  return { intake, asked, admitted, released };
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
});
