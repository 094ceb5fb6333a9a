import { expect, test } from 'vitest';
import { type Claim, lease, type Orchestra } from '../orchestra.ts';

/** What becomes of a job whose robot no longer renews its lease. */
export function losingSuite(db: () => Orchestra): void {
  const claimAgain = (jobId: string, robot: string): Promise<Claim> =>
    db().rpc<Claim>('claim_job', { p_job_id: jobId, p_robot_id: robot });

  test('on hold waits for its own robot', async () => {
    const [own, other] = [await db().robot(), await db().robot()];
    const claim = await db().running(own);
    await db().expire(claim.job_id);

    expect(await db().rpc('reap_expired_jobs')).toBe(0);
    expect(await db().claim(other)).toEqual([]);
    expect(await db().job(claim.job_id)).toMatchObject({ status: 'running', lost: true });

    expect(await db().complete(claim)).toBe('ok');
    expect(await db().job(claim.job_id)).toMatchObject({ status: 'completed', lost: false });
  });

  test('that may restart goes to the next robot that claims, under a new token', async () => {
    const [own, other] = [await db().robot(), await db().robot()];
    const old = await db().running(own, { p_on_lost: 'restart' });
    await db().rpc('report_progress', { ...lease(old), p_progress: { percent: 90 } });
    expect(await db().claim(other)).toEqual([]);
    await db().expire(old.job_id);

    const [claim] = (await db().claim(other)) as [Claim];

    expect(claim).toMatchObject({ job_id: old.job_id, attempt: 1 });
    expect(BigInt(claim.lease_token)).toBeGreaterThan(BigInt(old.lease_token));
    expect(await db().heartbeat(own, old)).toEqual(['stale']);
    const job = await db().job(old.job_id);
    expect(job).toMatchObject({ progress: {}, claimed_by: other });
    expect(job.attempts).toMatchObject([{ outcome: 'lost', error: { code: 'LEASE_LOST' } }, { outcome: null }]);
  });

  test('that may restart can be claimed by name, too', async () => {
    const [own, other] = [await db().robot(), await db().robot()];
    const old = await db().running(own, { p_on_lost: 'restart' });
    await db().expire(old.job_id);

    const claim = await db().rpc('claim_job', { p_job_id: old.job_id, p_robot_id: other });

    expect(claim).toMatchObject({ job_id: old.job_id });
  });

  test('uses up attempts when it has several, and is dead after the last', async () => {
    const robot = await db().robot();
    const jobId = await db().enqueue({ p_on_lost: 'restart', p_max_attempts: 2 });
    for (const status of ['pending', 'dead']) {
      await claimAgain(jobId, robot);
      await db().expire(jobId);
      expect(await db().rpc('reap_expired_jobs')).toBe(1);
      expect(await db().job(jobId)).toMatchObject({ status });
    }

    expect(await db().job(jobId)).toMatchObject({ attempt: 2, error: { code: 'LEASE_LOST' } });
  });

  test('with a single attempt fails only after it was lost more than ten times', async () => {
    const robot = await db().robot();
    const jobId = await db().enqueue({ p_on_lost: 'restart' });
    for (let losses = 1; losses <= 11; losses++) {
      expect(await claimAgain(jobId, robot)).toMatchObject({ attempt: 1 });
      await db().expire(jobId);
      expect(await db().rpc('reap_expired_jobs')).toBe(1);
      expect((await db().job(jobId)).status).toBe(losses <= 10 ? 'pending' : 'failed');
    }

    expect(await db().job(jobId)).toMatchObject({ error: { code: 'LEASE_LOST' } });
  });

  test('whose cancel was requested ends as cancelled', async () => {
    const claim = await db().running(await db().robot(), { p_on_lost: 'restart' });
    await db().rpc('cancel_job', { p_job_id: claim.job_id });
    await db().expire(claim.job_id);

    await db().rpc('reap_expired_jobs');

    expect(await db().job(claim.job_id)).toMatchObject({ status: 'cancelled' });
  });

  test('is reaped in steps of a given size', async () => {
    const robot = await db().robot();
    for (let i = 0; i < 3; i++) {
      await db().expire((await db().running(robot, { p_on_lost: 'restart' })).job_id);
    }

    expect(await db().rpc('reap_expired_jobs', { p_limit: 2 })).toBe(2);
    expect(await db().rpc('reap_expired_jobs', { p_limit: 2 })).toBe(1);
  });
}
