import { describe, expect, test } from 'vitest';
import { type Claim, lease, newId, type Orchestra } from '../orchestra.ts';

const event = (seq: number, kind = 'node_finished'): object => ({
  seq,
  kind,
  node_id: `node-${seq}`,
  at: '2026-01-02T03:04:05.678Z',
  payload: { step: seq },
});

/** Every write that a lease allows. */
const writes: readonly [string, Record<string, unknown>][] = [
  ['report_progress', { p_progress: { percent: 50 } }],
  ['record_events', { p_events: [event(1)] }],
  ['set_in_doubt', { p_in_doubt: [{ node_id: 'n', reason: 'r' }] }],
  ['complete_job', { p_status: 'completed', p_result: { late: true }, p_error: null }],
  ['release_job', { p_reason: 'late' }],
];

export function leaseSuite(db: () => Orchestra): void {
  /** A job that was claimed, lost, and claimed by another robot. */
  async function reclaimed(): Promise<{ robot: string; old: Claim; current: Claim }> {
    const [first, second] = [await db().robot(), await db().robot()];
    const old = await db().running(first, { p_on_lost: 'restart' });
    await db().expire(old.job_id);
    const [current] = await db().claim(second);
    return { robot: first, old, current: current as Claim };
  }

  describe.each(writes)('%s', (name, args) => {
    test('is ok under the token that holds the job', async () => {
      const claim = await db().running(await db().robot());

      expect(await db().rpc(name, { ...lease(claim), ...args })).toBe('ok');
    });

    test('is stale and changes nothing once another token holds the job', async () => {
      const { old, current } = await reclaimed();

      expect(await db().rpc(name, { ...lease(old), ...args })).toBe('stale');

      expect(await db().job(old.job_id)).toMatchObject({ status: 'running', progress: {}, in_doubt: [], result: null });
      expect(await db().complete(current)).toBe('ok');
    });

    test('is stale and leaves no trace under a token that was never given out', async () => {
      const claim = await db().running(await db().robot());
      const forged = { ...claim, lease_token: '999999999999' };

      expect(await db().rpc(name, { ...lease(forged), ...args })).toBe('stale');

      expect(await db().job(claim.job_id)).toMatchObject({
        status: 'running',
        progress: {},
        in_doubt: [],
        result: null,
      });
      expect(await db().history(claim.job_id)).toEqual([]);
    });

    test('does not accept the token of another job', async () => {
      const robot = await db().robot();
      const [one, two] = [await db().running(robot), await db().running(robot)];

      expect(await db().rpc(name, { ...lease(one), p_lease_token: two.lease_token, ...args })).toBe('stale');
      expect(await db().job(one.job_id)).toMatchObject({ status: 'running', progress: {} });
    });
  });

  test('says cancelled to progress, events and doubts once a cancel is requested', async () => {
    const claim = await db().running(await db().robot());
    await db().rpc('cancel_job', { p_job_id: claim.job_id });

    for (const [name, args] of writes.slice(0, 3)) {
      expect(await db().rpc(name, { ...lease(claim), ...args })).toBe('cancelled');
    }
    expect(await db().history(claim.job_id)).toHaveLength(1);
  });

  test('draws every token once', async () => {
    const robot = await db().robot();
    const tokens = [];
    const jobId = await db().enqueue();
    for (let i = 0; i < 3; i++) {
      const claim = await db().rpc<Claim>('claim_job', { p_job_id: jobId, p_robot_id: robot });
      tokens.push(BigInt(claim.lease_token));
      await db().rpc('release_job', lease(claim));
    }

    expect(tokens).toEqual([...new Set(tokens)].sort((a, b) => Number(a - b)));
  });

  describe('heartbeat_jobs', () => {
    test('renews leases, tells of cancels with reason and author, and answers in the order asked', async () => {
      const robot = await db().robot();
      const [held, cancelled] = [await db().running(robot), await db().running(robot)];
      const { old } = await reclaimed();
      await db().rpc('cancel_job', { p_job_id: cancelled.job_id, p_reason: 'wrong month' });
      await db().server.sql("update jobs set lease_expires_at = clock_timestamp() + interval '1 second'");

      const leases = [cancelled, old, held].map(({ job_id, lease_token }) => ({ job_id, lease_token }));
      const beat = { p_robot_id: robot, p_leases: leases, p_lock_timeout_ms: 60_000 };
      await db().server.sql('update job_attempts set robot_id = $1 where lease_token = $2', [robot, old.lease_token]);
      const answer = await db().rpc<{ leases: object[] }>('heartbeat_jobs', beat);

      const unheard = { last_seq: 0, recorded: 0, ended: false };
      const nothing = { last_seq: null, recorded: null, ended: false };
      expect(answer.leases).toEqual([
        {
          ...leases[0],
          outcome: 'cancelled',
          cancel_reason: 'wrong month',
          cancel_requested_by: 'service_role',
          answers: [],
          ...unheard,
        },
        { ...leases[1], outcome: 'stale', cancel_reason: null, cancel_requested_by: null, answers: [], ...nothing },
        { ...leases[2], outcome: 'ok', cancel_reason: null, cancel_requested_by: null, answers: [], ...unheard },
      ]);
      const renewed = await db().server.sql<{ n: number }>(
        `select count(*)::int as n from jobs
          where id = any ($1::uuid[]) and lease_expires_at > clock_timestamp() + interval '50 seconds'`,
        [[held.job_id, cancelled.job_id]],
      );
      expect(renewed).toEqual([{ n: 2 }]);
    });

    test('revives an expired lease that nobody took', async () => {
      const robot = await db().robot();
      const claim = await db().running(robot, { p_on_lost: 'restart' });
      await db().expire(claim.job_id);
      expect(await db().job(claim.job_id)).toMatchObject({ lost: true });

      expect(await db().heartbeat(robot, claim)).toEqual(['ok']);
      expect(await db().job(claim.job_id)).toMatchObject({ lost: false });
    });

    test('is stale after a release and ok after the own terminal write', async () => {
      const robot = await db().robot();
      const [released, completed] = [await db().running(robot), await db().running(robot)];
      await db().rpc('release_job', lease(released));
      await db().complete(completed);

      expect(await db().heartbeat(robot, released, completed)).toEqual(['stale', 'ok']);
    });

    test('tells how far the claim had come, and whether it has ended: so does a claim that is asked for again', async () => {
      const robot = await db().robot();
      const request = { p_request_id: newId(), p_limit: 1 };
      await db().enqueue();
      const [claim] = (await db().claim(robot, request)) as [Claim];
      expect(claim).toMatchObject({ last_seq: 0, recorded: 0 });
      const beat = async (recorded?: number): Promise<unknown> => {
        const held = { job_id: claim.job_id, lease_token: claim.lease_token, recorded };
        const asked = { p_robot_id: robot, p_leases: [held], p_lock_timeout_ms: 60_000 };
        const { leases } = await db().rpc<{ leases: Record<string, unknown>[] }>('heartbeat_jobs', asked);
        return [leases[0]?.last_seq, leases[0]?.recorded, leases[0]?.ended];
      };
      await db().rpc('record_events', { ...lease(claim), p_events: [event(1), event(4)] });

      expect([await beat(9), await beat(3), await beat()]).toEqual([
        [4, 0, false],
        [4, 9, false],
        [4, 9, false],
      ]);
      expect(await db().claim(robot, request)).toMatchObject([{ last_seq: 4, recorded: 9 }]);
      await db().complete(claim);
      expect(await beat(3)).toEqual([null, null, true]);
      await expect(beat(-1)).rejects.toThrow('recorded');
    });

    test('keeps the robot seen', async () => {
      const robot = await db().robot();
      await db().server.sql('update robots set last_seen = null');

      expect(await db().heartbeat(robot)).toEqual([]);

      const seen = await db().server.sql(
        "select from robots where last_seen > clock_timestamp() - interval '1 minute'",
      );
      expect(seen).toHaveLength(1);
    });

    test.each([
      ['an object', {}],
      ['a job id that is none', [{ job_id: 'job-456', lease_token: '1' }]],
      ['a missing token', [{ job_id: '00000000-0000-4000-8000-000000000000' }]],
    ])('refuses %s for p_leases', async (_what, leases) => {
      const refusal = await db().refused('heartbeat_jobs', {
        p_robot_id: await db().robot(),
        p_leases: leases,
        p_lock_timeout_ms: 1000,
      });

      expect(refusal).toMatchObject({ code: '22023', message: expect.stringContaining('p_leases') });
    });
  });

  describe('record_events', () => {
    test('keeps an event once, however often it is sent', async () => {
      const claim = await db().running(await db().robot());
      await db().rpc('record_events', { ...lease(claim), p_events: [event(1), event(2)] });

      const again = { ...lease(claim), p_events: [event(1), event(2), event(3)] };
      expect([await db().rpc('record_events', again), await db().rpc('record_events', again)]).toEqual(['ok', 'ok']);
      const others = [event(1, 'changed'), { ...event(2), payload: {} }, { ...event(3), node_id: null }];
      for (const other of [...others, { ...event(3), at: null }])
        expect(await db().rpc('record_events', { ...lease(claim), p_events: [other, event(4)] })).toBe('conflict');

      expect(await db().history(claim.job_id)).toMatchObject([
        { seq: 1, kind: 'node_finished', node_id: 'node-1', payload: { step: 1 }, superseded: false },
        { seq: 2 },
        { seq: 3, kind: 'node_finished', node_id: 'node-3' },
        { seq: 4 },
      ]);
    });

    test('keeps what a robot reports too late as superseded', async () => {
      const { old, current } = await reclaimed();
      await db().rpc('record_events', { ...lease(current), p_events: [event(1)] });

      expect(await db().rpc('record_events', { ...lease(old), p_events: [event(7)] })).toBe('stale');

      expect(await db().history(old.job_id)).toMatchObject([
        { lease_token: old.lease_token, seq: 7, superseded: true },
        { lease_token: current.lease_token, seq: 1, superseded: false },
      ]);
    });

    test('takes the last events of a job that has ended under the same token', async () => {
      const claim = await db().running(await db().robot());
      await db().complete(claim);

      expect(await db().rpc('record_events', { ...lease(claim), p_events: [event(9)] })).toBe('ok');
      expect(await db().history(claim.job_id)).toMatchObject([{ seq: 9, superseded: false }]);
    });

    test.each([
      ['no array', {}],
      ['no kind', [{ seq: 1 }]],
      ['no seq', [{ kind: 'x' }]],
      ['a negative seq', [{ kind: 'x', seq: -1 }]],
      ['no time', [{ kind: 'x', seq: 1, at: 'soon' }]],
      ['a time out of reach', [{ kind: 'x', seq: 1, at: '+275760-09-13T00:00:00Z' }]],
    ])('refuses %s', async (_what, events) => {
      const claim = await db().running(await db().robot());

      const refusal = await db().refused('record_events', { ...lease(claim), p_events: events });

      expect(refusal).toMatchObject({ code: '22023', message: expect.stringContaining('p_events') });
    });
  });

  test('shows progress and doubts of a running job, and no doubts once it has ended', async () => {
    const claim = await db().running(await db().robot());
    const doubt = { node_id: 'pay', reason: 'interrupted' };
    await db().rpc('report_progress', { ...lease(claim), p_progress: { percent: 40, node: 'pay' } });
    await db().rpc('set_in_doubt', { ...lease(claim), p_in_doubt: [doubt] });
    expect(await db().job(claim.job_id)).toMatchObject({ progress: { percent: 40, node: 'pay' }, in_doubt: [doubt] });

    await db().complete(claim, 'failed', { p_error: { code: 'IN_DOUBT', category: 'permanent' } });

    expect(await db().job(claim.job_id)).toMatchObject({ status: 'failed', in_doubt: [], error: { code: 'IN_DOUBT' } });
  });

  test('registers a robot again with what it brings now', async () => {
    const robot = await db().robot({ tags: ['old'] });

    const answer = await db().rpc('register_robot', { p_robot_id: robot, p_name: 'New', p_tags: ['new'] });

    expect(answer).toEqual({ robot_id: robot, name: 'New' });
    const rows = await db().server.sql('select name, tags, status, capabilities from robots');
    expect(rows).toEqual([{ name: 'New', tags: ['new'], status: 'online', capabilities: [] }]);
    expect(await db().refused('register_robot', { p_robot_id: newId(), p_name: ' ' })).toMatchObject({ code: '22023' });
  });

  test('keeps the newest 10,000 samples of a robot', async () => {
    const robot = await db().robot();
    await db().server.sql(
      `insert into robot_metrics (robot_id, sample, metrics) select $1::uuid, n, '{}' from generate_series(1, 10003) n`,
      [robot],
    );
    await db().server.sql('update robots set metrics_count = 10003');

    await db().rpc('robot_heartbeat', { p_robot_id: robot, p_status: 'busy' });
    await db().rpc('robot_heartbeat', { p_robot_id: robot, p_status: 'busy', p_metrics: { cpu: 7 } });

    expect(await db().server.sql('select min(sample), max(sample), count(*)::int as kept from robot_metrics')).toEqual([
      { min: 5, max: 10_004, kept: 10_000 },
    ]);
    expect(await db().server.sql('select status, metrics from robots')).toEqual([
      { status: 'busy', metrics: { cpu: 7 } },
    ]);
  });
}
