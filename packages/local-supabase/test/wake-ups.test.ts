/** What the database sends over Realtime, to whom, and who may listen; against a stand-in for Realtime's schema. */
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RealtimeMessage, realtimeSchema } from '@casare/testing/realtime';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { defaultMigrationsDir } from '../src/migrations.ts';
import type { SupabaseServer } from '../src/ports.ts';
import { engines } from './engines.ts';
import { lease, newId, Orchestra } from './orchestra.ts';

const migration = join(defaultMigrationsDir(), '003_wake_ups.sql');

async function withRealtime(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'wake-ups-'));
  await cp(defaultMigrationsDir(), folder, { recursive: true });
  await writeFile(join(folder, '000_realtime.sql'), realtimeSchema);
  return folder;
}

describe.each(engines)('$name', (engine) => {
  describe('with Realtime', () => {
    let db: Orchestra;
    let migrationsDir: string;
    beforeAll(async () => {
      migrationsDir = await withRealtime();
      db = new Orchestra(await engine.start({ migrationsDir }));
    });
    afterAll(async () => {
      await db.server.stop();
      await rm(migrationsDir, { recursive: true });
    });
    beforeEach(async () => {
      await db.clear();
      await db.server.sql('truncate realtime.messages');
    });

    const sent = (): Promise<RealtimeMessage[]> =>
      db.server.sql('select topic, event, payload from realtime.messages order by id');

    test('tells every robot of a job that any may take, and one robot of a job that names it', async () => {
      const robot = await db.robot();
      await db.enqueue();
      await db.enqueue({ p_target_robot: robot });
      expect(await sent()).toEqual([
        { topic: 'casare:robots', event: 'jobs', payload: {} },
        { topic: `casare:robot:${robot}`, event: 'jobs', payload: {} },
      ]);
      expect(await db.server.sql('select distinct private, extension from realtime.messages')).toEqual([
        { private: true, extension: 'broadcast' },
      ]);
    });

    test('tells a robot that a job of its own is to be cancelled, once', async () => {
      const robot = await db.robot();
      const claim = await db.running(robot);
      await db.server.sql('truncate realtime.messages');
      await db.rpc('cancel_job', { p_job_id: claim.job_id, p_reason: 'enough' });
      await db.rpc('cancel_job', { p_job_id: claim.job_id });
      expect(await sent()).toEqual([
        { topic: `casare:robot:${robot}`, event: 'cancel', payload: { job_id: claim.job_id } },
      ]);
    });

    test('tells a robot that a question about a job of its own is answered, once', async () => {
      const robot = await db.robot();
      const claim = await db.running(robot);
      await db.rpc('set_in_doubt', { ...lease(claim), p_in_doubt: [{ node_id: 'pay', step: 1, attempt: 1 }] });
      await db.server.sql('truncate realtime.messages');
      for (const answer of ['skip', 'skip', 'retry']) {
        await db.rpc('resolve_job', { p_job_id: claim.job_id, p_answer: answer });
      }
      expect(await sent()).toEqual([
        { topic: `casare:robot:${robot}`, event: 'answer', payload: { job_id: claim.job_id } },
      ]);
    });

    test('tells of a job that was given back, and not of one that is due later', async () => {
      const claim = await db.running(await db.robot());
      const later = await db.running(await db.robot());
      await db.enqueue({ p_run_at: '2100-01-01T00:00:00Z' });
      await db.server.sql('truncate realtime.messages');
      await db.rpc('release_job', lease(claim));
      await db.rpc('release_job', { ...lease(later), p_delay_ms: 60_000 });
      expect(await sent()).toEqual([{ topic: 'casare:robots', event: 'jobs', payload: {} }]);
    });

    test('says nothing of heartbeats, progress, results and the cancel of a job that waits', async () => {
      const robot = await db.robot();
      const claim = await db.running(robot);
      const waiting = await db.enqueue();
      await db.server.sql('truncate realtime.messages');
      await db.heartbeat(robot, claim);
      await db.rpc('report_progress', { ...lease(claim), p_progress: { percent: 1 } });
      await db.rpc('cancel_job', { p_job_id: waiting });
      await db.complete(claim);
      expect(await sent()).toEqual([]);
    });

    test('sends one message for a statement that inserts many jobs', async () => {
      await db.server.sql(`insert into jobs (workflow) select '{}' from generate_series(1, 500)`);
      expect(await sent()).toEqual([{ topic: 'casare:robots', event: 'jobs', payload: {} }]);
    });

    test('echoes the self-test of a robot to itself, and only to the one that asks', async () => {
      const userId = newId();
      const robot = await db.robot({ userId });
      const own = db.signedIn(userId);
      expect(await own.rpc('request_wake_up', { p_robot_id: robot, p_nonce: 'n-1' })).toBe(true);
      expect(await sent()).toEqual([{ topic: `casare:robot:${robot}`, event: 'echo', payload: { nonce: 'n-1' } }]);
      const other = await db.robot();
      const foreign = { p_robot_id: other, p_nonce: 'x' };
      expect(await own.refused('request_wake_up', foreign)).toMatchObject({ code: '42501' });
      expect(await db.anon.refused('request_wake_up', foreign)).toMatchObject({ code: '42501' });
      const long = { p_robot_id: robot, p_nonce: 'x'.repeat(101) };
      expect(await own.refused('request_wake_up', long)).toMatchObject({ code: '22023' });
    });

    test('lets a robot listen to its own topic and that of all robots, and to no other', async () => {
      const [ownUser, otherUser, stranger] = [newId(), newId(), newId()];
      const robot = await db.robot({ userId: ownUser });
      await db.robot({ userId: otherUser });
      await db.enqueue();
      await db.server.sql(`
        create or replace function hears(p_user text, p_topic text) returns boolean language plpgsql as $$
        declare
          v_heard boolean;
        begin
          perform set_config('request.jwt.claims', json_build_object('sub', p_user, 'role', 'authenticated')::text, true),
                  set_config('request.jwt.claim.sub', p_user, true),
                  set_config('realtime.topic', p_topic, true), set_config('role', 'authenticated', true);
          select exists (select from realtime.messages) into v_heard;
          perform set_config('role', 'none', true);
          return v_heard;
        end $$`);
      const hears = async (userId: string, topic: string): Promise<boolean> => {
        const [row] = await db.server.sql<{ heard: boolean }>('select hears($1, $2) as heard', [userId, topic]);
        return row?.heard === true;
      };
      const own = `casare:robot:${robot}`;
      expect(await hears(ownUser, own)).toBe(true);
      expect(await hears(ownUser, 'casare:robots')).toBe(true);
      expect(await hears(otherUser, own)).toBe(false);
      expect(await hears(stranger, own)).toBe(false);
      expect(await hears(stranger, 'casare:robots')).toBe(false);
      expect(await hears(ownUser, 'something-else')).toBe(false);
    });

    test('never fails the work that it tells of', async () => {
      await db.server.sql('alter table realtime.messages rename to gone');
      try {
        const robot = await db.robot();
        const claim = await db.running(robot);
        expect(await db.rpc('cancel_job', { p_job_id: claim.job_id })).toBe('requested');
      } finally {
        await db.server.sql('alter table realtime.gone rename to messages');
      }
    });

    test('may be applied again', async () => {
      await db.server.sql(await readFile(migration, 'utf8'));
      await db.enqueue();
      expect(await sent()).toHaveLength(1);
    });
  });

  test('without Realtime it sends nothing and says so; applied again after Realtime was added, it sends', async () => {
    const server: SupabaseServer = await engine.start();
    onTestFinished(() => server.stop());
    const db = new Orchestra(server);
    const robot = await db.robot();
    const triggers = (): Promise<unknown[]> =>
      server.sql(
        "select tgname from pg_trigger where tgrelid = 'public.jobs'::regclass and tgname like 'casare_wake%'",
      );
    expect(await db.rpc('request_wake_up', { p_robot_id: robot, p_nonce: 'n' })).toBe(false);
    expect(await triggers()).toEqual([]);
    await server.sql(realtimeSchema);
    await server.sql(await readFile(migration, 'utf8'));
    await db.enqueue();
    expect(await triggers()).toHaveLength(3);
    expect(await server.sql('select event from realtime.messages')).toEqual([{ event: 'jobs' }]);
  });
});
