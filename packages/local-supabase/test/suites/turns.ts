import { expect, test } from 'vitest';
import { type Claim, newId, type Orchestra } from '../orchestra.ts';

interface Turn {
  readonly leases: readonly { readonly job_id: string; readonly outcome: string }[];
  readonly claims: readonly Claim[];
  readonly fleet_size: number | null;
}

/** A robot's whole turn in one request. */
export function turnSuite(db: () => Orchestra): void {
  const turn = (robot: string, args: Record<string, unknown> = {}): Promise<Turn> =>
    db().rpc('robot_turn', { p_robot_id: robot, p_status: 'busy', ...args });

  const leasesOf = (...claims: readonly Claim[]): readonly object[] =>
    claims.map(({ job_id, lease_token }) => ({ job_id, lease_token }));

  test('renews the leases, tells of cancels, notes the presence and claims', async () => {
    const robot = await db().robot();
    const [kept, cancelled] = [await db().running(robot), await db().running(robot)];
    await db().rpc('cancel_job', { p_job_id: cancelled.job_id });
    await db().expire(kept.job_id);
    const waiting = await db().enqueue();

    const { leases, claims, fleet_size } = await turn(robot, {
      p_leases: leasesOf(kept, cancelled),
      p_request_id: newId(),
      p_limit: 5,
      p_metrics: { cpu: 1 },
    });

    expect(leases.map(({ job_id, outcome }) => [job_id, outcome])).toEqual([
      [kept.job_id, 'ok'],
      [cancelled.job_id, 'cancelled'],
    ]);
    expect(claims).toMatchObject([{ job_id: waiting, attempt: 1 }]);
    expect(fleet_size).toBe(1);
    expect(await db().job(kept.job_id)).toMatchObject({ lost: false });
    expect(await db().server.sql('select status, metrics from robots where id = $1', [robot])).toEqual([
      { status: 'busy', metrics: { cpu: 1 } },
    ]);
  });

  test('presence tells how many robots were heard of lately', async () => {
    const [robot, , silent] = [await db().robot(), await db().robot(), await db().robot()];
    await db().server.sql("update robots set last_seen = clock_timestamp() - interval '1 hour' where id = $1", [
      silent,
    ]);

    const answer = await db().rpc('robot_heartbeat', { p_robot_id: robot, p_status: 'idle' });

    expect(answer).toEqual({ ok: true, fleet_size: 2 });
  });

  test('claims nothing unless it is asked to', async () => {
    const robot = await db().robot();
    await db().enqueue();
    expect(await turn(robot)).toEqual({ leases: [], claims: [], fleet_size: 1 });
  });

  test('writes nothing when it only looks for jobs and finds none', async () => {
    const robot = await db().robot();
    const versions = (): Promise<unknown> => db().server.sql('select id, xmin::text, ctid::text from robots');
    const before = await versions();
    expect(await turn(robot, { p_status: null, p_request_id: newId(), p_limit: 1 })).toEqual({
      leases: [],
      claims: [],
      fleet_size: null,
    });
    expect(await versions()).toEqual(before);
    await expect(turn(robot, { p_status: null, p_metrics: {} })).rejects.toThrow('p_metrics');
  });

  test('without room answers what its request claimed before, and claims nothing more', async () => {
    const robot = await db().robot();
    await Promise.all([db().enqueue(), db().enqueue()]);
    const request = { p_request_id: newId() };
    const { claims } = await turn(robot, { ...request, p_limit: 1 });
    expect((await turn(robot, { ...request, p_limit: 0 })).claims).toEqual(claims);
    expect((await turn(robot, { p_request_id: newId(), p_limit: 0 })).claims).toEqual([]);
  });

  test('answers the same claims when its request is repeated', async () => {
    const robot = await db().robot();
    await Promise.all([db().enqueue(), db().enqueue()]);
    const request = { p_request_id: newId(), p_limit: 1 };

    const [first, again] = [await turn(robot, request), await turn(robot, request)];

    expect(first.claims).toHaveLength(1);
    expect(again.claims).toEqual(first.claims);
  });

  test('of one robot may be under way several times at once', async () => {
    const robot = await db().robot();
    const held = await Promise.all(Array.from({ length: 5 }, () => db().running(robot)));
    await Promise.all(Array.from({ length: 10 }, () => db().enqueue()));

    const turns = await Promise.all(
      Array.from({ length: 10 }, () => turn(robot, { p_leases: leasesOf(...held), p_request_id: newId(), p_limit: 1 })),
    );

    expect(new Set(turns.flatMap(({ claims }) => claims.map(({ job_id }) => job_id))).size).toBe(10);
    expect(turns.flatMap(({ leases }) => leases.map(({ outcome }) => outcome))).toEqual(Array(50).fill('ok'));
  });
}
