-- Casare Robot, schema version 1: robots, jobs, leases, history, and the functions that are the only door to them.
--
-- Applies to an empty Supabase project, to plain PostgreSQL 15 or newer behind PostgREST, and to an embedded
-- PostgreSQL (PGlite). May be applied again at any time: every statement either creates what is missing or replaces
-- a function of ours. Run it as the owner of the database, in one transaction (psql --single-transaction -f ...).
--
-- Promises kept here (cited as I1, I2, ... where they are kept):
--   I1  One owner. A claim draws a lease token from a sequence that never goes back. Every later write about the job
--       carries that token and is decided under the job's row lock: ok | stale | cancelled. Stale means that another
--       token holds the job or that this one was given up; an expired lease that nobody took is still its robot's.
--   I2  Clocks. Expiry is decided by this database's clock_timestamp(); callers send durations, never points in time.
--   I5  Final is final. completed | failed | cancelled | dead is written once. Late results are kept as superseded
--       evidence in job_history and change nothing else.
--   I6  Idempotent sync. Events are keyed (job_id, lease_token, seq); a claim whose answer got lost is recovered by
--       its request_id; repeating a terminal write under its own token answers ok.
--   I7  Bounded. Batches, claims, sweeps and robot_metrics have limits.
--
-- Life of a job:  pending -> running -> completed | failed | cancelled | dead
--   "lost" is not a status: it is a running job whose lease has expired.
--
-- Sections
--   1. Schema, roles, auth stand-in      5. Leases: shared steps behind the door
--   2. What an older database may hold   6. The robots' door
--   3. Tables                            7. The operators' door
--   4. Who is calling                    8. Privileges and row level security
--
-- On search_path: every function pins it to pg_catalog, pg_temp. An empty search_path would still look into the
-- caller's temporary schema first for type names; naming pg_temp last closes that. All other names are qualified.


-- =====================================================================================================================
-- 1. Schema, roles, auth stand-in
-- =====================================================================================================================

-- Helpers live in a schema of their own that must not be listed among the exposed schemas of PostgREST.
create schema if not exists casare;
comment on schema casare is 'Casare Robot: internals behind the functions in public. Do not expose through REST.';

-- Roles as Supabase has them. Existing ones are left exactly as they are.
do $$
declare
  v_role text;
begin
  if to_regrole('anon') is null then
    create role anon nologin noinherit;
  end if;
  if to_regrole('authenticated') is null then
    create role authenticated nologin noinherit;
  end if;
  if to_regrole('service_role') is null then
    create role service_role nologin noinherit bypassrls;
  end if;
  if to_regrole('authenticator') is null then
    create role authenticator nologin noinherit; -- plain PostgreSQL: give it LOGIN and a password for PostgREST
  end if;
  foreach v_role in array array['anon', 'authenticated', 'service_role'] loop
    if not pg_has_role('authenticator', v_role, 'member') then
      execute format('grant %I to authenticator', v_role);
    end if;
  end loop;
end
$$;

-- The three functions of Supabase's auth schema that the checks below use. Never replaced where they exist.
do $$
begin
  if to_regnamespace('auth') is null then
    create schema auth;
    grant usage on schema auth to anon, authenticated, service_role;
  end if;

  if to_regprocedure('auth.jwt()') is null then
    create function auth.jwt() returns jsonb
    language sql stable set search_path = pg_catalog, pg_temp
    as $f$
      select coalesce(nullif(current_setting('request.jwt.claims', true), ''), '{}')::jsonb
    $f$;
  end if;

  if to_regprocedure('auth.uid()') is null then
    create function auth.uid() returns uuid
    language sql stable set search_path = pg_catalog, pg_temp
    as $f$
      select coalesce(
        nullif(current_setting('request.jwt.claim.sub', true), ''),
        nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub'
      )::uuid
    $f$;
  end if;

  if to_regprocedure('auth.role()') is null then
    create function auth.role() returns text
    language sql stable set search_path = pg_catalog, pg_temp
    as $f$
      select coalesce(
        nullif(current_setting('request.jwt.claim.role', true), ''),
        nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'role'
      )
    $f$;
  end if;
end
$$;


-- =====================================================================================================================
-- 2. What an older database may hold
-- =====================================================================================================================

-- Tables named jobs or robots may exist already. Missing columns are added in section 3; a column that exists with a
-- type that the functions cannot work with is refused here, by name, before anything is changed.
do $$
declare
  v_wrong text;
begin
  select string_agg(format('%s.%s is %s, must be %s', w.tab, w.col, format_type(a.atttypid, a.atttypmod), w.typ), '; ')
    into v_wrong
    from (values
      ('jobs', 'id', 'uuid'), ('jobs', 'status', 'text'), ('jobs', 'claimed_by', 'uuid'),
      ('jobs', 'claimed_at', 'timestamp with time zone'), ('jobs', 'cancel_requested', 'boolean'),
      ('jobs', 'progress', 'jsonb'), ('jobs', 'result', 'jsonb'), ('jobs', 'error', 'jsonb'),
      ('jobs', 'priority', 'integer'), ('jobs', 'created_at', 'timestamp with time zone'),
      ('robots', 'id', 'uuid'), ('robots', 'name', 'text'), ('robots', 'capabilities', 'text[]'),
      ('robots', 'tags', 'text[]'), ('robots', 'last_seen', 'timestamp with time zone')
    ) as w(tab, col, typ)
    join pg_attribute a on a.attrelid = to_regclass(format('public.%I', w.tab)) and a.attname = w.col
   where a.attnum > 0 and not a.attisdropped and format_type(a.atttypid, a.atttypmod) <> w.typ;

  if v_wrong is not null then
    raise exception 'cannot upgrade the existing tables: %', v_wrong
      using hint = 'Change these columns to the types named, or rename the old tables, then apply the migration again.';
  end if;
end
$$;

-- The two-argument claim_job of older deployments; a second function of that name would make calls ambiguous.
drop function if exists public.claim_job(uuid, uuid);


-- =====================================================================================================================
-- 3. Tables
-- =====================================================================================================================
-- Each table is created with its key only and then given its columns one by one, so that a new and an upgraded
-- database end up with the same ones.

-- I1: tokens are drawn from here and never reused. They leave as text, because JavaScript numbers end at 2^53.
create sequence if not exists casare.lease_token_seq as bigint no cycle;

-- --- robots ---------------------------------------------------------------------------------------------------------
create table if not exists public.robots (id uuid primary key);

alter table public.robots
  add column if not exists name                text not null default '',
  add column if not exists auth_user_id        uuid,                          -- the sign-in that may act as this robot
  add column if not exists status              text not null default 'offline',
  add column if not exists last_seen           timestamptz,
  add column if not exists capabilities        text[] not null default '{}',
  add column if not exists tags                text[] not null default '{}',
  add column if not exists max_concurrent_jobs int not null default 1,
  add column if not exists version             text,
  add column if not exists boot_id             text,
  add column if not exists metrics             jsonb not null default '{}',   -- the newest sample
  add column if not exists metrics_count       bigint not null default 0,     -- samples ever sent; bounds robot_metrics
  add column if not exists registered_at       timestamptz not null default clock_timestamp();

create unique index if not exists robots_auth_user_id_key on public.robots (auth_user_id);

-- --- jobs -----------------------------------------------------------------------------------------------------------
create table if not exists public.jobs (id uuid primary key default gen_random_uuid());

alter table public.jobs
  -- what to run
  add column if not exists name                  text not null default '',
  add column if not exists workflow              json not null default '{}',  -- json, not jsonb: verbatim, key order kept
  add column if not exists variables             json not null default '{}',
  add column if not exists timeout_ms            bigint,
  -- when and where
  add column if not exists status                text not null default 'pending',
  add column if not exists priority              int not null default 0,
  add column if not exists created_at            timestamptz not null default clock_timestamp(),
  add column if not exists run_at                timestamptz not null default clock_timestamp(),
  add column if not exists required_tags         text[] not null default '{}',
  add column if not exists required_capabilities text[] not null default '{}',
  add column if not exists target_robot          uuid references public.robots (id),
  add column if not exists dedup_key             text,
  -- what happens when it fails or gets lost
  add column if not exists max_attempts          int not null default 1,
  add column if not exists attempt               int not null default 0,      -- the newest attempt's number
  add column if not exists on_lost               text not null default 'hold',
  add column if not exists in_doubt_policy       text,
  -- the lease
  add column if not exists claimed_by            uuid references public.robots (id),
  add column if not exists claimed_at            timestamptz,
  add column if not exists lease_token           bigint,
  add column if not exists lease_expires_at      timestamptz,
  add column if not exists lock_timeout_ms       int,
  add column if not exists claim_request_id      uuid,
  -- cancelling
  add column if not exists cancel_requested      boolean not null default false,
  add column if not exists cancel_reason         text,
  add column if not exists cancel_requested_by   text,
  add column if not exists cancel_requested_at   timestamptz,
  -- how it goes and how it ended
  add column if not exists progress              jsonb not null default '{}',
  add column if not exists in_doubt              jsonb not null default '[]',
  add column if not exists result                jsonb,
  add column if not exists error                 jsonb,
  add column if not exists started_at            timestamptz,
  add column if not exists completed_at          timestamptz;

-- Columns that an older table brought along as nullable.
update public.jobs
   set cancel_requested = coalesce(cancel_requested, false),
       progress = coalesce(progress, '{}'),
       priority = coalesce(priority, 0),
       created_at = coalesce(created_at, clock_timestamp()),
       status = coalesce(status, 'pending')
 where cancel_requested is null or progress is null or priority is null or created_at is null or status is null;

-- What ran under an older schema has no lease that a robot could come back with, and nobody can tell how it ended.
update public.jobs
   set status = 'failed', completed_at = clock_timestamp(), error = jsonb_build_object(
         'code', 'UPGRADED', 'category', 'unknown',
         'message', 'the job was running when its database was upgraded; its outcome is not known')
 where status = 'running' and lease_token is null;

-- Constraints by name. NOT VALID, because an upgraded table may hold old rows of another kind: new rows are checked.
do $$
declare
  v_check record;
begin
  for v_check in
    select * from (values
      ('jobs_status_known',    $c$status in ('pending', 'running', 'completed', 'failed', 'cancelled', 'dead')$c$),
      ('jobs_max_attempts_ok', $c$max_attempts >= 1$c$),
      ('jobs_timeout_ok',      $c$timeout_ms is null or timeout_ms > 0$c$),
      ('jobs_on_lost_known',   $c$on_lost in ('hold', 'restart')$c$),
      ('jobs_in_doubt_known',  $c$in_doubt_policy is null or in_doubt_policy in ('retry', 'skip', 'fail', 'ask')$c$),
      ('jobs_running_leased',  $c$status <> 'running' or (lease_token is not null and claimed_by is not null
                                  and lease_expires_at is not null)$c$)
    ) as c(name, expression)
  loop
    if not exists (
      select from pg_constraint where conrelid = 'public.jobs'::regclass and conname = v_check.name
    ) then
      execute format('alter table public.jobs add constraint %I check (%s) not valid', v_check.name, v_check.expression);
    end if;
  end loop;
end
$$;

-- The table is hot and small: room on each page lets heartbeats and progress update in place (HOT). No index may
-- therefore contain a column that they change (lease_expires_at, progress).
alter table public.jobs set (fillfactor = 70);

create index if not exists jobs_claimable on public.jobs (priority desc, created_at, id) where status = 'pending';
create index if not exists jobs_running on public.jobs (claimed_at) where status = 'running';
create index if not exists jobs_newest on public.jobs (created_at desc);
create unique index if not exists jobs_dedup_key_live on public.jobs (dedup_key) where status in ('pending', 'running');

-- --- job_attempts: one row per claim --------------------------------------------------------------------------------
create table if not exists public.job_attempts (
  job_id      uuid not null references public.jobs (id) on delete cascade,
  attempt     int not null,
  lease_token bigint not null unique,
  robot_id    uuid not null references public.robots (id),
  request_id  uuid,                                         -- I6: the claim's request, kept after the job has ended
  claimed_at  timestamptz not null default clock_timestamp(),
  ended_at    timestamptz,
  outcome     text check (outcome in ('completed', 'failed', 'cancelled', 'released', 'lost')),
  error       jsonb,
  primary key (job_id, attempt, lease_token)
);

create index if not exists job_attempts_request on public.job_attempts (robot_id, request_id)
  where request_id is not null;

-- --- job_history: what the robots report, exactly once per (job, lease, seq) ----------------------------------------
create table if not exists public.job_history (
  job_id      uuid not null references public.jobs (id) on delete cascade,
  lease_token bigint not null,
  seq         bigint not null,
  kind        text not null,
  node_id     text,
  at          timestamptz,                                  -- the robot's own stamp: shown, never compared (I2)
  recorded_at timestamptz not null default clock_timestamp(),
  payload     jsonb not null default '{}',
  superseded  boolean not null default false,
  primary key (job_id, lease_token, seq)
);

-- --- robot_metrics: the newest 10,000 samples per robot (I7) --------------------------------------------------------
create table if not exists public.robot_metrics (
  id          bigserial primary key,
  robot_id    uuid not null references public.robots (id) on delete cascade,
  sample      bigint not null,                              -- robots.metrics_count at the time: a number per robot
  recorded_at timestamptz not null default clock_timestamp(),
  metrics     jsonb not null
);

create unique index if not exists robot_metrics_sample on public.robot_metrics (robot_id, sample);

-- --- operators: who may submit, watch and cancel ---------------------------------------------------------------------
create table if not exists public.operators (user_id uuid primary key);


-- =====================================================================================================================
-- 4. Who is calling
-- =====================================================================================================================

-- The service role, or the database's owner in a session of its own (psql, pg_cron): a session without any JWT whose
-- login is a member of the role that owns this schema. PostgREST logs in as authenticator, which is not.
create or replace function casare.is_service() returns boolean
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select case
    when coalesce(auth.role(), '') <> '' then auth.role() = 'service_role'
    else pg_has_role(session_user, (select nspowner from pg_namespace where nspname = 'casare'), 'member')
  end
$$;

create or replace function casare.is_operator() returns boolean
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select casare.is_service() or exists (select from public.operators o where o.user_id = auth.uid())
$$;

create or replace function casare.assert_operator() returns void
language plpgsql stable set search_path = pg_catalog, pg_temp
as $$
begin
  if not casare.is_operator() then
    raise exception 'permission denied: this needs the service role, or a row in operators for the signed-in user'
      using errcode = '42501';
  end if;
end
$$;

-- May the caller act as this robot? The service role may act for any registered robot.
create or replace function casare.assert_robot(p_robot_id uuid) returns void
language plpgsql stable set search_path = pg_catalog, pg_temp
as $$
begin
  if casare.is_service() then
    if not exists (select from public.robots r where r.id = p_robot_id) then
      raise exception 'p_robot_id: robot % is not registered', coalesce(p_robot_id::text, 'null')
        using errcode = '22023', hint = 'Call register_robot first.';
    end if;
  elsif not exists (select from public.robots r where r.id = p_robot_id and r.auth_user_id = auth.uid()) then
    raise exception 'permission denied: acting as robot % needs the service role, or the sign-in that '
      'robots.auth_user_id names for it', coalesce(p_robot_id::text, 'null') using errcode = '42501';
  end if;
end
$$;

-- Refuses bad input with a message that names the parameter.
create or replace function casare.require(p_condition boolean, p_message text) returns void
language plpgsql immutable set search_path = pg_catalog, pg_temp
as $$
begin
  if p_condition is not true then
    raise exception '%', p_message using errcode = '22023';
  end if;
end
$$;


-- =====================================================================================================================
-- 5. Leases: shared steps behind the door
-- =====================================================================================================================

-- I2: the end of a lease that is given out now.
create or replace function casare.lease_end(p_lock_timeout_ms int) returns timestamptz
language sql volatile set search_path = pg_catalog, pg_temp
as $$
  select clock_timestamp() + make_interval(secs => p_lock_timeout_ms / 1000.0)
$$;

create or replace function casare.check_lock_timeout(p_lock_timeout_ms int) returns void
language sql immutable set search_path = pg_catalog, pg_temp
as $$
  select casare.require(p_lock_timeout_ms between 1 and 604800000,
    'p_lock_timeout_ms must be between 1 and 604800000 (7 days)')
$$;

-- What a robot gets for a claim. The workflow is text: a JSON parser on the way would reorder numeric keys.
create or replace function casare.claim_json(p_job public.jobs) returns json
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select json_build_object(
    'job_id', p_job.id,
    'lease_token', p_job.lease_token::text,
    'name', p_job.name,
    'workflow', p_job.workflow::text,
    'variables', p_job.variables,
    'attempt', p_job.attempt,
    'max_attempts', p_job.max_attempts,
    'timeout_ms', p_job.timeout_ms,
    'on_lost', p_job.on_lost,
    'in_doubt_policy', p_job.in_doubt_policy,
    'cancel_requested', p_job.cancel_requested,
    'lease_ms', p_job.lock_timeout_ms)
$$;

-- Gives pending jobs, whose rows the caller has locked, to a robot: new token, new attempt (I1).
create or replace function casare.take_jobs(
  p_job_ids uuid[], p_robot_id uuid, p_request_id uuid, p_lock_timeout_ms int
) returns json
language sql volatile set search_path = pg_catalog, pg_temp
as $$
  with taken as (
    update public.jobs j
       set status = 'running', claimed_by = p_robot_id, claimed_at = clock_timestamp(),
           lease_token = nextval('casare.lease_token_seq'), lease_expires_at = casare.lease_end(p_lock_timeout_ms),
           lock_timeout_ms = p_lock_timeout_ms, claim_request_id = p_request_id, attempt = j.attempt + 1,
           started_at = coalesce(j.started_at, clock_timestamp()), progress = '{}', in_doubt = '[]'
     where j.id = any (p_job_ids) and j.status = 'pending'
    returning j.*
  ), recorded as (
    insert into public.job_attempts (job_id, attempt, lease_token, robot_id, request_id, claimed_at)
    select t.id, t.attempt, t.lease_token, p_robot_id, p_request_id, t.claimed_at from taken t
  )
  select coalesce(json_agg(casare.claim_json(t::public.jobs) order by t.priority desc, t.created_at, t.id), '[]')
    from taken t
$$;

-- I6: claims of a robot by the request that made them. Null when that request claimed nothing so far. The leases run
-- anew from now, because the robot counts its deadline from the moment it sent this repeat.
create or replace function casare.recover_claims(p_robot_id uuid, p_request_id uuid, p_lock_timeout_ms int)
returns json
language plpgsql volatile set search_path = pg_catalog, pg_temp
as $$
declare
  v_claims json;
begin
  if p_request_id is null or not exists (
    select from public.job_attempts a where a.robot_id = p_robot_id and a.request_id = p_request_id
  ) then
    return null;
  end if;

  with held as (
    update public.jobs j
       set lease_expires_at = casare.lease_end(p_lock_timeout_ms), lock_timeout_ms = p_lock_timeout_ms
      from public.job_attempts a
     where a.robot_id = p_robot_id and a.request_id = p_request_id
       and j.id = a.job_id and j.lease_token = a.lease_token and j.status = 'running'
    returning j.*
  )
  select coalesce(json_agg(casare.claim_json(h::public.jobs) order by h.priority desc, h.created_at, h.id), '[]')
    into v_claims
    from held h;
  return v_claims;
end
$$;

-- Two requests of one robot do not claim at the same time: a repeat that overtakes its original would otherwise not
-- see what the original is about to commit, and claim a second set under the same request_id.
create or replace function casare.lock_claims_of(p_robot_id uuid) returns void
language sql volatile set search_path = pg_catalog, pg_temp
as $$
  select pg_advisory_xact_lock(hashtextextended('casare.claims:' || p_robot_id::text, 0))
$$;

-- Locks the job and says where this lease stands. Refuses callers who may not act for the robot that was given it.
--   current  the job runs under this token, expired or not (I1)
--   ended    this token has already written its terminal result
--   stale    the job went on without it
--   unknown  no such lease was ever given out for this job
create or replace function casare.lock_lease(p_job_id uuid, p_lease_token bigint) returns text
language plpgsql volatile set search_path = pg_catalog, pg_temp
as $$
declare
  v_robot_id uuid;
  v_outcome text;
  v_current boolean;
begin
  select a.robot_id into v_robot_id
    from public.job_attempts a where a.job_id = p_job_id and a.lease_token = p_lease_token;
  if v_robot_id is null then
    return 'unknown';
  end if;
  perform casare.assert_robot(v_robot_id);

  select j.status = 'running' and j.lease_token = p_lease_token into v_current
    from public.jobs j where j.id = p_job_id for update;
  if v_current then
    return 'current';
  end if;

  -- Read after the lock was granted: whoever held it may have ended this very attempt.
  select a.outcome into v_outcome from public.job_attempts a where a.lease_token = p_lease_token;
  return case when v_outcome in ('completed', 'failed', 'cancelled') then 'ended' else 'stale' end;
end
$$;

-- The answer to a write under a lease, given what lock_lease found.
create or replace function casare.lease_answer(p_job_id uuid, p_standing text) returns text
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select case p_standing
    when 'ended' then 'ok'
    when 'current' then
      (select case when j.cancel_requested then 'cancelled' else 'ok' end from public.jobs j where j.id = p_job_id)
    else 'stale'
  end
$$;

create or replace function casare.end_attempt(p_lease_token bigint, p_outcome text, p_error jsonb) returns void
language sql volatile set search_path = pg_catalog, pg_temp
as $$
  update public.job_attempts a
     set ended_at = clock_timestamp(), outcome = p_outcome, error = p_error
   where a.lease_token = p_lease_token and a.ended_at is null
$$;

-- Writes a final status, once (I5). The token stays on the row, so that a repeat of the write is known.
create or replace function casare.finish_job(p_job_id uuid, p_status text, p_result jsonb, p_error jsonb) returns void
language sql volatile set search_path = pg_catalog, pg_temp
as $$
  update public.jobs j
     set status = p_status, result = p_result, error = p_error, in_doubt = '[]', completed_at = clock_timestamp()
   where j.id = p_job_id and j.status in ('pending', 'running')
$$;

-- Back to pending without a lease; p_uses_attempt says whether the attempt that just ended counts.
create or replace function casare.return_job(p_job_id uuid, p_delay_ms bigint, p_uses_attempt boolean) returns void
language sql volatile set search_path = pg_catalog, pg_temp
as $$
  update public.jobs j
     set status = 'pending', run_at = clock_timestamp() + make_interval(secs => p_delay_ms / 1000.0),
         attempt = j.attempt - case when p_uses_attempt then 0 else 1 end,
         claimed_by = null, claimed_at = null, lease_token = null, lease_expires_at = null,
         lock_timeout_ms = null, claim_request_id = null, in_doubt = '[]'
   where j.id = p_job_id and j.status = 'running'
$$;

-- Expired leases of jobs that may start again somewhere else. Jobs on hold stay with their robot.
create or replace function casare.reap(p_limit int, p_job_id uuid default null) returns int
language plpgsql volatile set search_path = pg_catalog, pg_temp
as $$
declare
  c_free_losses constant int := 10; -- losses that a job with a single attempt may suffer before it fails
  v_job public.jobs;
  v_lost jsonb;
  v_losses int;
  v_count int := 0;
begin
  for v_job in
    select j.* from public.jobs j
     where j.status = 'running' and j.on_lost = 'restart' and j.lease_expires_at <= clock_timestamp()
       and (p_job_id is null or j.id = p_job_id)
     order by j.claimed_at
     limit p_limit
       for update skip locked
  loop
    v_lost := jsonb_build_object('code', 'LEASE_LOST', 'category', 'transient',
      'message', format('the robot %s did not renew its lease in time', v_job.claimed_by));
    perform casare.end_attempt(v_job.lease_token, 'lost', v_lost);

    if v_job.cancel_requested then
      perform casare.finish_job(v_job.id, 'cancelled', null, null);
    elsif v_job.max_attempts > 1 and v_job.attempt >= v_job.max_attempts then
      perform casare.finish_job(v_job.id, 'dead', null, v_lost);
    elsif v_job.max_attempts > 1 then
      perform casare.return_job(v_job.id, 0, true);
    else
      select count(*) into v_losses
        from public.job_attempts a where a.job_id = v_job.id and a.outcome = 'lost';
      if v_losses > c_free_losses then
        perform casare.finish_job(v_job.id, 'failed', null, v_lost);
      else
        perform casare.return_job(v_job.id, 0, false);
      end if;
    end if;
    v_count := v_count + 1;
  end loop;
  return v_count;
end
$$;


-- =====================================================================================================================
-- 6. The robots' door
-- =====================================================================================================================

create or replace function public.schema_version() returns int
language sql immutable set search_path = pg_catalog, pg_temp
as $$ select 1 $$;

create or replace function public.register_robot(
  p_robot_id uuid, p_name text, p_capabilities text[] default '{}', p_tags text[] default '{}',
  p_max_concurrent_jobs int default 1, p_version text default null, p_boot_id text default null
) returns jsonb
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform casare.require(p_robot_id is not null, 'p_robot_id is required');
  perform casare.require(btrim(p_name) <> '', 'p_name must not be empty');
  perform casare.require(p_max_concurrent_jobs >= 1, 'p_max_concurrent_jobs must be at least 1');

  if casare.is_service() then
    insert into public.robots (id, name) values (p_robot_id, p_name) on conflict (id) do nothing;
  else
    perform casare.assert_robot(p_robot_id);
  end if;

  update public.robots r
     set name = p_name, capabilities = coalesce(p_capabilities, '{}'), tags = coalesce(p_tags, '{}'),
         max_concurrent_jobs = p_max_concurrent_jobs, version = p_version, boot_id = p_boot_id,
         status = 'online', last_seen = clock_timestamp()
   where r.id = p_robot_id;
  return jsonb_build_object('robot_id', p_robot_id, 'name', p_name);
end
$$;

-- Jobs for a robot: highest priority first, then oldest. Answers an array of claims. Repeating a p_request_id that
-- has claimed jobs answers those still held and claims nothing further (I6).
create or replace function public.claim_jobs(
  p_robot_id uuid, p_request_id uuid, p_limit int, p_lock_timeout_ms int default 300000,
  p_capabilities text[] default '{}', p_tags text[] default '{}'
) returns json
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_claims json;
  v_job_ids uuid[];
begin
  perform casare.assert_robot(p_robot_id);
  perform casare.require(p_request_id is not null, 'p_request_id is required');
  perform casare.require(p_limit between 0 and 1000, 'p_limit must be between 0 and 1000');
  perform casare.check_lock_timeout(p_lock_timeout_ms);

  perform casare.lock_claims_of(p_robot_id);
  v_claims := casare.recover_claims(p_robot_id, p_request_id, p_lock_timeout_ms);
  if v_claims is not null then
    return v_claims;
  end if;

  perform casare.reap(20);

  with picked as (
    select j.id from public.jobs j
     where j.status = 'pending' and j.run_at <= clock_timestamp()
       and (j.target_robot is null or j.target_robot = p_robot_id)
       and j.required_tags <@ coalesce(p_tags, '{}')
       and j.required_capabilities <@ coalesce(p_capabilities, '{}')
     order by j.priority desc, j.created_at, j.id
     limit p_limit
       for update skip locked
  )
  select array_agg(p.id) into v_job_ids from picked p;
  return casare.take_jobs(coalesce(v_job_ids, '{}'), p_robot_id, p_request_id, p_lock_timeout_ms);
end
$$;

-- One given job for a robot, or null when it cannot be had: not pending, not due, held, meant for another robot, or
-- asking for tags or capabilities that the robot did not register.
create or replace function public.claim_job(
  p_job_id uuid, p_robot_id uuid, p_lock_timeout_ms int default 300000, p_request_id uuid default null
) returns json
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_claims json;
  v_job_id uuid;
begin
  perform casare.assert_robot(p_robot_id);
  perform casare.check_lock_timeout(p_lock_timeout_ms);

  perform casare.lock_claims_of(p_robot_id);
  v_claims := casare.recover_claims(p_robot_id, p_request_id, p_lock_timeout_ms);
  if v_claims is null then
    perform casare.reap(1, p_job_id);

    select j.id into v_job_id
      from public.jobs j join public.robots r on r.id = p_robot_id
     where j.id = p_job_id and j.status = 'pending' and j.run_at <= clock_timestamp()
       and (j.target_robot is null or j.target_robot = p_robot_id)
       and j.required_tags <@ r.tags and j.required_capabilities <@ r.capabilities
       for update of j skip locked;
    v_claims := casare.take_jobs(array[v_job_id], p_robot_id, p_request_id, p_lock_timeout_ms);
  end if;
  return v_claims -> 0;
end
$$;

-- Renews leases. p_leases: [{"job_id": uuid, "lease_token": "123"}]. Rows are locked in the order of their ids, so
-- that two heartbeats never wait for each other in a circle; answers come in the order asked.
create or replace function public.heartbeat_jobs(p_robot_id uuid, p_leases jsonb, p_lock_timeout_ms int)
returns jsonb
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_lease record;
  v_standing text;
  v_job public.jobs;
  v_answers jsonb := '{}';
begin
  perform casare.assert_robot(p_robot_id);
  perform casare.check_lock_timeout(p_lock_timeout_ms);
  perform casare.require(jsonb_typeof(p_leases) = 'array', 'p_leases must be an array of {job_id, lease_token}');
  perform casare.require(jsonb_array_length(p_leases) <= 1000, 'p_leases must not have more than 1000 elements');
  perform casare.require(
    not exists (
      select from jsonb_array_elements(p_leases) e
       where coalesce(e ->> 'job_id', '') !~* '^[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}$'
          or coalesce(e ->> 'lease_token', '') !~ '^[0-9]{1,18}$'),
    'p_leases: every element needs a job_id (uuid) and a lease_token (whole number)');

  update public.robots r set last_seen = clock_timestamp() where r.id = p_robot_id;

  for v_lease in
    select e.position, (e.lease ->> 'job_id')::uuid as job_id, (e.lease ->> 'lease_token')::bigint as lease_token
      from jsonb_array_elements(p_leases) with ordinality as e(lease, position)
     order by 2, 3
  loop
    v_standing := casare.lock_lease(v_lease.job_id, v_lease.lease_token);
    if v_standing = 'current' then
      update public.jobs j
         set lease_expires_at = casare.lease_end(p_lock_timeout_ms), lock_timeout_ms = p_lock_timeout_ms
       where j.id = v_lease.job_id;
    end if;
    select * into v_job from public.jobs j where j.id = v_lease.job_id;
    v_answers := v_answers || jsonb_build_object(v_lease.position::text, jsonb_build_object(
      'job_id', v_lease.job_id,
      'lease_token', v_lease.lease_token::text,
      'outcome', casare.lease_answer(v_lease.job_id, v_standing),
      'cancel_reason', case when v_standing = 'current' then v_job.cancel_reason end,
      'cancel_requested_by', case when v_standing = 'current' then v_job.cancel_requested_by end));
  end loop;

  return jsonb_build_object('leases', coalesce(
    (select jsonb_agg(a.value order by a.key::int) from jsonb_each(v_answers) a), '[]'));
end
$$;

-- The robot's own sign of life, with a sample of its metrics now and then.
create or replace function public.robot_heartbeat(p_robot_id uuid, p_status text, p_metrics jsonb default null)
returns jsonb
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  c_samples_kept constant bigint := 10000;
  v_sample bigint;
begin
  perform casare.assert_robot(p_robot_id);
  perform casare.require(btrim(p_status) <> '', 'p_status must not be empty');

  update public.robots r
     set last_seen = clock_timestamp(), status = p_status, metrics = coalesce(p_metrics, r.metrics),
         metrics_count = r.metrics_count + case when p_metrics is null then 0 else 1 end
   where r.id = p_robot_id
  returning r.metrics_count into v_sample;

  if p_metrics is not null then
    insert into public.robot_metrics (robot_id, sample, metrics) values (p_robot_id, v_sample, p_metrics);
    delete from public.robot_metrics m where m.id in ( -- I7: one in, one out, a few more after a change of the limit
      select o.id from public.robot_metrics o
       where o.robot_id = p_robot_id and o.sample <= v_sample - c_samples_kept
       order by o.sample limit 100);
  end if;
  return jsonb_build_object('ok', true);
end
$$;

create or replace function public.report_progress(p_job_id uuid, p_lease_token bigint, p_progress jsonb) returns text
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_standing text := casare.lock_lease(p_job_id, p_lease_token);
begin
  perform casare.require(jsonb_typeof(p_progress) = 'object', 'p_progress must be an object');
  if v_standing = 'current' then
    update public.jobs j set progress = p_progress where j.id = p_job_id;
  end if;
  return casare.lease_answer(p_job_id, v_standing);
end
$$;

-- Appends to the job's history. Sending an event twice changes nothing (I6). Events of a lease that the job went on
-- without are kept as superseded evidence (I1); an unknown lease leaves no trace.
create or replace function public.record_events(p_job_id uuid, p_lease_token bigint, p_events jsonb) returns text
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_standing text := casare.lock_lease(p_job_id, p_lease_token);
begin
  perform casare.require(jsonb_typeof(p_events) = 'array', 'p_events must be an array of {seq, kind, node_id, at, payload}');
  perform casare.require(jsonb_array_length(p_events) <= 1000, 'p_events must not have more than 1000 elements');
  perform casare.require(
    not exists (
      select from jsonb_array_elements(p_events) e
       where coalesce(e ->> 'kind', '') = '' or coalesce(e ->> 'seq', '') !~ '^[0-9]{1,15}$'),
    'p_events: every element needs a kind and a seq (whole number from 0, at most 15 digits)');

  if v_standing <> 'unknown' then
    insert into public.job_history (job_id, lease_token, seq, kind, node_id, at, payload, superseded)
    select p_job_id, p_lease_token, e.seq, e.kind, e.node_id, e.at, coalesce(e.payload, '{}'), v_standing = 'stale'
      from jsonb_to_recordset(p_events) as e(seq bigint, kind text, node_id text, at timestamptz, payload jsonb)
        on conflict (job_id, lease_token, seq) do nothing;
  end if;
  return casare.lease_answer(p_job_id, v_standing);
end
$$;

-- The nodes that wait for an answer: [{"node_id": ..., "reason": ...}], or [] when none does any more.
create or replace function public.set_in_doubt(p_job_id uuid, p_lease_token bigint, p_in_doubt jsonb) returns text
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_standing text := casare.lock_lease(p_job_id, p_lease_token);
begin
  perform casare.require(jsonb_typeof(p_in_doubt) = 'array', 'p_in_doubt must be an array of {node_id, reason}');
  if v_standing = 'current' then
    update public.jobs j set in_doubt = p_in_doubt where j.id = p_job_id;
  end if;
  return casare.lease_answer(p_job_id, v_standing);
end
$$;

-- The end of an attempt, and of the job unless a transient failure has attempts left (I5). A repeat under the same
-- token answers ok and changes nothing. A job that completed before its cancel was noticed is completed. p_progress is
-- the last state of the progress: written with the end, so that no reader sees one without the other.
create or replace function public.complete_job(
  p_job_id uuid, p_lease_token bigint, p_status text, p_result jsonb default null, p_error jsonb default null,
  p_progress jsonb default null
) returns text
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  c_last_seq constant bigint := 9007199254740991; -- sorts behind every event; the largest whole number of JavaScript
  v_standing text := casare.lock_lease(p_job_id, p_lease_token);
  v_job public.jobs;
  v_transient boolean;
begin
  perform casare.require(p_status in ('completed', 'failed', 'cancelled'),
    'p_status must be completed, failed or cancelled');
  perform casare.require(p_progress is null or jsonb_typeof(p_progress) = 'object', 'p_progress must be an object');

  if v_standing = 'stale' then
    insert into public.job_history (job_id, lease_token, seq, kind, payload, superseded)
    values (p_job_id, p_lease_token, c_last_seq, 'superseded_result',
            jsonb_build_object('status', p_status, 'result', p_result, 'error', p_error), true)
        on conflict (job_id, lease_token, seq) do nothing;
  end if;
  if v_standing <> 'current' then
    return casare.lease_answer(p_job_id, v_standing);
  end if;

  select * into v_job from public.jobs j where j.id = p_job_id;
  v_transient := p_status = 'failed' and coalesce(p_error ->> 'category', '') = 'transient';
  perform casare.end_attempt(p_lease_token, p_status, p_error);
  update public.jobs j set progress = p_progress where j.id = p_job_id and p_progress is not null;

  if v_transient and v_job.attempt < v_job.max_attempts and not v_job.cancel_requested then
    perform casare.return_job(p_job_id, least(600000, 10000 * 2 ^ least(v_job.attempt - 1, 6))::bigint, true);
  elsif v_transient and v_job.attempt >= v_job.max_attempts and v_job.max_attempts > 1 then
    perform casare.finish_job(p_job_id, 'dead', p_result, p_error);
  else
    perform casare.finish_job(p_job_id, p_status, p_result, p_error);
  end if;
  return 'ok';
end
$$;

-- Gives a job back unfinished, at no cost of an attempt. When its cancel was requested it ends as cancelled instead.
create or replace function public.release_job(
  p_job_id uuid, p_lease_token bigint, p_reason text default null, p_delay_ms int default 0
) returns text
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_standing text := casare.lock_lease(p_job_id, p_lease_token);
  v_answer text;
begin
  perform casare.require(p_delay_ms >= 0, 'p_delay_ms must not be negative');

  if v_standing = 'current' then
    v_answer := casare.lease_answer(p_job_id, v_standing);
    if v_answer = 'cancelled' then
      perform casare.end_attempt(p_lease_token, 'cancelled', jsonb_build_object('code', 'RELEASED', 'message', p_reason));
      perform casare.finish_job(p_job_id, 'cancelled', null, null);
    else
      perform casare.end_attempt(p_lease_token, 'released', jsonb_build_object('code', 'RELEASED', 'message', p_reason));
      perform casare.return_job(p_job_id, p_delay_ms, false);
    end if;
    return v_answer;
  end if;

  if exists (select from public.job_attempts a where a.lease_token = p_lease_token and a.job_id = p_job_id
                and a.outcome = 'released') then
    return 'ok'; -- a repeat of the release
  end if;
  return casare.lease_answer(p_job_id, v_standing);
end
$$;

-- Returns expired jobs that may start again to the queue; answers how many leases it ended.
create or replace function public.reap_expired_jobs(p_limit int default 100) returns int
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
begin
  if not casare.is_operator() and not exists (select from public.robots r where r.auth_user_id = auth.uid()) then
    raise exception 'permission denied: this needs the service role, an operator, or the sign-in of a robot'
      using errcode = '42501';
  end if;
  perform casare.require(p_limit between 1 and 10000, 'p_limit must be between 1 and 10000');
  return casare.reap(p_limit);
end
$$;


-- =====================================================================================================================
-- 7. The operators' door
-- =====================================================================================================================

-- The workflow arrives as text and is kept verbatim. A p_dedup_key that a pending or running job carries answers
-- that job's id.
create or replace function public.enqueue_job(
  p_workflow text, p_variables json default '{}', p_name text default null, p_priority int default 0,
  p_run_at timestamptz default null, p_required_tags text[] default '{}',
  p_required_capabilities text[] default '{}', p_target_robot uuid default null, p_dedup_key text default null,
  p_max_attempts int default 1, p_timeout_ms bigint default null, p_on_lost text default 'hold',
  p_in_doubt_policy text default null
) returns uuid
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_workflow json;
  v_name text;
  v_job_id uuid;
begin
  perform casare.assert_operator();

  perform casare.require(octet_length(p_workflow) <= 16777216, 'p_workflow is required, and at most 16 MiB');
  begin
    v_workflow := p_workflow::json;
    v_name := case json_typeof(v_workflow -> 'metadata')
      when 'object' then v_workflow -> 'metadata' ->> 'name' end;
  exception when data_exception then
    raise exception 'p_workflow is not valid JSON: %', sqlerrm using errcode = '22023';
  end;
  perform casare.require(json_typeof(v_workflow) = 'object', 'p_workflow must be a JSON object');
  begin
    perform casare.require(coalesce(jsonb_typeof(p_variables::jsonb), 'object') = 'object',
      'p_variables must be an object');
  exception when untranslatable_character then
    raise exception 'p_variables must not contain the character U+0000' using errcode = '22023';
  end;
  perform casare.require(p_priority is not null, 'p_priority must not be null');
  perform casare.require(array_position(p_required_tags, null) is null, 'p_required_tags must not contain null');
  perform casare.require(array_position(p_required_capabilities, null) is null,
    'p_required_capabilities must not contain null');
  perform casare.require(p_target_robot is null or exists (select from public.robots r where r.id = p_target_robot),
    'p_target_robot: no robot is registered under this id');
  perform casare.require(p_dedup_key is null or btrim(p_dedup_key) <> '', 'p_dedup_key must not be empty');
  perform casare.require(p_max_attempts between 1 and 1000, 'p_max_attempts must be between 1 and 1000');
  perform casare.require(p_timeout_ms is null or p_timeout_ms > 0, 'p_timeout_ms must be positive');
  perform casare.require(p_on_lost in ('hold', 'restart'), 'p_on_lost must be hold or restart');
  perform casare.require(p_in_doubt_policy is null or p_in_doubt_policy in ('retry', 'skip', 'fail', 'ask'),
    'p_in_doubt_policy must be retry, skip, fail or ask');

  v_name := coalesce(nullif(btrim(p_name), ''), nullif(btrim(v_name), ''), 'unnamed workflow');

  -- The unique index settles races: whoever comes second waits, inserts nothing and looks again. The job found may
  -- have ended in between, so try again then.
  loop
    insert into public.jobs (
      name, workflow, variables, priority, run_at, required_tags, required_capabilities, target_robot, dedup_key,
      max_attempts, timeout_ms, on_lost, in_doubt_policy, status, created_at)
    values (
      v_name, v_workflow, coalesce(p_variables, '{}'), p_priority, coalesce(p_run_at, clock_timestamp()),
      coalesce(p_required_tags, '{}'), coalesce(p_required_capabilities, '{}'), p_target_robot, p_dedup_key,
      p_max_attempts, p_timeout_ms, p_on_lost, p_in_doubt_policy, 'pending', clock_timestamp())
    on conflict (dedup_key) where status in ('pending', 'running') do nothing
    returning id into v_job_id;
    exit when v_job_id is not null;

    select j.id into v_job_id from public.jobs j
     where j.dedup_key = p_dedup_key and j.status in ('pending', 'running');
    exit when v_job_id is not null;
  end loop;
  return v_job_id;
end
$$;

-- cancelled: it was pending and has ended now. requested: it runs; its robot is told. final: it had ended before.
create or replace function public.cancel_job(p_job_id uuid, p_reason text default null) returns text
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_job public.jobs;
begin
  perform casare.assert_operator();
  select * into v_job from public.jobs j where j.id = p_job_id for update;
  if not found then
    return 'unknown';
  end if;
  if v_job.status not in ('pending', 'running') then
    return 'final';
  end if;

  if not v_job.cancel_requested then
    update public.jobs j
       set cancel_requested = true, cancel_reason = p_reason, cancel_requested_at = clock_timestamp(),
           cancel_requested_by = coalesce(auth.uid()::text, nullif(auth.role(), ''), session_user)
     where j.id = p_job_id;
  end if;
  if v_job.status = 'pending' then
    perform casare.finish_job(p_job_id, 'cancelled', null, null);
    return 'cancelled';
  end if;
  return 'requested';
end
$$;

-- The short form of a job; get_job adds to it. Lease tokens stay inside.
create or replace function casare.job_json(p_job public.jobs) returns jsonb
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select jsonb_build_object(
    'job_id', p_job.id,
    'name', p_job.name,
    'status', p_job.status,
    'lost', p_job.status = 'running' and p_job.lease_expires_at <= clock_timestamp(), -- I2
    'in_doubt', p_job.in_doubt,
    'progress', p_job.progress,
    'error', p_job.error,
    'priority', p_job.priority,
    'created_at', p_job.created_at,
    'run_at', p_job.run_at,
    'started_at', p_job.started_at,
    'completed_at', p_job.completed_at,
    'claimed_by', p_job.claimed_by,
    'robot_name', (select r.name from public.robots r where r.id = p_job.claimed_by),
    'cancel_requested', p_job.cancel_requested,
    'cancel_reason', p_job.cancel_reason,
    'attempt', p_job.attempt,
    'max_attempts', p_job.max_attempts,
    'on_lost', p_job.on_lost)
$$;

create or replace function public.get_job(p_job_id uuid) returns json
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_job public.jobs;
begin
  perform casare.assert_operator();
  select * into v_job from public.jobs j where j.id = p_job_id;
  if not found then
    return null;
  end if;
  return (casare.job_json(v_job) || jsonb_build_object(
    'result', v_job.result,
    'variables', v_job.variables::jsonb,
    'attempts', coalesce((
      select jsonb_agg(jsonb_build_object(
               'attempt', a.attempt, 'robot_id', a.robot_id, 'robot_name', r.name, 'claimed_at', a.claimed_at,
               'ended_at', a.ended_at, 'outcome', a.outcome, 'error', a.error) order by a.lease_token)
        from public.job_attempts a join public.robots r on r.id = a.robot_id
       where a.job_id = p_job_id), '[]')))::json;
end
$$;

-- The newest jobs first.
create or replace function public.list_jobs(p_status text default null, p_limit int default 50) returns json
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform casare.assert_operator();
  perform casare.require(p_limit between 1 and 1000, 'p_limit must be between 1 and 1000');
  perform casare.require(
    p_status is null or p_status in ('pending', 'running', 'completed', 'failed', 'cancelled', 'dead'),
    'p_status must be pending, running, completed, failed, cancelled or dead');
  return (
    select coalesce(json_agg(casare.job_json(j) order by j.created_at desc, j.id), '[]')
      from (select * from public.jobs s where p_status is null or s.status = p_status
             order by s.created_at desc, s.id limit p_limit) as j);
end
$$;

create or replace function public.get_job_history(p_job_id uuid, p_limit int default 1000) returns json
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform casare.assert_operator();
  perform casare.require(p_limit between 1 and 100000, 'p_limit must be between 1 and 100000');
  return (
    select coalesce(json_agg(json_build_object(
             'lease_token', h.lease_token::text, 'seq', h.seq, 'kind', h.kind, 'node_id', h.node_id, 'at', h.at,
             'recorded_at', h.recorded_at, 'payload', h.payload, 'superseded', h.superseded)
             order by h.lease_token, h.seq), '[]')
      from (select * from public.job_history s where s.job_id = p_job_id
             order by s.lease_token, s.seq limit p_limit) as h);
end
$$;


-- =====================================================================================================================
-- 8. Privileges and row level security
-- =====================================================================================================================
-- Rows: nobody but the owner and the service role gets past row level security; operators may look. Row level security
-- is what counts: some hosts grant table privileges to every role by themselves.

do $$
declare
  v_table text;
begin
  foreach v_table in array array['robots', 'jobs', 'job_attempts', 'job_history', 'robot_metrics', 'operators'] loop
    execute format('alter table public.%I enable row level security', v_table);
    execute format('revoke all on public.%I from public, anon, authenticated', v_table);
    execute format('grant select on public.%I to authenticated', v_table);
    execute format('grant all on public.%I to service_role', v_table);
    execute format('drop policy if exists operators_look on public.%I', v_table);
    execute format(
      'create policy operators_look on public.%I for select to authenticated using ((select casare.is_operator()))',
      v_table);
  end loop;
end
$$;
revoke all on sequence public.robot_metrics_id_seq from public, anon, authenticated;

-- Policies of an older deployment are not ours to drop, but whoever upgrades should know of them.
do $$
declare
  v_policies text;
begin
  select string_agg(format('%I on %I', p.policyname, p.tablename), ', ') into v_policies
    from pg_policies p
   where p.schemaname = 'public' and p.policyname <> 'operators_look'
     and p.tablename in ('robots', 'jobs', 'job_attempts', 'job_history', 'robot_metrics', 'operators');
  if v_policies is not null then
    raise warning 'row level security policies that this schema does not need: %', v_policies
      using hint = 'They open the tables beside the functions. Drop them when nothing else depends on them.';
  end if;
end
$$;

-- Functions: the door is open to signed-in users and the service role, each function checks who they are. The helpers
-- are for the door only; is_operator is what the policies above ask.
do $$
declare
  v_function regprocedure;
begin
  for v_function in
    select p.oid from pg_proc p
     where p.pronamespace = 'public'::regnamespace
       and p.proname in (
         'schema_version', 'register_robot', 'claim_jobs', 'claim_job', 'heartbeat_jobs', 'robot_heartbeat',
         'report_progress', 'record_events', 'set_in_doubt', 'complete_job', 'release_job', 'reap_expired_jobs',
         'enqueue_job', 'cancel_job', 'get_job', 'list_jobs', 'get_job_history')
  loop
    execute format('revoke all on function %s from public, anon', v_function);
    execute format('grant execute on function %s to authenticated, service_role', v_function);
  end loop;

  for v_function in select p.oid from pg_proc p where p.pronamespace = 'casare'::regnamespace loop
    execute format('revoke all on function %s from public, anon, authenticated, service_role', v_function);
  end loop;
end
$$;
revoke all on schema casare from public, anon;
grant usage on schema casare to authenticated;
grant execute on function casare.is_operator() to authenticated;

-- PostgREST reads its schema cache anew.
notify pgrst, 'reload schema';
