import type { JsonObject } from '@casare/execution';
import { describe, expect, it } from 'vitest';
import { withAnswerPlaces } from './answer-places.ts';
import { findJobId } from './find-job.ts';
import { cancelText, doubtLines } from './job-doubt-view.ts';
import { jobSheet, jobTable, waitsForAnswer } from './job-view.ts';
import { refusalOf } from './resolve-commands.ts';
import { showDuration } from './show-duration.ts';

const job = {
  job_id: '3f2a0000-0000-4000-8000-000000000001',
  name: 'orders',
  status: 'running',
  lost: false,
  in_doubt: [],
  progress: {
    stage: 'executing',
    stages: {
      queued: '2026-11-25T20:12:36.001Z',
      executing: '2026-11-25T20:12:37.500Z',
      loading_workflow: '2026-11-25T20:12:37.500Z',
    },
    percent: 40,
    current_node: 'pay',
    current_nodes: ['look', 'pay'],
    nodes_completed: 3,
    nodes_total: 8,
    steps: 12,
  },
  error: null,
  priority: 0,
  created_at: '2026-11-25T20:12:36+00:00',
  started_at: '2026-11-25T20:12:36.5+00:00',
  completed_at: null,
  robot_name: 'one',
  cancel_requested: true,
  cancel_reason: 'wrong month',
  cancel_requested_by: 'ann',
  result: null,
  variables: { month: '2026-11' },
  attempts: [
    {
      attempt: 1,
      robot_name: 'one',
      claimed_at: '2026-11-25T20:12:36+00:00',
      ended_at: null,
      outcome: null,
      error: null,
    },
  ],
};

it('a duration is rounded, not cut', () => {
  const texts = [999.6, 1_600, 59_600, 3_599_600, 3_635_000, 5_399_000, 86_399_000].map(showDuration);
  expect(texts).toEqual(['1 s', '2 s', '1 m 0 s', '1 h 0 m', '1 h 1 m', '1 h 30 m', '1 d 0 h']);
});

describe('job list', () => {
  it('has a header, and columns as wide as what they hold', () => {
    expect(
      jobTable([job, { ...job, status: 'completed', name: 'a', progress: { percent: 100 }, robot_name: null }]),
    ).toEqual([
      'JOB                                   STATUS                DONE  NAME    ROBOT  SUBMITTED',
      '3f2a0000-0000-4000-8000-000000000001  running (cancelling)   40%  orders  one    2026-11-25 20:12:36 UTC',
      '3f2a0000-0000-4000-8000-000000000001  completed             100%  a              2026-11-25 20:12:36 UTC',
    ]);
    expect(jobTable([])).toEqual(['no jobs']);
    expect([job, { ...job, lost: true }, { ...job, in_doubt: [{}] }].map(waitsForAnswer)).toEqual([false, true, true]);
  });
});

describe('job show', () => {
  it('shows what a person asks for, and nothing that is empty', () => {
    expect(jobSheet(job)).toEqual([
      'job        3f2a0000-0000-4000-8000-000000000001',
      'name       orders',
      'status     running (cancelling)',
      'progress   40% of the way, executing, at look, pay, 3 of 8 nodes completed, 12 steps',
      'cancel     requested by ann: wrong month',
      'submitted  2026-11-25 20:12:36 UTC',
      'started    2026-11-25 20:12:36 UTC',
      'robot      one',
      'stages     queued 20:12:36.001, loading_workflow 20:12:37.500, executing 20:12:37.500',
      '',
      'variables',
      '  month  "2026-11"',
      '',
      'attempts',
      '  CLAIM  ATTEMPT  OUTCOME  ROBOT  CLAIMED                  ENDED  ERROR',
      '      1  1        running  one    2026-11-25 20:12:36 UTC',
    ]);
  });

  it('names the node and the message of an error, and cuts long values', () => {
    const lines = jobSheet({
      ...job,
      status: 'failed',
      error: { code: 'FILE_NOT_FOUND', node_id: 'read', message: 'no such\nfile' },
      result: { nodes_executed: 3, nodes_total: 8, duration_ms: 61_000, variables: { long: 'x'.repeat(500) } },
    });
    expect(lines).toContain('error      FILE_NOT_FOUND at read: no such file');
    expect(lines).toContain('result     3 of 8 nodes executed in 1 m 1 s');
    expect(lines.find((line) => line.startsWith('  long'))).toMatch(/x… \(cut\)$/);
  });

  it('counts the whole job: what restarts and waits took is told beside the work', () => {
    const times = { started_at: '2026-11-25T20:12:36+00:00', completed_at: '2026-11-25T20:14:39+00:00' };
    const stages = {
      executing: '2026-11-24T20:12:37.500Z',
      resumed: '2026-11-25T20:13:37.000Z',
      completed: '2026-11-25T20:14:39.000Z',
    };
    const result = { nodes_executed: 8, nodes_total: 8, duration_ms: 61_000 };
    const lines = jobSheet({ ...job, ...times, status: 'completed', result, progress: { ...job.progress, stages } });
    expect(lines).toContain('result     8 of 8 nodes executed, 1 m 1 s of work, 2 m 3 s from start to end');
    const failed = { ...job, status: 'failed', result: { ...result, nodes_executed: 4 } };
    expect(jobSheet(failed)).toContain('result     4 of 8 nodes executed, 3 of them completed, in 1 m 1 s');
    expect(lines).toContain(
      'stages     executing 2026-11-24 20:12:37.500, resumed 2026-11-25 20:13:37.000, completed 2026-11-25 20:14:39.000',
    );
    const often = { ...stages, resumed: '2026-11-25T20:14:37.000Z' };
    const resumed_at = [stages.resumed, '2026-11-25T20:14:37.000Z'];
    const progress = { ...job.progress, stages: often, resumed_at, resumptions: 5 };
    expect(jobSheet({ ...job, progress })).toContain(
      'stages     executing 2026-11-24 20:12:37.500, resumed 2026-11-25 20:13:37.000, resumed 2026-11-25 20:14:37.000, ' +
        'completed 2026-11-25 20:14:39.000, resumed 5 times in all',
    );
    const quick = { ...times, completed_at: '2026-11-25T20:13:38+00:00' };
    expect(jobSheet({ ...job, ...quick, status: 'completed', result })).toContain(
      'result     8 of 8 nodes executed in 1 m 1 s',
    );
  });

  it('says that no node has run of a workflow that was refused, and what its progress knows when it was refused later', () => {
    const refused = {
      ...{
        ...job,
        status: 'failed',
        started_at: '2026-11-25T20:12:36+00:00',
        completed_at: '2026-11-25T20:12:37+00:00',
      },
      error: { code: 'WORKFLOW_INVALID', message: 'there is no node type "Nope"' },
      result: { nodes_executed: 0, nodes_total: 0, duration_ms: 0 },
    };
    const nothing = { percent: 0, stage: 'failed', nodes_completed: 0, nodes_total: 0, steps: 0 };
    const lines = jobSheet({ ...refused, progress: nothing });
    expect(lines).toContain('result     no node has run');
    expect(lines).toContain('progress   0%, failed, no node has run');
    expect(lines.join()).not.toContain('of 0');
    expect(jobSheet(refused)).toContain('result     3 of 8 nodes completed, 1 s from start to end');
  });

  it('tells the claims of one attempt apart, and no node runs of a job that is over', () => {
    const claim = { ...job.attempts[0], ended_at: '2026-11-25T20:13:36+00:00' };
    const lines = jobSheet({
      ...job,
      status: 'dead',
      on_lost: 'restart',
      max_attempts: 2,
      attempts: [
        { ...claim, outcome: 'released' },
        { ...claim, outcome: 'lost' },
        { ...claim, attempt: 2, outcome: 'lost' },
      ],
    });
    expect(lines).toContain('on lost    restart');
    expect(lines).toContain('progress   40% of the way, last seen at look, pay, 3 of 8 nodes completed, 12 steps');
    expect(lines.slice(-3).map((line) => line.slice(0, 26))).toEqual([
      '      1  1 of 2   released',
      '      2  1 of 2   lost    ',
      '      3  2 of 2   lost    ',
    ]);
  });

  it('lists what was answered', () => {
    const answers = [
      { node_id: 'pay', step: 7, attempt: 1, answer: 'retry', by: 'ann', at: '2026-11-25T20:12:36Z' },
      { node_id: null, step: 9, attempt: 1, answer: 'restart', by: 'ben', at: '2026-11-25T20:12:37Z' },
    ];
    const payload = { step: 7, attempt: 1, place: 'turn 2 of each' };
    const events = [
      { node_id: 'pay', payload },
      { node_id: 'pay', payload: { ...payload, attempt: 2, place: 'turn 3 of each' } },
    ];
    const lines = jobSheet(withAnswerPlaces({ ...job, past_answers: answers }, events));
    expect(lines.slice(lines.indexOf('answered'), lines.indexOf('answered') + 3)).toEqual([
      'answered',
      '  node pay (step 7, turn 2 of each): retry by ann at 2026-11-25 20:12:36 UTC',
      '  the job as a whole: restart by ben at 2026-11-25 20:12:37 UTC',
    ]);
  });

  it('says why a job was cancelled before it ran', () => {
    const queued = { ...job, status: 'cancelled', error: null };
    expect(jobSheet(queued)).toContain('error      CANCELLED: wrong month');
  });
});

describe('what a job waits for', () => {
  const command = 'casare-robot job resolve 3f2a0000-0000-4000-8000-000000000001';
  const question = (changes: JsonObject): JsonObject => ({
    node_id: 'pay',
    step: 7,
    attempt: 1,
    reason: 'the answer got lost',
    answers: ['retry', 'skip', 'fail'],
    ...changes,
  });

  it('is shown with the command to type', () => {
    expect(doubtLines({ ...job, in_doubt: [question({})] })).toEqual([
      'node pay (step 7): the answer got lost',
      `  ${command} --retry    # run it again`,
      `  ${command} --skip    # go on without its outputs`,
      `  ${command} --fail    # it has failed`,
    ]);
    const [, there] = doubtLines({ ...job, in_doubt: [question({})] }, { local: true, config: 'my robot.json' });
    expect(there).toContain(" --retry --local --config 'my robot.json' ");
    expect(doubtLines({ ...job, in_doubt: [] })).toEqual([]);
  });

  it('is told apart when several wait, and is not asked again once it was answered', () => {
    const lines = doubtLines({
      ...job,
      in_doubt: [
        question({ place: 'item 0 of each' }),
        question({ step: 8, place: 'item 1 of each' }),
        question({ node_id: "an 'odd' one", step: 9 }),
      ],
      answers: [
        { node_id: 'pay', step: 8, attempt: 1, answer: 'skip', by: 'ann', at: '2026-11-25T20:12:36Z' },
        { node_id: 'pay', step: 7, attempt: 9, answer: 'skip', by: 'an answer to an earlier question', at: '' },
      ],
    });
    expect(lines).toContain('node pay (step 7, item 0 of each): the answer got lost');
    expect(lines).toContain(`  ${command} --retry --node pay --step 7    # run it again`);
    expect(lines).toContain('  answered skip by ann at 2026-11-25 20:12:36 UTC; its robot has not taken it yet');
    expect(lines.filter((line) => line.includes('--step 8'))).toEqual([]);
    expect(lines).toContain(`  ${command} --retry --node 'an '\\''odd'\\'' one'    # run it again`);
  });

  it('may be the job as a whole, or that it is lost', () => {
    expect(
      doubtLines({
        ...job,
        lost: true,
        in_doubt: [question({ node_id: null, step: null, answers: ['restart', 'fail'] })],
      }),
    ).toEqual([
      'the job as a whole: the answer got lost',
      `  ${command} --restart    # begin anew, from the first node; what it did is done again`,
      `  ${command} --fail    # end it as failed`,
      expect.stringMatching(/^lost: its robot has not renewed its lease in time, and cancels it when it comes back/),
      `  ${command} --restart    # begin anew, from the first node; what it did is done again`,
      `  ${command} --fail    # end it as failed`,
    ]);
  });
});

it('a cancel says who ends the job, and what to do when its robot does not answer', () => {
  expect(cancelText('3f2a', 'requested', false)).toBe('asked to stop; its robot ends it as cancelled');
  expect(cancelText('3f2a', 'requested', true, { local: true })).toMatch(
    /its robot does not answer.*when it comes back; `casare-robot job resolve 3f2a --fail --local` ends it now, as failed/,
  );
});

describe('an answer that is not taken', () => {
  const refusal = (decision: 'retry' | 'restart', node: string | undefined, changes: JsonObject): string =>
    refusalOf('not-waiting', decision, node === undefined ? {} : { node }, { ...job, ...changes });

  it('is refused with what a lost job can be answered with', () => {
    expect(refusal('retry', undefined, { lost: true })).toBe('it is lost, which cannot be answered with --retry:');
    expect(refusal('restart', 'pay', { lost: true })).toBe('nothing waits for an answer at node pay; what does:');
    expect(refusal('retry', undefined, {})).toBe('nothing of it waits for an answer');
  });

  it('names the node that was probably meant', () => {
    const inDoubt = { in_doubt: [{ node_id: 'look' }, { node_id: 'pay' }] };
    expect(refusal('retry', 'payy', inDoubt)).toBe(
      'nothing waits for an answer at node payy (did you mean pay?); what does:',
    );
    expect(refusal('retry', 'elsewhere', inDoubt)).toBe('nothing waits for an answer at node elsewhere; what does:');
  });
});

describe('the beginning of an id', () => {
  const gatewayOf = (count: number) => ({
    findJobs: async (_prefix: string, limit = 10) =>
      Array.from({ length: Math.min(count, limit) }, (_unused, n) => ({
        jobId: `3f2a-${n}`,
        name: 'n',
        status: 'pending',
      })),
  });

  it('stands for the one job that has it', async () => {
    expect(await findJobId(gatewayOf(1), '3f2a')).toBe('3f2a-0');
    expect(await findJobId(gatewayOf(9), job.job_id)).toBe(job.job_id);
  });

  it('is refused when no job has it, or several have, which are named', async () => {
    await expect(findJobId(gatewayOf(0), '3f2a')).rejects.toMatchObject({ exitCode: 1 });
    await expect(findJobId(gatewayOf(2), '3f2a')).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringMatching(/several.*3f2a-0.*3f2a-1/s),
    });
    await expect(findJobId(gatewayOf(0), 'orders')).rejects.toMatchObject({ exitCode: 2 });
  });
});

it('a running job whose robot was stopped says so, and how its bundle is asked for tells the same database', () => {
  const stopped = { ...job, cancel_requested: false, robot_offline_since: '2026-11-25T20:14:00+00:00' };
  const sheet = jobSheet({ ...stopped, progress: { ...job.progress, steps: 1 } });
  expect(sheet).toContain('status     running (robot offline)');
  expect(sheet).toContain('waits      for its robot one, which is offline since 2026-11-25 20:14:00 UTC');
  expect(sheet).toContain('progress   40% of the way, last seen at look, pay, 3 of 8 nodes completed, 1 step');
  const error = { code: 'X', message: 'm', bundle: { id: '3f2a0000-0000', robot: 'one' } };
  expect(jobSheet({ ...job, status: 'failed', error }, { local: true })).toContain(
    'bundle     casare-robot job bundle 3f2a0000 --local, on the machine of one',
  );
});
