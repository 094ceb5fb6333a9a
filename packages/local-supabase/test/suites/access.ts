import { describe, expect, test } from 'vitest';
import type { Engine } from '../engines.ts';
import { type Claim, emptyWorkflow, instanceOf, lease, newId, type Orchestra } from '../orchestra.ts';

const tables = [
  ...['robots', 'jobs', 'job_attempts', 'job_history', 'job_logs'],
  ...['robot_metrics', 'operators', 'audit_anchors'],
];

/** Every function of the door, with arguments that would be fine for somebody else. */
function everyCall(robot: string, claim: Claim): [string, Record<string, unknown>][] {
  return [
    ...robotCalls(robot, claim),
    ['schema_version', {}],
    ['reap_expired_jobs', {}],
    ...operatorCalls(claim.job_id),
  ];
}

const signed = { p_signature: 's', p_at: '2026-01-01T00:00:00Z', p_segment: 1 };

function robotCalls(robot: string, claim: Claim): [string, Record<string, unknown>][] {
  const held = lease(claim);
  const leased = { job_id: claim.job_id, lease_token: claim.lease_token };
  return [
    ['register_robot', { p_robot_id: robot, p_name: 'mine now' }],
    ['claim_jobs', { p_robot_id: robot, p_request_id: newId(), p_limit: 1 }],
    ['claim_job', { p_job_id: claim.job_id, p_robot_id: robot }],
    ['heartbeat_jobs', { p_robot_id: robot, p_leases: [], p_lock_timeout_ms: 1000 }],
    ['robot_heartbeat', { p_robot_id: robot, p_status: 'online' }],
    ['report_progress', { ...held, p_progress: { percent: 100 } }],
    ['record_events', { ...held, p_events: [] }],
    ['report_progress_batch', { p_reports: [{ ...leased, progress: {} }] }],
    ['set_in_doubt', { ...held, p_in_doubt: [] }],
    ['answer_doubt', { ...held, p_answer: 'retry' }],
    ['complete_job', { ...held, p_status: 'completed' }],
    ['release_job', held],
    ['append_job_logs', { ...held, p_first_seq: 1, p_lines: [{ level: 'info', message: 'forged' }] }],
    ['append_job_logs_batch', { p_batches: [{ ...leased, first_seq: 1, lines: [{ level: 'info', message: 'x' }] }] }],
    ['request_wake_up', { p_robot_id: robot, p_nonce: 'nonce' }],
    ['robot_turn', { p_robot_id: robot, p_status: 'idle' }],
    ['take_instance', { ...instanceOf(robot), p_instance: newId() }],
    ['leave_instance', { p_robot_id: robot, p_instance: newId() }],
    ['anchor_audit', { p_robot_id: robot, p_seq: 1, p_hash: 'a'.repeat(64), ...signed }],
    ['list_audit_anchors', { p_robot_id: robot }],
  ];
}

function operatorCalls(jobId: string): [string, Record<string, unknown>][] {
  return [
    ['release_instance', { p_robot_id: newId() }],
    ['enqueue_job', { p_workflow: emptyWorkflow }],
    ['cancel_job', { p_job_id: jobId }],
    ['get_job', { p_job_id: jobId }],
    ['list_jobs', {}],
    ['find_jobs', { p_id_prefix: 'a' }],
    ['get_job_history', { p_job_id: jobId }],
    ['get_job_logs', { p_job_id: jobId }],
    ['resolve_job', { p_job_id: jobId, p_answer: 'retry' }],
    ['redrive_job', { p_job_id: jobId }],
    ['purge_jobs', { p_older_than_ms: 0 }],
    ['purge_audit_anchors', { p_older_than_ms: 0 }],
  ];
}

export function accessSuite(db: () => Orchestra, engine: Engine): void {
  /** A robot with a sign-in of its own that runs a job. */
  async function signedInRobot(): Promise<{ userId: string; robot: string; claim: Claim }> {
    const userId = newId();
    const robot = await db().robot({ userId });
    return { userId, robot, claim: await db().running(robot) };
  }

  test('gives an anonymous caller nothing: no function, no row', async () => {
    const { robot, claim } = await signedInRobot();

    for (const [name, args] of everyCall(robot, claim)) {
      expect([name, await db().anon.refused(name, args)]).toMatchObject([name, { code: '42501', status: 401 }]);
    }
    for (const table of tables) expect((await db().anon.client.from(table).select()).data ?? []).toEqual([]);
  });

  test('refuses a caller without a key, or with a wrong one', async () => {
    const { url } = db().server;
    for (const headers of [{}, { apikey: 'sb_secret_wrong' }, { authorization: `Bearer ${db().server.serviceKey}` }]) {
      expect((await fetch(`${url}/rest/v1/jobs`, { headers })).status).toBe(401);
    }
    const forged = 'eyJhbGciOiJIUzI1NiJ9.eyJyb2xlIjoic2VydmljZV9yb2xlIn0.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA';
    const headers = { apikey: db().server.anonKey, authorization: `Bearer ${forged}` };
    expect((await fetch(`${url}/rest/v1/jobs`, { headers })).status).toBe(401);
  });

  test('lets a signed-in robot do its own work', async () => {
    const { userId, robot } = await signedInRobot();
    const caller = db().signedIn(userId);
    await db().enqueue();

    await caller.rpc('register_robot', { p_robot_id: robot, p_name: 'Own' });
    const claimed = { p_robot_id: robot, p_request_id: newId(), p_limit: 1 };
    const [claim] = (await caller.rpc<Claim[]>('claim_jobs', claimed)) as [Claim];

    expect(await caller.rpc('report_progress', { ...lease(claim), p_progress: { percent: 1 } })).toBe('ok');
    expect(await caller.rpc('complete_job', { ...lease(claim), p_status: 'completed' })).toBe('ok');
    expect(await caller.rpc('reap_expired_jobs')).toBe(0);
    expect(await caller.rpc('schema_version')).toBe(16);
  });

  test('keeps a signed-in robot from acting as another one, with its token, too', async () => {
    const [own, other] = [await signedInRobot(), await signedInRobot()];
    const caller = db().signedIn(own.userId);
    const before = await db().job(other.claim.job_id);

    for (const [name, args] of robotCalls(other.robot, other.claim)) {
      const refusal = await caller.refused(name, args);
      expect([name, refusal]).toMatchObject([name, { code: '42501', status: 403 }]);
      expect(refusal.message).toContain(other.robot);
    }
    const leases = [{ job_id: other.claim.job_id, lease_token: other.claim.lease_token }];
    const beat = { p_robot_id: own.robot, p_leases: leases, p_lock_timeout_ms: 1000 };
    expect(await caller.refused('heartbeat_jobs', beat)).toMatchObject({ code: '42501' });
    expect(await db().job(other.claim.job_id)).toEqual(before);
  });

  test('keeps a signed-in robot out of the operators door, and says what is missing', async () => {
    const { userId, claim } = await signedInRobot();
    for (const [name, args] of operatorCalls(claim.job_id)) {
      const refusal = await db().signedIn(userId).refused(name, args);
      expect([name, refusal]).toMatchObject([name, { code: '42501', message: expect.stringContaining('operators') }]);
    }
  });

  test('keeps a signed-in robot away from the tables', async () => {
    const { userId, claim } = await signedInRobot();
    const { client } = db().signedIn(userId);

    for (const table of tables) expect((await client.from(table).select()).data ?? []).toEqual([]);
    await client.from('jobs').update({ status: 'completed' }).eq('id', claim.job_id);
    await client.from('jobs').delete().eq('id', claim.job_id);
    const inserted = await client.from('operators').insert({ user_id: userId });

    expect(inserted.error).toMatchObject({ code: '42501' });
    expect(await db().job(claim.job_id)).toMatchObject({ status: 'running' });
    expect(await db().server.sql('select from operators')).toEqual([]);
  });

  test.runIf(engine.parallel)(
    'keeps it away by every other way to a table, too: upserts, counts, embedded rows, CSV, functions by GET',
    async () => {
      const { userId, robot, claim } = await signedInRobot();
      const { url, anonKey } = db().server;
      const authorization = `Bearer ${await db().server.userToken(userId)}`;
      const before = [await db().job(claim.job_id), await db().server.sql('select * from robots')];
      const complete = `p_job_id=${claim.job_id}&p_lease_token=${claim.lease_token}&p_status=completed`;
      for (const [method, path, prefer, rows] of [
        ['POST', 'operators', 'resolution=merge-duplicates', [{ user_id: userId }]],
        ['POST', 'robots', 'resolution=merge-duplicates,return=representation', [{ id: robot, name: 'forged' }]],
        ['PUT', `jobs?id=eq.${claim.job_id}`, '', { id: claim.job_id, status: 'completed' }],
        ['PATCH', 'robots?select=id', 'return=representation', { instance_id: newId() }],
        ['GET', `rpc/complete_job?${complete}`, '', undefined],
        ['HEAD', 'jobs', 'count=exact', undefined],
        ['GET', 'jobs?select=id,job_attempts(lease_token)', '', undefined],
        ['GET', 'robots?select=id,instance_id', '', undefined],
      ] as const) {
        const headers = {
          apikey: anonKey,
          authorization,
          prefer,
          'content-type': 'application/json',
          accept: 'text/csv',
        };
        const body = rows === undefined ? null : JSON.stringify(rows);
        const answer = await fetch(`${url}/rest/v1/${path}`, { method, headers, body });
        const text = await answer.text();
        expect([path, text.includes(robot), text.includes(claim.job_id)]).toEqual([path, false, false]);
        expect(answer.headers.get('content-range') ?? '*/0').toMatch(/\/(0|\*)$/);
      }
      expect([await db().job(claim.job_id), await db().server.sql('select * from robots')]).toEqual(before);
      expect(await db().server.sql('select from operators')).toEqual([]);
    },
  );

  test('keeps a signed-in stranger out altogether', async () => {
    const { robot, claim } = await signedInRobot();
    for (const [name, args] of everyCall(robot, claim).filter(([each]) => each !== 'schema_version')) {
      const refusal = await db().signedIn(newId()).refused(name, args);
      expect([name, refusal]).toMatchObject([name, { code: '42501', status: 403 }]);
    }
  });

  test('lets an operator submit, watch and cancel, and look at the tables without changing them', async () => {
    const userId = newId();
    await db().server.sql('insert into operators values ($1)', [userId]);
    const operator = db().signedIn(userId);

    const jobId = await operator.rpc<string>('enqueue_job', { p_workflow: emptyWorkflow });
    expect(await operator.rpc('get_job', { p_job_id: jobId })).toMatchObject({ status: 'pending' });
    expect((await operator.client.from('jobs').select('id')).data).toEqual([{ id: jobId }]);
    await operator.client.from('jobs').update({ status: 'completed' }).eq('id', jobId);
    await operator.client.from('jobs').delete().eq('id', jobId);
    expect(await operator.rpc('cancel_job', { p_job_id: jobId, p_reason: 'oops' })).toBe('cancelled');

    const rows = await db().server.sql('select status, cancel_requested_by from jobs');
    expect(rows).toEqual([{ status: 'cancelled', cancel_requested_by: userId }]);
  });

  test('does not offer the helpers behind the door', async () => {
    for (const name of ['is_service', 'reap', 'take_jobs', 'lock_lease']) {
      expect((await db().refused(name)).status).toBe(404);
    }
    const { error } = await db().client.schema('casare').rpc('reap', { p_limit: 1 });
    expect(error).toMatchObject({ code: 'PGRST106' });
  });

  test('has row level security on every table and a pinned search path in every function', async () => {
    const open = await db().server.sql(
      "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r' and not relrowsecurity",
    );
    const unpinned = await db().server.sql(
      `select oid::regprocedure::text from pg_proc
        where pronamespace in ('public'::regnamespace, 'casare'::regnamespace)
          and not coalesce(proconfig @> array['search_path=pg_catalog, pg_temp'], false)`,
    );
    const anyone = await db().server.sql(
      `select oid::regprocedure::text from pg_proc
        where pronamespace in ('public'::regnamespace, 'casare'::regnamespace)
          and has_function_privilege('anon', oid, 'execute')`,
    );
    expect({ open, unpinned, anyone }).toEqual({ open: [], unpinned: [], anyone: [] });
  });

  describe('a caller with an SQL session of its own', () => {
    /** What a signed-in user with a plain database session could set up before calling the functions. */
    const traps = `
      create schema trap;
      grant usage, create on schema trap to authenticated;
      create table trap.caught (what text);
      grant insert on trap.caught to authenticated;
      create function trap.clock_timestamp() returns timestamptz language sql as
        $$ insert into trap.caught values ('clock_timestamp'); select timestamptz 'infinity' $$;
      create function trap.nextval(text) returns bigint language sql as
        $$ insert into trap.caught values ('nextval'); select 1::bigint $$;
      create function trap.contained(text[], text[]) returns boolean language sql as $$ select true $$;
      create operator trap.<@ (leftarg = text[], rightarg = text[], function = trap.contained);
    `;

    test('cannot slip own functions, operators, tables or types under the door', async () => {
      const { userId, robot } = await signedInRobot();
      const jobId = await db().enqueue({ p_priority: 5 });
      await db().enqueue({ p_priority: 9, p_required_tags: ['not mine'] });
      const claims = JSON.stringify({ sub: userId, role: 'authenticated' });

      // Several statements are one transaction; raising the verdict at its end also takes the traps away again.
      const verdict = await db()
        .server.sql(`
          ${traps}
          set local role authenticated;
          select set_config('request.jwt.claims', '${claims}', true),
                 set_config('request.jwt.claim.sub', '${userId}', true),
                 set_config('request.jwt.claim.role', 'authenticated', true);
          set local search_path = trap, public, pg_catalog;
          create temp table jobs (id uuid);
          create temp table robots (id uuid);
          create domain pg_temp.json as pg_catalog.text check (false);
          create domain pg_temp.uuid as pg_catalog.text check (false);
          create domain pg_temp.jsonb as pg_catalog.text check (false);
          create temp table answer as select public.claim_jobs('${robot}', '${newId()}', 5)::pg_catalog.text as claims;
          reset role;
          do $$
          begin
            raise exception '%', pg_catalog.json_build_object(
              'claims', (select a.claims::pg_catalog.json from answer a), 'caught', (select pg_catalog.count(*) from trap.caught));
          end
          $$`)
        .catch((error: Error) => error.message);

      expect(JSON.parse(String(verdict))).toMatchObject({ claims: [{ job_id: jobId }], caught: 0 });
    });
  });
}
