-- Casare Robot, schema version 13: how far a claim has come, as the server knows it.
--
-- Needs the files before it. May be applied again at any time.
--
-- A robot whose home was restored from an older backup, or whose machine from an older snapshot, has an old journal and
-- nothing that says so. What it would do again, and tell again under numbers that were used before, is known here:
--
--   jobs.recorded  how many entries the journal of the current claim had when its lease was last renewed
--   last_seq       the highest number of an event of that claim
--
-- Both come with every claim and every renewal. A number that comes again with other content is a conflict (I6).

alter table public.jobs add column if not exists recorded bigint not null default 0;

-- The number that sorts behind every event; the largest whole number of JavaScript.
create or replace function casare.behind_every_seq() returns bigint
language sql immutable set search_path = pg_catalog, pg_temp
as $$ select 9007199254740991 $$;

-- The highest number of an event of a claim; 0 for none.
create or replace function casare.last_seq(p_job_id uuid, p_lease_token bigint) returns bigint
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select coalesce(max(h.seq), 0) from public.job_history h
   where h.job_id = p_job_id and h.lease_token = p_lease_token and h.seq < casare.behind_every_seq()
$$;

-- As in 001, and how far the claim has come: more than 0 when a robot asks again for what it has begun already.
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
    'lease_ms', p_job.lock_timeout_ms,
    'last_seq', casare.last_seq(p_job.id, p_job.lease_token),
    'recorded', p_job.recorded)
$$;

-- As in 001; nothing of a new claim is recorded yet.
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
           started_at = coalesce(j.started_at, clock_timestamp()), progress = '{}', in_doubt = '[]', recorded = 0
     where j.id = any (p_job_ids) and j.status = 'pending'
    returning j.*
  ), recorded as (
    insert into public.job_attempts (job_id, attempt, lease_token, robot_id, request_id, claimed_at)
    select t.id, t.attempt, t.lease_token, p_robot_id, p_request_id, t.claimed_at from taken t
  )
  select coalesce(json_agg(casare.claim_json(t::public.jobs) order by t.priority desc, t.created_at, t.id), '[]')
    from taken t
$$;

-- As in 004. p_leases: [{"job_id": uuid, "lease_token": "123", "recorded": 17}]; recorded, how many entries the robot's
-- journal of the job has, may be left out. Each answer also says
--   last_seq, recorded  how far the claim had come before this renewal; null for a lease that does not hold its job
--   ended               the job has ended under this token: a robot that asks about it as if it ran has lost its end
create or replace function public.heartbeat_jobs(p_robot_id uuid, p_leases jsonb, p_lock_timeout_ms int)
returns jsonb
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_lease record;
  v_standing text;
  v_recorded bigint;
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
          or coalesce(e ->> 'lease_token', '') !~ '^[0-9]{1,18}$'
          or coalesce(e ->> 'recorded', '0') !~ '^[0-9]{1,15}$'),
    'p_leases: every element needs a job_id (uuid) and a lease_token (whole number); recorded is a whole number, at most '
    '15 digits');

  update public.robots r set last_seen = clock_timestamp() where r.id = p_robot_id;

  for v_lease in
    select e.position, (e.lease ->> 'job_id')::uuid as job_id, (e.lease ->> 'lease_token')::bigint as lease_token,
           coalesce((e.lease ->> 'recorded')::bigint, 0) as recorded
      from jsonb_array_elements(p_leases) with ordinality as e(lease, position)
     order by 2, 3
  loop
    v_standing := casare.lock_lease(v_lease.job_id, v_lease.lease_token);
    v_recorded := null;
    if v_standing = 'current' then
      select j.recorded into v_recorded from public.jobs j where j.id = v_lease.job_id;
      update public.jobs j
         set lease_expires_at = casare.lease_end(p_lock_timeout_ms), lock_timeout_ms = p_lock_timeout_ms,
             recorded = greatest(j.recorded, v_lease.recorded)
       where j.id = v_lease.job_id;
    end if;
    select * into v_job from public.jobs j where j.id = v_lease.job_id;
    v_answers := v_answers || jsonb_build_object(v_lease.position::text, jsonb_build_object(
      'job_id', v_lease.job_id,
      'lease_token', v_lease.lease_token::text,
      'outcome', casare.lease_answer(v_lease.job_id, v_standing),
      'cancel_reason', case when v_standing = 'current' then v_job.cancel_reason end,
      'cancel_requested_by', case when v_standing = 'current' then v_job.cancel_requested_by end,
      'answers', case when v_standing = 'current' then v_job.answers else '[]' end,
      'last_seq', case when v_standing = 'current' then casare.last_seq(v_lease.job_id, v_lease.lease_token) end,
      'recorded', v_recorded,
      'ended', v_standing = 'ended'));
  end loop;

  return jsonb_build_object('leases', coalesce(
    (select jsonb_agg(a.value order by a.key::int) from jsonb_each(v_answers) a), '[]'));
end
$$;

-- As in 001, but for an event that comes again with other content: then the answer is conflict, and the first one stands.
-- The others of its batch are kept. Under a stale lease the answer is stale in any case.
create or replace function public.record_events(p_job_id uuid, p_lease_token bigint, p_events jsonb) returns text
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_standing text := casare.lock_lease(p_job_id, p_lease_token);
  v_new bigint;
begin
  perform casare.require(jsonb_typeof(p_events) = 'array', 'p_events must be an array of {seq, kind, node_id, at, payload}');
  perform casare.require(jsonb_array_length(p_events) <= 1000, 'p_events must not have more than 1000 elements');
  perform casare.require(
    not exists (
      select from jsonb_array_elements(p_events) e
       where coalesce(e ->> 'kind', '') = '' or coalesce(e ->> 'seq', '') !~ '^[0-9]{1,15}$'),
    'p_events: every element needs a kind and a seq (whole number from 0, at most 15 digits)');

  if v_standing = 'unknown' then
    return casare.lease_answer(p_job_id, v_standing);
  end if;
  insert into public.job_history (job_id, lease_token, seq, kind, node_id, at, payload, superseded)
  select p_job_id, p_lease_token, e.seq, e.kind, e.node_id, e.at, coalesce(e.payload, '{}'), v_standing = 'stale'
    from jsonb_to_recordset(p_events) as e(seq bigint, kind text, node_id text, at timestamptz, payload jsonb)
      on conflict (job_id, lease_token, seq) do nothing;
  get diagnostics v_new = row_count;

  if v_standing <> 'stale' and v_new < jsonb_array_length(p_events) and exists (
    select from jsonb_to_recordset(p_events) as e(seq bigint, kind text, node_id text, at timestamptz, payload jsonb)
      join public.job_history h on h.job_id = p_job_id and h.lease_token = p_lease_token and h.seq = e.seq
     where (h.kind, h.node_id, h.at, h.payload) is distinct from (e.kind, e.node_id, e.at, coalesce(e.payload, '{}'))
  ) then
    return 'conflict';
  end if;
  return casare.lease_answer(p_job_id, v_standing);
end
$$;

-- As in 001. A repeat under the same token answers ok and changes nothing; one that says something else than the end that
-- stands is a conflict, and kept as superseded evidence (I5).
create or replace function public.complete_job(
  p_job_id uuid, p_lease_token bigint, p_status text, p_result jsonb default null, p_error jsonb default null,
  p_progress jsonb default null
) returns text
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_standing text := casare.lock_lease(p_job_id, p_lease_token);
  v_job public.jobs;
  v_transient boolean;
  v_conflict boolean := false;
begin
  perform casare.require(p_status in ('completed', 'failed', 'cancelled'),
    'p_status must be completed, failed or cancelled');
  perform casare.require(p_progress is null or jsonb_typeof(p_progress) = 'object', 'p_progress must be an object');

  if v_standing = 'ended' then
    -- The result is here as long as the job rests on this end.
    select a.outcome <> p_status or a.error is distinct from p_error
           or (j.lease_token = p_lease_token and j.status <> 'pending' and j.result is distinct from p_result)
      into v_conflict
      from public.job_attempts a join public.jobs j on j.id = a.job_id
     where a.lease_token = p_lease_token;
  end if;
  if v_standing = 'stale' or v_conflict then
    insert into public.job_history (job_id, lease_token, seq, kind, payload, superseded)
    values (p_job_id, p_lease_token, casare.behind_every_seq(), 'superseded_result',
            jsonb_build_object('status', p_status, 'result', p_result, 'error', p_error), true)
        on conflict (job_id, lease_token, seq) do nothing;
  end if;
  if v_conflict then
    return 'conflict';
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

do $$
declare
  v_function regprocedure;
begin
  for v_function in
    select p.oid from pg_proc p
     where p.pronamespace = 'public'::regnamespace and p.proname in ('heartbeat_jobs', 'record_events', 'complete_job')
  loop
    execute format('revoke all on function %s from public, anon', v_function);
    execute format('grant execute on function %s to authenticated, service_role', v_function);
  end loop;
  for v_function in
    select p.oid from pg_proc p
     where p.pronamespace = 'casare'::regnamespace
       and p.proname in ('behind_every_seq', 'last_seq', 'claim_json', 'take_jobs')
  loop
    execute format('revoke all on function %s from public, anon, authenticated, service_role', v_function);
  end loop;
end
$$;

-- Not immutable and not in SQL: what is folded into a cached plan is not checked again for the next caller's role.
create or replace function public.schema_version() returns int
language plpgsql stable set search_path = pg_catalog, pg_temp
as $$ begin return 13; end $$;

notify pgrst, 'reload schema';
