/** Where the migrations must apply, and what a database that existed before keeps. */
import { cp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { SupabaseServer } from '../src/index.ts';
import { readMigrations } from '../src/migrations.ts';
import { startPostgresSupabase } from '../src/postgres/index.ts';
import { engines, hasRealPostgres } from './engines.ts';
import { newId, Orchestra } from './orchestra.ts';
import { scratchFolder } from './scratch-folder.ts';

const repositoryMigrations = fileURLToPath(new URL('../../../migrations', import.meta.url));

/** A copy of the migrations with one file before them. */
async function migrationsAfter(first: string): Promise<string> {
  const folder = await scratchFolder();
  await cp(repositoryMigrations, folder, { recursive: true });
  await writeFile(join(folder, '000_before.sql'), first);
  return folder;
}

async function applyAgain(server: SupabaseServer, migrationsDir: string): Promise<void> {
  for (const { name, text } of await readMigrations(migrationsDir)) {
    if (name !== '000_before.sql') await server.sql(text);
  }
}

function stopAfterTest(server: SupabaseServer): SupabaseServer {
  onTestFinished(() => server.stop());
  return server;
}

describe.each(engines)('$name', (engine) => {
  test('upgrades tables that an older deployment made, and runs its pending jobs', async () => {
    const [robot, job] = [newId(), newId()];
    const migrationsDir = await migrationsAfter(`
      create table robots (id uuid primary key, name text, status text);
      create table jobs (
        id uuid primary key default gen_random_uuid(), robot_id uuid references robots (id), workflow jsonb,
        status text default 'pending', priority int, created_at timestamptz default now(), progress jsonb);
      create function claim_job(job uuid, robot uuid) returns boolean language sql as 'select true';
      insert into robots values ('${robot}', 'Veteran', 'idle');
      insert into jobs (id, workflow) values ('${job}', '{"nodes": {}}');
      insert into jobs (workflow, status) values ('{}', 'success'), ('{}', 'running');`);

    const server = stopAfterTest(await engine.start({ migrationsDir }));
    const orchestra = new Orchestra(server);

    const claims = await orchestra.claim(robot, { p_limit: 5 });
    expect(claims).toMatchObject([{ job_id: job, workflow: '{"nodes": {}}', variables: {}, attempt: 1 }]);
    expect(await orchestra.job(job)).toMatchObject({ status: 'running', robot_name: 'Veteran' });
    expect(await server.sql("select status, error ->> 'code' as code from jobs order by status")).toEqual([
      { status: 'failed', code: 'UPGRADED' },
      { status: 'running', code: null },
      { status: 'success', code: null },
    ]);
    expect(await orchestra.enqueue()).toEqual(expect.any(String));

    await applyAgain(server, migrationsDir);
    expect(await orchestra.job(job)).toMatchObject({ status: 'running' });
  });

  test('sweeps expired leases once a minute where the database can schedule it', async () => {
    const migrationsDir = await migrationsAfter(`
      create schema cron;
      create table cron.job (jobname text primary key, schedule text, command text);
      create function cron.schedule(job_name text, schedule text, command text) returns bigint language sql as $$
        insert into cron.job values (job_name, schedule, command)
          on conflict (jobname) do update set command = excluded.command returning 1::bigint $$;`);

    const server = stopAfterTest(await engine.start({ migrationsDir }));
    await applyAgain(server, migrationsDir);

    const [scheduled, ...others] = await server.sql<{ schedule: string; command: string }>('select * from cron.job');
    expect(others).toEqual([]);
    expect(scheduled).toMatchObject({ schedule: '* * * * *' });
    expect(await server.sql(scheduled?.command ?? '')).toEqual([{ reap_expired_jobs: 0 }]);
  });
});

describe.runIf(hasRealPostgres)('PostgreSQL', () => {
  test('refuses an older table whose columns have the wrong type, and says which', async () => {
    const migrationsDir = await migrationsAfter('create table jobs (id bigint primary key, claimed_by text)');

    const start = startPostgresSupabase({ migrationsDir });

    await expect(start).rejects.toMatchObject({
      code: 'MIGRATION_FAILED',
      message: expect.stringMatching(/jobs\.id is bigint, must be uuid; .*jobs\.claimed_by is text, must be uuid/),
    });
  });

  test('names the file and the line of a migration that does not apply', async () => {
    const migrationsDir = await migrationsAfter('select 1;\nselect nonsense;');

    await expect(startPostgresSupabase({ migrationsDir })).rejects.toMatchObject({
      code: 'MIGRATION_FAILED',
      message: 'migration 000_before.sql line 2: column "nonsense" does not exist',
    });
  });

  test('applies as the owner of a hosted project: no superuser, with roles and auth functions that are not its own', async () => {
    const migrationsDir = await migrationsAfter(`
      create role anon nologin; create role authenticated nologin; create role service_role nologin bypassrls;
      create role authenticator noinherit login; grant anon, authenticated, service_role to authenticator;
      create role host_admin; create schema auth authorization host_admin;
      create function auth.uid() returns uuid language sql stable as $$
        select nullif(current_setting('request.jwt.claims', true)::jsonb ->> 'sub', '')::uuid $$;
      create function auth.role() returns text language sql stable as $$
        select current_setting('request.jwt.claims', true)::jsonb ->> 'role' $$;
      create function auth.jwt() returns jsonb language sql stable as $$
        select current_setting('request.jwt.claims', true)::jsonb $$;
      alter function auth.uid() owner to host_admin;
      alter function auth.role() owner to host_admin;
      alter function auth.jwt() owner to host_admin;
      create role project_owner createrole bypassrls;
      grant usage on schema auth to project_owner, anon, authenticated, service_role;
      grant create on database postgres to project_owner;
      grant all on schema public to project_owner;
      grant usage on schema public to anon, authenticated, service_role;
      alter default privileges for role project_owner in schema public
        grant all on tables to anon, authenticated, service_role;
      alter default privileges for role project_owner in schema public
        grant all on functions to anon, authenticated, service_role;`);
    for (const { name, text } of await readMigrations(migrationsDir)) {
      if (name === '000_before.sql') continue;
      const twice = `${text}\n${text}`;
      await writeFile(join(migrationsDir, name), `set local role project_owner;\n${twice}\nreset role;`);
    }

    const orchestra = new Orchestra(stopAfterTest(await startPostgresSupabase({ migrationsDir })));

    const robot = await orchestra.robot();
    expect(await orchestra.complete(await orchestra.running(robot))).toBe('ok');
    expect(await orchestra.anon.refused('list_jobs')).toMatchObject({ code: '42501' });
    expect(await orchestra.signedIn(newId()).refused('list_jobs')).toMatchObject({ code: '42501' });
    expect((await orchestra.anon.client.from('jobs').select()).data ?? []).toEqual([]);
    const owners = await orchestra.server.sql(
      "select distinct proowner::regrole::text as owner from pg_proc where pronamespace = 'auth'::regnamespace",
    );
    expect(owners).toEqual([{ owner: 'host_admin' }]);
  });

  test('lets the owner call the functions in a session of its own, without a token', async () => {
    const server = stopAfterTest(await startPostgresSupabase());

    const rows = await server.sql<{ id: string }>(`select public.enqueue_job('{}') as id`);
    expect(await server.sql('select public.reap_expired_jobs() as reaped')).toEqual([{ reaped: 0 }]);
    expect(rows).toEqual([{ id: expect.any(String) }]);
  });
});
