import { expect, test } from 'vitest';
import { type Claim, newId, type Orchestra } from '../orchestra.ts';

/** The progress of several jobs at once, and jobs by the start of their id. */
export function progressSuite(db: () => Orchestra): void {
  const report = (...reports: readonly (readonly [Claim, object])[]): Promise<{ outcome: string }[]> =>
    db().rpc('report_progress_batch', {
      p_reports: reports.map(([{ job_id, lease_token }, progress]) => ({ job_id, lease_token, progress })),
    });

  test('reports of several jobs are answered one by one, in the order asked, and change only jobs still held', async () => {
    const robot = await db().robot();
    const [going, cancelled, ended, lost] = [
      await db().running(robot),
      await db().running(robot),
      await db().running(robot),
      await db().running(robot, { p_on_lost: 'restart' }),
    ];
    await db().rpc('cancel_job', { p_job_id: cancelled.job_id });
    await db().complete(ended, 'completed', { p_progress: { percent: 100 } });
    await db().expire(lost.job_id);
    await db().rpc('reap_expired_jobs');

    const answers = await report(
      [lost, { percent: 4 }],
      [ended, { percent: 3 }],
      [cancelled, { percent: 2 }],
      [going, { percent: 1 }],
    );

    expect(answers).toEqual([
      { job_id: lost.job_id, lease_token: lost.lease_token, outcome: 'stale' },
      { job_id: ended.job_id, lease_token: ended.lease_token, outcome: 'ok' },
      { job_id: cancelled.job_id, lease_token: cancelled.lease_token, outcome: 'cancelled' },
      { job_id: going.job_id, lease_token: going.lease_token, outcome: 'ok' },
    ]);
    const percents = await Promise.all(
      [lost, ended, cancelled, going].map(async ({ job_id }) => (await db().job(job_id)).progress),
    );
    expect(percents).toEqual([{}, { percent: 100 }, { percent: 2 }, { percent: 1 }]);
  });

  test('a report that is not one is refused by name, and nothing of its batch is taken', async () => {
    const robot = await db().robot();
    const claim = await db().running(robot);
    const good = { job_id: claim.job_id, lease_token: claim.lease_token, progress: { percent: 1 } };
    for (const bad of [
      { ...good, job_id: 'x' },
      { ...good, lease_token: '-1' },
      { ...good, progress: 5 },
      { job_id: claim.job_id },
    ]) {
      expect(await db().refused('report_progress_batch', { p_reports: [good, bad] })).toMatchObject({
        code: '22023',
        message: expect.stringContaining('p_reports: every element needs'),
      });
    }
    expect(await db().refused('report_progress_batch', { p_reports: {} })).toMatchObject({ code: '22023' });
    expect(await db().job(claim.job_id)).toMatchObject({ progress: {} });
    expect(await report()).toEqual([]);
  });

  test('a signed-in robot reports about its own jobs only', async () => {
    const user = newId();
    const [own, other] = [await db().robot({ userId: user }), await db().robot()];
    const [mine, theirs] = [await db().running(own), await db().running(other)];
    const caller = db().signedIn(user);
    const reports = (claim: Claim): object => ({
      p_reports: [{ job_id: claim.job_id, lease_token: claim.lease_token, progress: { percent: 7 } }],
    });

    expect(await caller.rpc('report_progress_batch', { ...reports(mine) })).toMatchObject([{ outcome: 'ok' }]);
    expect(await caller.refused('report_progress_batch', { ...reports(theirs) })).toMatchObject({ code: '42501' });
  });

  test('jobs are found by the beginning of their id, oldest first', async () => {
    const ids = ['3f2a0000-0000-4000-8000-000000000001', '3f2b0000-0000-4000-8000-000000000002'];
    for (const [index, id] of ids.entries()) {
      await db().server.sql("insert into jobs (id, name, created_at) values ($1, $2, now() + $3 * interval '1 s')", [
        id,
        `job ${index}`,
        index,
      ]);
    }
    const find = async (prefix: string, extra = {}): Promise<string[]> =>
      (await db().rpc<{ job_id: string }[]>('find_jobs', { p_id_prefix: prefix, ...extra })).map((job) => job.job_id);

    expect(await find('3f2')).toEqual(ids);
    expect(await find('3F2B')).toEqual([ids[1]]);
    expect(await find('3f2a0000-0000-4')).toEqual([ids[0]]);
    expect(await find(ids[1] as string)).toEqual([ids[1]]);
    expect(await find('3f20')).toEqual([]);
    expect(await find('3f2a-')).toEqual([]);
    expect(await find('3f2', { p_limit: 1 })).toEqual([ids[0]]);
    for (const prefix of ['', '%', '-', 'g', `${ids[0]}0`]) {
      expect(await db().refused('find_jobs', { p_id_prefix: prefix })).toMatchObject({ code: '22023' });
    }
  });
}
