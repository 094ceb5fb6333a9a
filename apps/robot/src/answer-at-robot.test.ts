import type { Lease } from '@casare/execution';
import { describe, expect, it } from 'vitest';
import { type AnswerParts, answerAtRobot } from './answer-at-robot.ts';

const request = {
  jobId: 'job-1',
  answer: 'retry',
  question: { node_id: 'pay', step: 2, attempt: 1 },
  requestedFrom: '127.0.0.1',
} as const;

/** A robot with one job in doubt, and a database that answers as it is told. */
function robot(taken: () => Promise<string>, { isConnected = true }: { readonly isConnected?: boolean } = {}) {
  const audited: object[] = [];
  const asked: unknown[] = [];
  let looks = 0;
  const parts = {
    desk: {
      leaseInDoubt: (jobId: string): Lease | null => (jobId === 'job-1' ? { jobId, leaseToken: '7' } : null),
      holds: (jobId: string) => jobId === 'job-1' || jobId === 'on-its-way',
    },
    gateway: {
      answerDoubt: (...args: readonly unknown[]) => {
        asked.push(args.slice(0, 4));
        return taken();
      },
    },
    connection: { isConnected },
    checker: {
      checkNow: async () => {
        looks += 1;
      },
    },
    audit: { jobAnswerGiven: (entry: object) => audited.push(entry) },
  } as unknown as AnswerParts;
  return { parts, audited, asked, looks: () => looks };
}

describe('an answer at the robot', () => {
  it('goes into the database under the lease of the job, is recorded, and fetched at once', async () => {
    const { parts, audited, asked, looks } = robot(async () => 'answered');
    await answerAtRobot(parts, request, 'Ann, status page of desk');
    expect(asked).toEqual([
      [{ jobId: 'job-1', leaseToken: '7' }, 'retry', request.question, 'Ann, status page of desk'],
    ]);
    const entry = { jobId: 'job-1', nodeId: 'pay', step: 2, attempt: 1, answer: 'retry' };
    const who = { actor: 'Ann, status page of desk', requested_from: '127.0.0.1' };
    expect([audited, looks()]).toEqual([[{ ...entry, ...who, problem: null }], 1]);
  });

  it.each([
    ['already', 'ANSWERED_BEFORE', /first|another answer, which stands/],
    ['not-offered', 'NOT_OFFERED', /cannot be answered with retry/],
    ['not-waiting', 'NOT_ASKED', /look what the job waits for now/],
    ['ambiguous', 'NOT_ASKED', /not asked any more/],
    ['final', 'NO_SUCH_JOB', /job show/],
    ['stale', 'NO_SUCH_JOB', /job show/],
  ])('that the database answers with %s is refused as %s, which is recorded', async (taken, code, message) => {
    const { parts, audited, looks } = robot(async () => taken);
    await expect(answerAtRobot(parts, request, 'x')).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    });
    expect([audited, looks()]).toMatchObject([[{ problem: expect.stringMatching(message) }], 0]);
  });

  it('is not given while the database is away, or about a job that does not wait, and names the migrations where they lack', async () => {
    const away = robot(async () => 'answered', { isConnected: false });
    await expect(answerAtRobot(away.parts, request, 'x')).rejects.toMatchObject({ code: 'NOT_CONNECTED' });
    await expect(answerAtRobot(away.parts, { ...request, jobId: 'job-2' }, 'x')).rejects.toMatchObject({
      code: 'NO_SUCH_JOB',
    });
    // A second answer, while the job goes on by the first one.
    await expect(answerAtRobot(away.parts, { ...request, jobId: 'on-its-way' }, 'x')).rejects.toMatchObject({
      code: 'NOT_ASKED',
      message: expect.stringContaining('waits for no answer now'),
    });
    for (const [jobId, message] of [
      ['f00b', 'this robot has no job f00b; give the whole id, as `/status.json` has it'],
      [
        '11111111-1111-4111-8111-111111111111',
        /^this robot has no job 1{8}-.*, or not any more; `casare-robot job show`/,
      ],
    ] as const)
      await expect(answerAtRobot(away.parts, { ...request, jobId }, 'x')).rejects.toThrow(message);
    expect(away.asked).toEqual([]);
    const old = robot(() => Promise.reject(Object.assign(new Error('no function'), { code: 'PGRST202' })));
    await expect(answerAtRobot(old.parts, request, 'x')).rejects.toThrow(/apply migrations\/, or use .*job resolve/);
    const broken = robot(() => Promise.reject(Object.assign(new Error('timeout'), { code: 'ETIMEDOUT' })));
    await expect(answerAtRobot(broken.parts, request, 'x')).rejects.toThrow('timeout');
    expect(broken.audited).toMatchObject([{ problem: 'timeout' }]);
  });
});
