import { expect, test } from 'vitest';
import type { Engine } from '../engines.ts';
import { type Claim, newId, type Orchestra } from '../orchestra.ts';

export function claimingSuite(db: () => Orchestra, engine: Engine): void {
  test('hands out the highest priority first, then the oldest', async () => {
    const robot = await db().robot();
    const low = await db().enqueue({ p_priority: -1 });
    const old = await db().enqueue();
    const young = await db().enqueue();
    const high = await db().enqueue({ p_priority: 9 });

    const claims = await db().claim(robot, { p_limit: 10 });

    expect(claims.map(({ job_id }) => job_id)).toEqual([high, old, young, low]);
  });

  test('hands out no more than asked for, and nothing for a limit of 0', async () => {
    const robot = await db().robot();
    for (let i = 0; i < 3; i++) await db().enqueue();

    expect(await db().claim(robot, { p_limit: 0 })).toEqual([]);
    expect(await db().claim(robot, { p_limit: 2 })).toHaveLength(2);
    expect(await db().claim(robot, { p_limit: 2 })).toHaveLength(1);
    expect(await db().claim(robot, { p_limit: 2 })).toEqual([]);
  });

  test('gives everything a robot needs to run the job, the workflow byte for byte', async () => {
    const robot = await db().robot();
    const workflow =
      '{ "metadata": {"name": "Äpfel \\u00e4 ❤"},\n "nodes": {"b": 1, "10": 2.50, "9": 12345678901234567890} }';
    const jobId = await db().enqueue({
      p_workflow: workflow,
      p_variables: { z: [1, null], a: 'x' },
      p_max_attempts: 3,
      p_timeout_ms: 60_000,
      p_on_lost: 'restart',
      p_in_doubt_policy: 'ask',
    });

    const [claim] = await db().claim(robot, { p_lock_timeout_ms: 12_000 });

    expect(claim).toEqual({
      job_id: jobId,
      lease_token: expect.stringMatching(/^\d+$/),
      name: 'Äpfel ä ❤',
      workflow,
      variables: { z: [1, null], a: 'x' },
      attempt: 1,
      max_attempts: 3,
      timeout_ms: 60_000,
      on_lost: 'restart',
      in_doubt_policy: 'ask',
      cancel_requested: false,
      lease_ms: 12_000,
      last_seq: 0,
      recorded: 0,
    });
  });

  test('leaves a job alone until it is due', async () => {
    const robot = await db().robot();
    const later = await db().enqueue({ p_run_at: '2999-01-01T00:00:00Z' });

    expect(await db().claim(robot)).toEqual([]);
    expect(await db().rpc('claim_job', { p_job_id: later, p_robot_id: robot })).toBeNull();
  });

  test('gives a job only to a robot with all the tags and capabilities it asks for', async () => {
    const tags = ['eu', 'a "quoted", {odd} tag'];
    const robot = await db().robot({ tags, capabilities: ['browser'] });
    const jobId = await db().enqueue({ p_required_tags: tags, p_required_capabilities: ['browser'] });

    expect(await db().claim(robot)).toEqual([]);
    expect(await db().claim(robot, { p_tags: tags })).toEqual([]);
    expect(await db().claim(robot, { p_tags: ['eu'], p_capabilities: ['browser'] })).toEqual([]);
    const claims = await db().claim(robot, { p_tags: [...tags, 'more'], p_capabilities: ['browser', 'excel'] });
    expect(claims.map(({ job_id }) => job_id)).toEqual([jobId]);
  });

  test('gives a job meant for one robot to that robot only', async () => {
    const [mine, other] = [await db().robot(), await db().robot()];
    const jobId = await db().enqueue({ p_target_robot: mine });

    expect(await db().claim(other)).toEqual([]);
    expect(await db().rpc('claim_job', { p_job_id: jobId, p_robot_id: other })).toBeNull();
    expect(await db().claim(mine)).toMatchObject([{ job_id: jobId }]);
  });

  test('answers a repeated request with the claims it made, and makes no new ones', async () => {
    const robot = await db().robot();
    for (let i = 0; i < 3; i++) await db().enqueue();
    const requestId = newId();
    const first = await db().claim(robot, { p_request_id: requestId, p_limit: 2 });
    await db().expire(first[0]?.job_id ?? '');

    const again = await db().claim(robot, { p_request_id: requestId, p_limit: 2 });

    expect(again).toEqual(first);
    expect(await db().job(first[0]?.job_id ?? '')).toMatchObject({ status: 'running', lost: false });
  });

  test('answers a request repeated after its jobs have ended with nothing', async () => {
    const robot = await db().robot();
    await db().enqueue();
    await db().enqueue();
    const requestId = newId();
    const [claim] = await db().claim(robot, { p_request_id: requestId });
    await db().complete(claim as Claim);

    expect(await db().claim(robot, { p_request_id: requestId })).toEqual([]);
  });

  test('gives the same claims to repeats that arrive at the same time', async () => {
    const robot = await db().robot();
    for (let i = 0; i < 12; i++) await db().enqueue();
    const requestId = newId();

    const answers = await Promise.all(
      Array.from({ length: 6 }, () => db().claim(robot, { p_request_id: requestId, p_limit: 2 })),
    );

    expect(new Set(answers.flat().map(({ lease_token }) => lease_token)).size).toBe(2);
  });

  test('never gives one job to two of many robots that claim at the same time', async () => {
    const robots = await Promise.all(Array.from({ length: engine.parallel ? 16 : 4 }, () => db().robot()));
    const jobs = engine.parallel ? 200 : 40;
    await db().server.sql("insert into jobs (workflow, name) select '{}', 'race' from generate_series(1, $1::int)", [
      jobs,
    ]);
    const claimAll = async (robot: string): Promise<Claim[]> => {
      const mine: Claim[] = [];
      for (;;) {
        const claims = await db().claim(robot, { p_limit: 3 });
        if (claims.length === 0) return mine;
        mine.push(...claims);
      }
    };

    const claims = (await Promise.all(robots.map(claimAll))).flat();

    expect(claims).toHaveLength(jobs);
    expect(new Set(claims.map(({ job_id }) => job_id)).size).toBe(jobs);
    expect(new Set(claims.map(({ lease_token }) => lease_token)).size).toBe(jobs);
  });

  test('claims one given job by name, once', async () => {
    const [first, second] = [await db().robot(), await db().robot()];
    const jobId = await db().enqueue();

    const claim = await db().rpc('claim_job', { p_job_id: jobId, p_robot_id: first });

    expect(claim).toMatchObject({ job_id: jobId, attempt: 1, lease_ms: 300_000 });
    expect(await db().rpc('claim_job', { p_job_id: jobId, p_robot_id: second })).toBeNull();
    expect(await db().rpc('claim_job', { p_job_id: newId(), p_robot_id: first })).toBeNull();
  });

  test('recovers the claim of one given job by its request', async () => {
    const robot = await db().robot();
    const args = { p_job_id: await db().enqueue(), p_robot_id: robot, p_request_id: newId() };

    const claim = await db().rpc('claim_job', args);

    expect(await db().rpc('claim_job', args)).toEqual(claim);
  });

  test('holds a robot to what it registered when it claims a given job', async () => {
    const [plain, able] = [await db().robot(), await db().robot({ capabilities: ['browser'], tags: ['eu'] })];
    const jobId = await db().enqueue({ p_required_capabilities: ['browser'], p_required_tags: ['eu'] });

    expect(await db().rpc('claim_job', { p_job_id: jobId, p_robot_id: plain })).toBeNull();
    expect(await db().rpc('claim_job', { p_job_id: jobId, p_robot_id: able })).toMatchObject({ job_id: jobId });
  });

  test.each([
    ['p_robot_id', { p_robot_id: '00000000-0000-4000-8000-000000000000' }],
    ['p_request_id', { p_request_id: null }],
    ['p_limit', { p_limit: -1 }],
    ['p_limit', { p_limit: 1001 }],
    ['p_lock_timeout_ms', { p_lock_timeout_ms: 0 }],
  ])('refuses a claim with a bad %s by name', async (name, bad) => {
    const args = { p_robot_id: await db().robot(), p_request_id: newId(), p_limit: 1, ...bad };

    const refusal = await db().refused('claim_jobs', args);

    expect(refusal).toMatchObject({ code: '22023', status: 400 });
    expect(refusal.message).toContain(name);
  });
}
