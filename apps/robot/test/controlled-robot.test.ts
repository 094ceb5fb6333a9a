/** The daemon as an operator on its machine meets it: status, limit, pause, stop; with jobs that the test holds. */
import { existsSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import type { JsonObject } from '@casare/execution';
import { readAuditLog } from '@casare/observability';
import { eventually } from '@casare/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { runCommand, startCommand } from './support/command.ts';
import { heldJob } from './support/held-job.ts';
import { type Operator, operatorOf } from './support/operator.ts';
import { type PooledSupabase, pooledSupabase } from './support/pooled-supabase.ts';
import { temporaryFolder } from './support/robot-home.ts';

/** A job's process has to start first; on a busy machine that takes a while. */
const patient = { timeoutMs: 60_000 };

let server: PooledSupabase;
let operator: Operator;

beforeAll(async () => {
  server = await pooledSupabase();
  operator = await operatorOf(server);
});

afterAll(async () => {
  await operator?.close();
  await server?.stop();
});

/** What a failed test leaves waiting must not be taken by the next robot. */
afterEach(async () => {
  for (const { job_id: jobId } of await operator.gateway.listJobs({ status: 'pending' })) {
    await operator.gateway.cancelJob(String(jobId), 'the test is over');
  }
});

/** A daemon with the jobs in its work folders, which wait until they are let go. */
async function daemon(home = temporaryFolder(), more: Readonly<Record<string, string>> = {}) {
  const env = {
    SUPABASE_URL: server.url,
    SUPABASE_KEY: server.serviceKey,
    CASARE_HOME: home,
    CASARE_JOB_EXECUTION_POLL_INTERVAL_MS: '250',
    CASARE_JOB_EXECUTION_PROGRESS_INTERVAL_MS: '100',
    CASARE_JOB_EXECUTION_CANCELLATION_CHECK_INTERVAL_MS: '200',
    CASARE_JOB_EXECUTION_HEARTBEAT_INTERVAL_MS: '500',
    ...more,
  };
  const robot = startCommand(['start'], { env });
  onTestFinished(() => robot.kill());
  await eventually('the robot starts', () => robot.lines.some((line) => line.startsWith('robot ')), patient);
  const work = (jobId: string, file: string): string => join(home, 'work', jobId, file);
  return {
    home,
    robot,
    ask: (...words: readonly string[]) => runCommand(words, { env }),
    status: async (): Promise<JsonObject> => JSON.parse((await runCommand(['status', '--json'], { env })).stdout),
    begun: (jobs: readonly string[]) => jobs.filter((jobId) => existsSync(work(jobId, 'begun'))),
    letGo: (jobId: string) => writeFileSync(work(jobId, 'go'), ''),
  };
}

const statusOf = async (jobId: string): Promise<unknown> => (await operator.job(jobId)).status;

/** When the first and the last node of a job ran, by the history in the database. */
async function spanOf(jobId: string): Promise<{ from: number; to: number }> {
  const history = await operator.gateway.getJobHistory(jobId);
  const at = (node: string): number => {
    const events = history.filter((event) => event.kind === 'node_completed' && event.node_id === node);
    expect([node, events.length]).toEqual([node, 1]);
    return Date.parse(String(events[0]?.at));
  };
  return { from: at('begin'), to: at('end') };
}

describe('a limit of three', () => {
  it('is kept by eight jobs, and as it is raised and lowered meanwhile', { timeout: 240_000 }, async () => {
    const robot = await daemon();
    const jobs: string[] = [];
    for (let n = 0; n < 8; n += 1) jobs.push(await operator.submit(heldJob(`held-${n}`)));
    const begun = (count: number): Promise<unknown> =>
      eventually(`${count} jobs have begun`, () => robot.begun(jobs).length === count, patient);
    const inDatabase = async (status: string): Promise<number> =>
      (await operator.gateway.listJobs({ status })).filter((job) => jobs.includes(String(job.job_id))).length;

    await begun(3);
    expect([await inDatabase('running'), await inDatabase('pending')]).toEqual([3, 5]);
    const raisedAt = Date.now();
    expect(await robot.ask('limit', '5')).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('up to 5') });
    await begun(5);
    expect([await inDatabase('running'), await inDatabase('pending')]).toEqual([5, 3]);

    expect((await robot.ask('limit', '1')).exitCode).toBe(0);
    const loweredAt = Date.now();
    const [first, ...others] = robot.begun(jobs);
    robot.letGo(first as string);
    await operator.ended(first as string);
    expect(await robot.status()).toMatchObject({ max_concurrent_jobs: 1, running: { length: 4 } });
    for (const jobId of others) robot.letGo(jobId);
    for (let count = 6; count <= 8; count += 1) {
      await begun(count);
      expect(await inDatabase('running')).toBe(1);
      for (const jobId of robot.begun(jobs)) robot.letGo(jobId);
    }

    const ended = await Promise.all(jobs.map((jobId) => operator.ended(jobId)));
    expect(ended.map((job) => [job.status, (job.attempts as JsonObject[]).length])).toEqual(
      Array(8).fill(['completed', 1]),
    );
    // By the history in the database: how many others were running at the moment in which each one began.
    const spans = await Promise.all(jobs.map(spanOf));
    const limitAt = (time: number): number => (time < raisedAt ? 3 : time < loweredAt ? 5 : 1);
    const overlaps = spans.map(({ from }) => spans.filter((span) => span.from <= from && from < span.to).length);
    expect(spans.filter(({ from }, index) => (overlaps[index] ?? 0) > limitAt(from))).toEqual([]);
    expect(Math.max(...overlaps)).toBe(5);
  });
});

describe('a running robot', () => {
  it('tells its status, takes no new jobs while it is paused, and is still paused after a restart', async () => {
    const first = await daemon();
    const jobId = await operator.submit(heldJob('before the pause'));
    await eventually('it has begun', () => first.begun([jobId]).length === 1, patient);
    const paused = await first.ask('pause', '--note', 'month end');
    expect(paused).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/paused .*month end.*1 running/) });
    const waiting = await operator.submit(heldJob('during the pause'));
    const plain = await first.ask('status');
    expect(plain.stdout).toMatch(/paused +since .*\(month end\)/);
    expect(plain.stdout).toMatch(new RegExp(`${jobId} +before the pause +\\d+% .*\\d+ s|ms`));
    expect(await first.status()).toMatchObject({
      state: 'running',
      max_concurrent_jobs: 3,
      running: [{ job_id: jobId, name: 'before the pause', stage: 'executing', nodes: [expect.any(String)] }],
      paused: { note: 'month end', remaining_ms: null },
      connection: { state: 'CONNECTED', is_connected: true },
    });
    await eventually('the server knows', async () => {
      const [row] = await server.sql<{ status: string; note: string }>(
        "select status, metrics -> 'paused' ->> 'note' as note from robots order by last_seen desc limit 1",
      );
      return row?.status === 'paused' && row.note === 'month end';
    });
    first.letGo(jobId);
    expect((await operator.ended(jobId)).status).toBe('completed');
    const shown = await first.ask('job', 'show', jobId.slice(0, 8));
    expect(shown.stdout).toMatch(new RegExp(`^job +${jobId}\\nname +before the pause\\nstatus +completed\\n`));
    expect((await first.ask('job', 'list', '--status', 'completed')).stdout).toMatch(/^JOB +STATUS +DONE +NAME/);
    expect((await first.ask('job', 'list', '--limit', '1')).stderr).toBe('the newest 1 of these; --limit N for more\n');
    expect(await first.ask('job', 'list', '--status', 'waiting')).toMatchObject({ stdout: 'no jobs\n', stderr: '' });
    expect((await first.ask('limit', '0')).exitCode).toBe(2);
    expect(await first.ask('stop', '--json')).toMatchObject({ exitCode: 0, stdout: '{"state":"stopped"}\n' });
    expect(await first.robot.ended).toBe(0);
    expect(await statusOf(waiting)).toBe('pending');

    const second = await daemon(first.home);
    expect([...second.robot.lines, ...second.robot.errors].join('\n')).toMatch(/still paused.*month end/);
    expect(await statusOf(waiting)).toBe('pending');
    expect(await second.ask('resume', '--note', 'it is over')).toMatchObject({ exitCode: 0, stdout: 'resumed\n' });
    await eventually('it has begun', () => second.begun([waiting]).length === 1, patient);
    second.letGo(waiting);
    expect((await operator.ended(waiting)).status).toBe('completed');
    await second.ask('stop', '--mode', 'suspend');
    const { entries } = await readAuditLog(join(first.home, 'audit'), {
      eventTypes: ['robot.paused', 'robot.resumed', 'robot.stop_requested', 'robot.stopped'],
    });
    const person = userInfo().username;
    const from = { requested_from: 'control socket' };
    expect(entries.map(({ actor, message, details }) => [message, actor, details])).toEqual([
      ['Robot paused: month end', person, { reason: 'month end', until: null, ...from }],
      ['Stop requested: drain', person, { mode: 'drain', reason: null, ...from }],
      ['Robot stopped', person, { mode: 'drain', reason: null, ...from }],
      ['Robot resumed: it is over', person, { reason: 'it is over', ...from }],
      ['Stop requested: suspend', person, { mode: 'suspend', reason: null, ...from }],
      ['Robot stopped', person, { mode: 'suspend', reason: null, ...from }],
    ]);
    expect(await second.ask('status')).toMatchObject({
      exitCode: 69,
      stderr: expect.stringContaining('no robot runs in'),
    });
  });

  it('finishes what runs at the first signal, and cancels it at the second', async () => {
    const first = await daemon();
    const jobId = await operator.submit(heldJob('held'));
    await eventually('the job runs', () => first.begun([jobId]).length === 1, patient);
    first.robot.signal('SIGTERM');
    await eventually('the robot drains', () => first.robot.errors.some((line) => line.startsWith('stopping')));
    expect(await statusOf(jobId)).toBe('running');
    first.robot.signal('SIGTERM');
    expect(await first.robot.ended).toBe(0);
    expect(await statusOf(jobId)).toBe('cancelled');
    const { entries } = await readAuditLog(join(first.home, 'audit'), { eventTypes: ['robot.stop_requested'] });
    expect(entries.map(({ actor, details }) => [actor, details.mode])).toEqual([
      ['SIGTERM', 'drain'],
      ['SIGTERM', 'cancel'],
    ]);
  });

  it('ends at once at the third signal, with exit code 130, and the job goes on at the next start', async () => {
    const first = await daemon(temporaryFolder(), { CASARE_JOB_EXECUTION_CANCEL_GRACE_MS: '600000' });
    const jobId = await operator.submit(heldJob('stubborn', { cleanup: true }));
    await eventually('it has begun', () => first.begun([jobId]).length === 1, patient);
    const told = (text: string): Promise<unknown> =>
      eventually(text, () => first.robot.errors.some((line) => line.includes(text)));
    first.robot.signal('SIGTERM');
    await told('running jobs are finished first');
    expect(await first.status()).toMatchObject({ state: 'stopping' });
    first.robot.signal('SIGTERM');
    await told('running jobs are cancelled');
    await eventually('the job cleans up', () => existsSync(join(first.home, 'work', jobId, 'cleaning')));
    first.robot.signal('SIGTERM');
    expect(await first.robot.ended).toBe(130);
    expect(await statusOf(jobId)).toBe('running');
    const { entries } = await readAuditLog(join(first.home, 'audit'), { eventTypes: ['robot.stop_requested'] });
    expect(entries.map(({ actor, message }) => [actor, message])).toEqual([
      ['SIGTERM', 'Stop requested: drain'],
      ['SIGTERM', 'Stop requested: cancel'],
      ['SIGTERM', 'Stop requested: exit at once'],
    ]);
    const second = await daemon(first.home);
    second.letGo(jobId);
    expect(await operator.ended(jobId)).toMatchObject({
      status: 'cancelled',
      error: { message: 'the robot was told twice to stop', requested_by: 'SIGTERM' },
      progress: { stage: 'cancelled' },
    });
    expect(second.robot.errors.filter((line) => line.includes('not connected'))).toEqual([]);
  });

  it('drains, cancels and suspends what runs at the word of a person on its machine', async () => {
    const first = await daemon();
    const drained = await operator.submit(heldJob('drained'));
    await eventually('the job runs', () => first.begun([drained]).length === 1, patient);
    const stopping = first.ask('stop');
    await eventually('it drains', async () => (await first.status()).state === 'stopping', patient);
    expect(await statusOf(drained)).toBe('running');
    first.letGo(drained);
    expect(await stopping).toMatchObject({ exitCode: 0, stdout: 'stopped\n' });
    expect(await first.robot.ended).toBe(0);
    expect(await statusOf(drained)).toBe('completed');

    const second = await daemon(first.home);
    const cancelled = await operator.submit(heldJob('cancelled'));
    await eventually('the job runs', () => second.begun([cancelled]).length === 1, patient);
    const patience = second.ask('stop');
    await eventually('it drains', async () => (await second.status()).state === 'stopping', patient);
    await second.ask('stop', '--mode', 'cancel');
    await patience;
    expect(await second.robot.ended).toBe(0);
    expect(await operator.job(cancelled)).toMatchObject({
      status: 'cancelled',
      error: { requested_by: userInfo().username },
    });

    const third = await daemon(first.home);
    const suspended = await operator.submit(heldJob('suspended'));
    await eventually('the job runs', () => third.begun([suspended]).length === 1, patient);
    expect(await third.ask('stop', '--mode', 'suspend')).toMatchObject({ exitCode: 0 });
    expect(await third.robot.ended).toBe(0);
    expect(await operator.job(suspended)).toMatchObject({ status: 'running', lost: false });
    const fourth = await daemon(first.home);
    fourth.letGo(suspended);
    expect(await operator.ended(suspended)).toMatchObject({ status: 'completed', attempts: { length: 1 } });
    for (const { robot } of [first, second, third]) {
      expect(robot.errors.filter((line) => line.includes('met a problem'))).toEqual([]);
    }
  });

  it('suspends what has not ended when its time to drain is over', async () => {
    const first = await daemon(temporaryFolder(), { CASARE_JOB_EXECUTION_DRAIN_TIMEOUT_MS: '500' });
    const jobId = await operator.submit(heldJob('long'));
    await eventually('it has begun', () => first.begun([jobId]).length === 1, patient);
    first.robot.signal('SIGTERM');
    expect(await first.robot.ended).toBe(0);
    expect(await operator.job(jobId)).toMatchObject({ status: 'running', lost: false });
    const second = await daemon(first.home);
    second.letGo(jobId);
    expect(await operator.ended(jobId)).toMatchObject({ status: 'completed', attempts: { length: 1 } });
  });
});
