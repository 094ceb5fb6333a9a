import { createClient } from '@supabase/supabase-js';
import { describe, expect, test, vi } from 'vitest';
import type { Engine } from '../engines.ts';
import { Caller, type Claim, instanceOf, lease, newId, type Orchestra } from '../orchestra.ts';

interface Taken {
  readonly taken: boolean;
  readonly after?: string;
  readonly host: string | null;
  readonly silent_ms?: number;
  readonly wait_ms?: number;
}

/** A robot works in one place. */
export function instanceSuite(db: () => Orchestra, engine: Engine): void {
  const take = (robot: string, instance: string, where: Record<string, unknown> = {}): Promise<Taken> =>
    db().rpc('take_instance', { ...instanceOf(robot), p_instance: instance, ...where });

  /** Nothing was heard of the robot for so long. */
  const silent = (robot: string, seconds: number): Promise<unknown> =>
    db().server.sql("update robots set last_seen = clock_timestamp() - $2 * interval '1 second' where id = $1", [
      robot,
      seconds,
    ]);

  /** The requests of an instance, as the robot's sign-in makes them. */
  function callerAs(userId: string, instance: string): Caller {
    const accessToken = (): Promise<string> => db().server.userToken(userId);
    const headers = { 'x-casare-instance': instance };
    return new Caller(createClient(db().server.url, db().server.anonKey, { accessToken, global: { headers } }));
  }

  const elsewhere = { p_machine: 'two', p_boot: 'other', p_host: 'two, /copy' };
  const afterReboot = { p_boot: 'second', p_up_ms: 30_000 };

  test('is taken by the first, by its successor on the machine, and by whoever comes after it has left', async () => {
    const robot = await db().robot();
    const [first, second, third] = [newId(), newId(), newId()];
    expect(await take(robot, first)).toEqual({ taken: true, after: 'first', host: null });
    expect(await take(robot, first)).toMatchObject({ taken: true, after: 'same' });
    expect(await take(robot, second, { p_previous: [newId(), first] })).toMatchObject({
      taken: true,
      after: 'restart',
    });
    expect(await db().rpc('leave_instance', { p_robot_id: robot, p_instance: first })).toBe(false);
    expect(await db().rpc('leave_instance', { p_robot_id: robot, p_instance: second })).toBe(true);
    expect(await take(robot, third, elsewhere)).toEqual({ taken: true, after: 'left', host: 'one, /home' });
  });

  test('that works is not replaced from another machine, nor by a second successor: they are told where it is', async () => {
    const robot = await db().robot();
    const [first, second] = [newId(), newId()];
    await take(robot, first);
    const refused = { taken: false, host: 'one, /home' };
    expect(await take(robot, newId(), { ...elsewhere, p_previous: [first] })).toMatchObject(refused);
    await take(robot, second, { p_previous: [first] });
    const late = await take(robot, newId(), { p_previous: [first] });
    expect(late).toMatchObject(refused);
    expect([late.silent_ms, late.wait_ms].map((ms) => Math.round((ms ?? 0) / 60_000))).toEqual([0, 5]);
    expect(await db().server.sql('select instance_id from robots')).toEqual([{ instance_id: second }]);
  });

  test('is replaced once it is silent for as long as it said; then it may yet work, and that is told', async () => {
    const robot = await db().robot();
    await take(robot, newId());
    await silent(robot, 299);
    expect(await take(robot, newId(), elsewhere)).toMatchObject({ taken: false });
    await silent(robot, 301);
    expect(await take(robot, newId(), elsewhere)).toMatchObject({ taken: true, after: 'silence', host: 'one, /home' });
  });

  test('that took the place of a silent one is told so until it is heard of, and so is its successor: the answer may be lost', async () => {
    const robot = await db().robot();
    const [first, second, third] = [newId(), newId(), newId()];
    await take(robot, first);
    await silent(robot, 301);
    const afterSilence = { taken: true, after: 'silence', host: 'one, /home' };
    expect(await take(robot, second, elsewhere)).toEqual(afterSilence);
    expect(await take(robot, second, elsewhere)).toEqual(afterSilence);
    expect(await take(robot, third, { ...elsewhere, p_previous: [second] })).toEqual(afterSilence);
    await db().rpc('robot_heartbeat', { p_robot_id: robot, p_status: 'idle' });
    expect(await take(robot, third, elsewhere)).toMatchObject({ after: 'same', host: 'two, /copy' });
    expect(await take(robot, newId(), { ...elsewhere, p_previous: [third] })).toMatchObject({ after: 'restart' });
  });

  test('is replaced after a reboot of its machine, when it was last heard of before that, and not just now', async () => {
    const robot = await db().robot();
    const first = newId();
    await take(robot, first);
    for (const [seconds, after] of [
      [10, undefined],
      [25, undefined],
      [31, 'restart'],
    ] as const) {
      await silent(robot, seconds);
      const answer = await take(robot, newId(), { ...afterReboot, p_previous: [first] });
      expect([seconds, answer.after]).toEqual([seconds, after]);
    }
  });

  test('gives way when an operator says that it is gone', async () => {
    const robot = await db().robot();
    await take(robot, newId());
    expect(await db().rpc('release_instance', { p_robot_id: newId() })).toBe(false);
    expect(await db().rpc('release_instance', { p_robot_id: robot })).toBe(true);
    expect(await take(robot, newId(), elsewhere)).toMatchObject({ taken: true, after: 'left' });
  });

  test('of two that start at the same time, one becomes it', async () => {
    const robot = await db().robot();
    const first = newId();
    await take(robot, first);
    const starts = await Promise.all(Array.from({ length: 6 }, () => take(robot, newId(), { p_previous: [first] })));
    expect(starts.filter(({ taken }) => taken)).toMatchObject([{ after: 'restart' }]);
  });

  test('alone may act for its robot: no other gets at its leases, and its own robot only can say so', async () => {
    const [userId, otherId] = [newId(), newId()];
    const [robot, other] = [await db().robot({ userId }), await db().robot({ userId: otherId })];
    const claim: Claim = await db().running(robot);
    const [held, copy] = [newId(), newId()];
    const own = callerAs(userId, held);
    await own.rpc('take_instance', { ...instanceOf(robot), p_instance: held });
    const beat = {
      p_robot_id: robot,
      p_leases: [{ job_id: claim.job_id, lease_token: claim.lease_token }],
      p_lock_timeout_ms: 60_000,
    };
    const writes: readonly [string, Record<string, unknown>][] = [
      ['heartbeat_jobs', beat],
      ['robot_turn', { ...beat, p_status: 'busy' }],
      ['claim_jobs', { p_robot_id: robot, p_request_id: newId(), p_limit: 1 }],
      ['register_robot', { p_robot_id: robot, p_name: 'copy' }],
      ['record_events', { ...lease(claim), p_events: [{ seq: 1, kind: 'x' }] }],
      ['complete_job', { ...lease(claim), p_status: 'completed' }],
      ['release_job', lease(claim)],
    ];
    for (const [name, args] of writes) {
      const refusal = await callerAs(userId, copy).refused(name, args);
      expect([name, refusal]).toMatchObject([name, { code: 'PT409', message: expect.stringContaining('one, /home') }]);
    }
    expect(await db().job(claim.job_id)).toMatchObject({ status: 'running' });
    for (const name of ['take_instance', 'leave_instance']) {
      const args =
        name === 'take_instance' ? { ...instanceOf(robot), p_instance: copy } : { p_robot_id: robot, p_instance: held };
      expect(await callerAs(otherId, copy).refused(name, args)).toMatchObject({ code: '42501' });
    }
    await callerAs(otherId, copy).rpc('robot_heartbeat', { p_robot_id: other, p_status: 'idle' });
    expect(await own.rpc('record_events', { ...lease(claim), p_events: [{ seq: 1, kind: 'x' }] })).toBe('ok');
  });

  test.runIf(engine.parallel)('does not write any more when its place was taken while its write waited', async () => {
    const userId = newId();
    const robot = await db().robot({ userId });
    const claim: Claim = await db().running(robot);
    const [held, next] = [newId(), newId()];
    await take(robot, held);
    const key = Number.parseInt(next.slice(0, 6), 16);
    // Holds the job until somebody waits for it, and gives the robot's place away in the same moment.
    const taken = db().server.sql(`do $$ begin
      perform from public.jobs where id = '${claim.job_id}' for update;
      perform pg_advisory_xact_lock(${key});
      loop exit when exists (select from pg_locks where not granted); perform pg_sleep(0.005); end loop;
      update public.robots set instance_id = '${next}' where id = '${robot}';
    end $$`);
    const locked = `select from pg_locks where locktype = 'advisory' and objid = ${key}`;
    await vi.waitUntil(async () => (await db().server.sql(locked)).length > 0, { timeout: 10_000, interval: 5 });
    const write = { ...lease(claim), p_events: [{ seq: 1, kind: 'late' }] };
    expect(await callerAs(userId, held).refused('record_events', write)).toMatchObject({ code: 'PT409' });
    await taken;
    expect(await db().history(claim.job_id)).toEqual([]);
  });

  describe.each([
    ['p_instance', { p_instance: null }],
    ['p_host', { p_host: '' }],
    ['p_machine', { p_machine: 'x'.repeat(201) }],
    ['p_up_ms', { p_up_ms: -1 }],
    ['p_silent_ms', { p_silent_ms: 0 }],
    ['p_previous', { p_previous: Array.from({ length: 101 }, newId) }],
  ])('with a wrong %s', (name, wrong) => {
    test('is refused by name', async () => {
      const robot = await db().robot();
      await expect(take(robot, newId(), wrong)).rejects.toThrow(name);
    });
  });
}
