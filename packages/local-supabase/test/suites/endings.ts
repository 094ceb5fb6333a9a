import { describe, expect, test } from 'vitest';
import { type Claim, lease, type Orchestra } from '../orchestra.ts';

const transient = { code: 'TIMEOUT', category: 'transient', message: 'too slow' };
const permanent = { code: 'BAD_INPUT', category: 'permanent', message: 'no such file' };

export function endingSuite(db: () => Orchestra): void {
  /** Seconds until the job may be claimed again. */
  async function delayOf(jobId: string): Promise<number> {
    const [row] = await db().server.sql<{ seconds: number }>(
      'select extract(epoch from run_at - clock_timestamp())::float8 as seconds from jobs where id = $1',
      [jobId],
    );
    return row?.seconds ?? Number.NaN;
  }

  async function nextAttempt(jobId: string, robot: string): Promise<Claim> {
    await db().makeDue(jobId);
    return db().rpc<Claim>('claim_job', { p_job_id: jobId, p_robot_id: robot });
  }

  test.each(['completed', 'failed', 'cancelled'])('ends as %s, with result, error and attempt', async (status) => {
    const robot = await db().robot();
    const claim = await db().running(robot);
    const error = status === 'failed' ? permanent : null;

    expect(await db().complete(claim, status, { p_result: { rows: 3 }, p_error: error })).toBe('ok');

    expect(await db().job(claim.job_id)).toMatchObject({
      status,
      result: { rows: 3 },
      error,
      completed_at: expect.any(String),
      claimed_by: robot,
      attempts: [{ attempt: 1, outcome: status, error, ended_at: expect.any(String) }],
    });
  });

  test('keeps the first terminal write: a repeat is ok and changes nothing', async () => {
    const claim = await db().running(await db().robot());
    await db().complete(claim, 'completed', { p_result: { first: true } });
    const before = await db().job(claim.job_id);

    expect(await db().complete(claim, 'completed', { p_result: { first: true } })).toBe('ok');
    expect(await db().rpc('release_job', lease(claim))).toBe('ok');
    expect(await db().rpc('report_progress', { ...lease(claim), p_progress: { percent: 1 } })).toBe('ok');

    expect(await db().job(claim.job_id)).toEqual(before);
    expect(await db().history(claim.job_id)).toEqual([]);
  });

  test.each([
    ['status', 'failed', { p_result: { first: true }, p_error: permanent }],
    ['result', 'completed', { p_result: { first: false } }],
  ])('calls an end with another %s a conflict, and keeps it as evidence only', async (_what, status, rest) => {
    const claim = await db().running(await db().robot());
    await db().complete(claim, 'completed', { p_result: { first: true } });
    const before = await db().job(claim.job_id);

    expect(await db().complete(claim, status, rest)).toBe('conflict');

    expect(await db().job(claim.job_id)).toEqual(before);
    expect(await db().history(claim.job_id)).toMatchObject([
      { kind: 'superseded_result', superseded: true, payload: { status, result: rest.p_result } },
    ]);
  });

  test('keeps a result that comes too late as evidence, once, and changes nothing else', async () => {
    const [first, second] = [await db().robot(), await db().robot()];
    const old = await db().running(first, { p_on_lost: 'restart' });
    await db().expire(old.job_id);
    const [current] = (await db().claim(second)) as [Claim];
    await db().complete(current, 'completed', { p_result: { by: 'second' } });

    for (let i = 0; i < 2; i++) {
      expect(await db().complete(old, 'completed', { p_result: { by: 'first' } })).toBe('stale');
    }

    expect(await db().job(old.job_id)).toMatchObject({ status: 'completed', result: { by: 'second' } });
    expect(await db().history(old.job_id)).toMatchObject([
      {
        lease_token: old.lease_token,
        kind: 'superseded_result',
        superseded: true,
        payload: { status: 'completed', result: { by: 'first' }, error: null },
      },
    ]);
  });

  test('refuses a status that is no end', async () => {
    const claim = await db().running(await db().robot());
    const refusal = await db().refused('complete_job', { ...lease(claim), p_status: 'done' });
    expect(refusal).toMatchObject({ code: '22023', message: expect.stringContaining('p_status') });
  });

  describe('a failure', () => {
    test('that is transient waits longer before each next attempt and leaves the job dead after the last', async () => {
      const robot = await db().robot();
      const jobId = await db().enqueue({ p_max_attempts: 3 });

      for (const [attempt, seconds] of [10, 20].entries()) {
        const claim = await nextAttempt(jobId, robot);
        expect(claim.attempt).toBe(attempt + 1);
        expect(await db().complete(claim, 'failed', { p_error: transient })).toBe('ok');
        expect(await db().job(jobId)).toMatchObject({ status: 'pending', claimed_by: null, completed_at: null });
        expect(await delayOf(jobId)).toBeGreaterThan(seconds - 5);
        expect(await delayOf(jobId)).toBeLessThanOrEqual(seconds);
      }
      await db().complete(await nextAttempt(jobId, robot), 'failed', { p_error: transient });

      const job = await db().job(jobId);
      expect(job).toMatchObject({ status: 'dead', error: transient });
      expect(job.attempts.map(({ attempt, outcome }) => [attempt, outcome])).toEqual([
        [1, 'failed'],
        [2, 'failed'],
        [3, 'failed'],
      ]);
    });

    test('never waits longer than ten minutes', async () => {
      const robot = await db().robot();
      const jobId = await db().enqueue({ p_max_attempts: 1000 });
      await db().server.sql('update jobs set attempt = 900');

      await db().complete(await nextAttempt(jobId, robot), 'failed', { p_error: transient });

      expect(await delayOf(jobId)).toBeGreaterThan(590);
      expect(await delayOf(jobId)).toBeLessThanOrEqual(600);
    });

    test('that is permanent fails the job at once', async () => {
      const claim = await db().running(await db().robot(), { p_max_attempts: 3 });
      await db().complete(claim, 'failed', { p_error: permanent });
      expect(await db().job(claim.job_id)).toMatchObject({ status: 'failed', error: permanent });
    });

    test('that is transient fails a job with a single attempt', async () => {
      const claim = await db().running(await db().robot());
      await db().complete(claim, 'failed', { p_error: transient });
      expect(await db().job(claim.job_id)).toMatchObject({ status: 'failed', error: transient });
    });

    test('is not tried again once a cancel is requested', async () => {
      const claim = await db().running(await db().robot(), { p_max_attempts: 3 });
      await db().rpc('cancel_job', { p_job_id: claim.job_id });
      await db().complete(claim, 'failed', { p_error: transient });
      expect(await db().job(claim.job_id)).toMatchObject({ status: 'failed' });
    });

    test('reported twice does not end the next attempt', async () => {
      const robot = await db().robot();
      const first = await db().running(robot, { p_max_attempts: 3 });
      await db().complete(first, 'failed', { p_error: transient });
      const second = await nextAttempt(first.job_id, robot);

      expect(await db().complete(first, 'failed', { p_error: transient })).toBe('ok');

      expect(second.lease_token).not.toBe(first.lease_token);
      expect(await db().job(first.job_id)).toMatchObject({ status: 'running', attempt: 2 });
      expect(await db().history(first.job_id)).toEqual([]);
    });
  });

  describe('a release', () => {
    test('returns the job at no cost of an attempt, after the delay asked for', async () => {
      const robot = await db().robot();
      const claim = await db().running(robot);
      const release = { ...lease(claim), p_reason: 'shutting down', p_delay_ms: 60_000 };

      expect(await db().rpc('release_job', release)).toBe('ok');
      expect(await db().rpc('release_job', release)).toBe('ok');

      expect(await delayOf(claim.job_id)).toBeGreaterThan(55);
      expect(await db().job(claim.job_id)).toMatchObject({
        status: 'pending',
        attempt: 0,
        attempts: [{ outcome: 'released', error: { message: 'shutting down' } }],
      });
      expect(await nextAttempt(claim.job_id, robot)).toMatchObject({ attempt: 1 });
    });

    test('ends a job whose cancel was requested', async () => {
      const claim = await db().running(await db().robot());
      await db().rpc('cancel_job', { p_job_id: claim.job_id });

      expect(await db().rpc('release_job', lease(claim))).toBe('cancelled');

      expect(await db().job(claim.job_id)).toMatchObject({ status: 'cancelled', completed_at: expect.any(String) });
    });
  });

  describe('a cancel', () => {
    test('ends a pending job at once', async () => {
      const jobId = await db().enqueue();

      expect(await db().rpc('cancel_job', { p_job_id: jobId, p_reason: 'not needed' })).toBe('cancelled');

      expect(await db().job(jobId)).toMatchObject({ status: 'cancelled', cancel_reason: 'not needed', attempts: [] });
      expect(await db().claim(await db().robot())).toEqual([]);
    });

    test('is passed on to the robot of a running job, with the first reason given', async () => {
      const claim = await db().running(await db().robot());

      expect(await db().rpc('cancel_job', { p_job_id: claim.job_id, p_reason: 'first' })).toBe('requested');
      expect(await db().rpc('cancel_job', { p_job_id: claim.job_id, p_reason: 'second' })).toBe('requested');
      const asked = { status: 'running', cancel_requested: true, cancel_reason: 'first' };
      expect(await db().job(claim.job_id)).toMatchObject(asked);

      expect(await db().complete(claim, 'cancelled')).toBe('ok');
      expect(await db().job(claim.job_id)).toMatchObject({ status: 'cancelled' });
    });

    test('noticed only after the job was done leaves it completed', async () => {
      const claim = await db().running(await db().robot());
      await db().rpc('cancel_job', { p_job_id: claim.job_id });

      expect(await db().complete(claim, 'completed', { p_result: { done: true } })).toBe('ok');

      expect(await db().job(claim.job_id)).toMatchObject({ status: 'completed', result: { done: true } });
    });

    test('says so when there is nothing to cancel', async () => {
      const claim = await db().running(await db().robot());
      await db().complete(claim);

      expect(await db().rpc('cancel_job', { p_job_id: claim.job_id })).toBe('final');
      expect(await db().rpc('cancel_job', { p_job_id: crypto.randomUUID() })).toBe('unknown');
      expect(await db().job(claim.job_id)).toMatchObject({ status: 'completed', cancel_requested: false });
    });
  });
}
