-- Casare Robot, schema version 4: what operators answer, and a robot's whole turn in one request.
--
-- Needs the files before it. May be applied again at any time.
--
--   resolve_job    an operator's answer: for a node that is in doubt (retry, skip, fail), or for a job that is lost
--                  (restart, fail)
--   redrive_job    a job that failed or is dead gets one more attempt
--   purge_jobs     drops jobs that ended long ago (I7)
--   robot_turn     renews leases, tells of presence, cancels and answers, and claims: one request for an idle robot
--
-- Where pg_cron exists, expired leases are also swept once a minute, so that a job does not wait for the next claim.


-- =====================================================================================================================
-- 1. Answers to nodes in doubt
-- =====================================================================================================================

-- [{"node_id": ..., "step": ..., "answer": "retry" | "skip" | "fail", "by": ..., "at": ...}], newest last. An answer
-- belongs to one question: it goes when its node is no longer in doubt at that step.
alter table public.jobs add column if not exists answers jsonb not null default '[]';

-- As before; the answers go with the questions.
create or replace function casare.finish_job(p_job_id uuid, p_status text, p_result jsonb, p_error jsonb) returns void
language sql volatile set search_path = pg_catalog, pg_temp
as $$
  update public.jobs j
     set status = p_status, result = p_result, error = p_error, in_doubt = '[]', answers = '[]',
         completed_at = clock_timestamp()
   where j.id = p_job_id and j.status in ('pending', 'running')
$$;

create or replace function casare.return_job(p_job_id uuid, p_delay_ms bigint, p_uses_attempt boolean) returns void
language sql volatile set search_path = pg_catalog, pg_temp
as $$
  update public.jobs j
     set status = 'pending', run_at = clock_timestamp() + make_interval(secs => p_delay_ms / 1000.0),
         attempt = j.attempt - case when p_uses_attempt then 0 else 1 end,
         claimed_by = null, claimed_at = null, lease_token = null, lease_expires_at = null,
         lock_timeout_ms = null, claim_request_id = null, in_doubt = '[]', answers = '[]'
   where j.id = p_job_id and j.status = 'running'
$$;

-- The answers that still belong to a question of p_in_doubt.
create or replace function casare.answers_to(p_answers jsonb, p_in_doubt jsonb) returns jsonb
language sql immutable set search_path = pg_catalog, pg_temp
as $$
  select coalesce(jsonb_agg(a.answer order by a.position), '[]')
    from jsonb_array_elements(p_answers) with ordinality as a(answer, position)
   where exists (
     select from jsonb_array_elements(p_in_doubt) q
      where q ->> 'node_id' = a.answer ->> 'node_id' and (q -> 'step') is not distinct from (a.answer -> 'step'))
$$;

create or replace function public.set_in_doubt(p_job_id uuid, p_lease_token bigint, p_in_doubt jsonb) returns text
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_standing text := casare.lock_lease(p_job_id, p_lease_token);
begin
  perform casare.require(jsonb_typeof(p_in_doubt) = 'array', 'p_in_doubt must be an array of {node_id, reason}');
  perform casare.require(
    not exists (select from jsonb_array_elements(p_in_doubt) q where coalesce(q ->> 'node_id', '') = ''),
    'p_in_doubt: every element needs a node_id');
  if v_standing = 'current' then
    update public.jobs j
       set in_doubt = p_in_doubt, answers = casare.answers_to(j.answers, p_in_doubt)
     where j.id = p_job_id;
  end if;
  return casare.lease_answer(p_job_id, v_standing);
end
$$;

-- Answers:
--   answered     the nodes in doubt got p_answer; the job's robot is told with its next heartbeat
--   restarted    the lost job is pending again and begins anew under a new token
--   failed       the lost job has ended as failed
--   not-waiting  it neither waits for an answer nor is it lost
--   final        it has ended already          unknown  there is no such job
create or replace function public.resolve_job(p_job_id uuid, p_answer text, p_node_id text default null) returns text
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_job public.jobs;
  v_by text := coalesce(auth.uid()::text, nullif(auth.role(), ''), session_user);
  v_questions jsonb;
  v_is_lost boolean;
begin
  perform casare.assert_operator();
  perform casare.require(p_answer in ('retry', 'skip', 'fail', 'restart'),
    'p_answer must be retry, skip or fail for a node in doubt, restart or fail for a lost job');

  select * into v_job from public.jobs j where j.id = p_job_id for update;
  if not found then
    return 'unknown';
  end if;
  if v_job.status not in ('pending', 'running') then
    return 'final';
  end if;
  v_is_lost := v_job.status = 'running' and v_job.lease_expires_at <= clock_timestamp(); -- I2

  if p_answer = 'restart' or (p_answer = 'fail' and v_is_lost and p_node_id is null) then
    if not v_is_lost then
      return 'not-waiting';
    end if;
    perform casare.end_attempt(v_job.lease_token, 'lost', jsonb_build_object(
      'code', 'LEASE_LOST', 'category', 'transient', 'resolved_by', v_by,
      'message', format('the robot %s did not come back; an operator answered %s', v_job.claimed_by, p_answer)));
    if p_answer = 'restart' then
      perform casare.return_job(p_job_id, 0, false);
      return 'restarted';
    end if;
    perform casare.finish_job(p_job_id, 'failed', null, jsonb_build_object(
      'code', 'RESOLVED_AS_FAILED', 'category', 'permanent', 'resolved_by', v_by, 'node_id', null,
      'message', 'its robot did not come back, and an operator ended it as failed'));
    return 'failed';
  end if;

  select coalesce(jsonb_agg(q), '[]') into v_questions
    from jsonb_array_elements(v_job.in_doubt) q
   where p_node_id is null or q ->> 'node_id' = p_node_id;
  if v_job.status <> 'running' or v_questions = '[]' then
    return 'not-waiting';
  end if;
  update public.jobs j
     set answers = (
           select coalesce(jsonb_agg(a), '[]') from jsonb_array_elements(j.answers) a
            where not exists (
              select from jsonb_array_elements(v_questions) q
               where q ->> 'node_id' = a ->> 'node_id' and (q -> 'step') is not distinct from (a -> 'step'))
         ) || (
           select jsonb_agg(jsonb_build_object('node_id', q -> 'node_id', 'step', q -> 'step', 'answer', p_answer,
                                               'by', v_by, 'at', clock_timestamp()))
             from jsonb_array_elements(v_questions) q)
   where j.id = p_job_id;
  return 'answered';
end
$$;

-- As before, and with the answers to the job's questions, so that they arrive with the next heartbeat.
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
      'cancel_requested_by', case when v_standing = 'current' then v_job.cancel_requested_by end,
      'answers', case when v_standing = 'current' then v_job.answers else '[]' end));
  end loop;

  return jsonb_build_object('leases', coalesce(
    (select jsonb_agg(a.value order by a.key::int) from jsonb_each(v_answers) a), '[]'));
end
$$;


-- =====================================================================================================================
-- 2. After the end
-- =====================================================================================================================

-- One more attempt for a job that failed or is dead, under a new token when it is claimed (I5: the attempts that
-- ended stay as they are).
--   redriven | not-failed (it has not ended, or not badly) | duplicate (another job carries its dedup key) | unknown
create or replace function public.redrive_job(p_job_id uuid) returns text
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
  if v_job.status not in ('failed', 'dead') then
    return 'not-failed';
  end if;
  begin
    update public.jobs j
       set status = 'pending', run_at = clock_timestamp(), max_attempts = greatest(j.max_attempts, j.attempt + 1),
           result = null, error = null, progress = '{}', in_doubt = '[]', answers = '[]', completed_at = null,
           claimed_by = null, claimed_at = null, lease_token = null, lease_expires_at = null, lock_timeout_ms = null,
           claim_request_id = null, cancel_requested = false, cancel_reason = null, cancel_requested_by = null,
           cancel_requested_at = null
     where j.id = p_job_id;
  exception when unique_violation then
    return 'duplicate';
  end;
  return 'redriven';
end
$$;

-- Drops jobs that ended longer ago than p_older_than_ms, with their attempts and history; answers how many.
create or replace function public.purge_jobs(p_older_than_ms bigint, p_limit int default 1000) returns int
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_count int;
begin
  perform casare.assert_operator();
  perform casare.require(p_older_than_ms >= 0, 'p_older_than_ms must not be negative');
  perform casare.require(p_limit between 1 and 100000, 'p_limit must be between 1 and 100000');
  delete from public.jobs d
   where d.id in (
     select j.id from public.jobs j
      where j.status not in ('pending', 'running')
        and j.completed_at < clock_timestamp() - make_interval(secs => p_older_than_ms / 1000.0)
      order by j.completed_at
      limit p_limit
        for update skip locked);
  get diagnostics v_count = row_count;
  return v_count;
end
$$;

create index if not exists jobs_ended on public.jobs (completed_at) where status not in ('pending', 'running');


-- As before, and with how many robots have been heard of within the last ten minutes (at most 1,001): what a robot
-- spreads its return after an outage by, so that a large fleet does not come back as a herd.
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
  return jsonb_build_object('ok', true, 'fleet_size', (
    select count(*) from (
      select from public.robots r where r.last_seen > clock_timestamp() - interval '10 minutes' limit 1001) as heard));
end
$$;


-- =====================================================================================================================
-- 3. A robot's whole turn
-- =====================================================================================================================

-- {"leases": [as heartbeat_jobs], "claims": [as claim_jobs]}. With p_limit 0 nothing is claimed and p_request_id may
-- be null. The lock on this robot's claims comes first, so that two turns of one robot cannot wait for each other in
-- a circle (each holding the rows of its leases).
create or replace function public.robot_turn(
  p_robot_id uuid, p_status text, p_leases jsonb default '[]', p_lock_timeout_ms int default 300000,
  p_request_id uuid default null, p_limit int default 0, p_capabilities text[] default '{}', p_tags text[] default '{}',
  p_metrics jsonb default null
) returns json
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_leases jsonb;
  v_claims json := '[]';
begin
  perform casare.assert_robot(p_robot_id);
  perform casare.require(p_limit is not null, 'p_limit must not be null');
  if p_limit > 0 then
    perform casare.lock_claims_of(p_robot_id);
  end if;
  v_leases := public.heartbeat_jobs(p_robot_id, p_leases, p_lock_timeout_ms) -> 'leases';
  perform public.robot_heartbeat(p_robot_id, p_status, p_metrics);
  if p_limit > 0 then
    v_claims := public.claim_jobs(p_robot_id, p_request_id, p_limit, p_lock_timeout_ms, p_capabilities, p_tags);
  end if;
  return json_build_object('leases', v_leases, 'claims', v_claims);
end
$$;


-- =====================================================================================================================
-- 4. Privileges, schedule, version
-- =====================================================================================================================

-- What an operator sees of a job, with the answers that its robot has not taken yet.
create or replace function casare.job_json(p_job public.jobs) returns jsonb
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select jsonb_build_object(
    'job_id', p_job.id,
    'name', p_job.name,
    'status', p_job.status,
    'lost', p_job.status = 'running' and p_job.lease_expires_at <= clock_timestamp(), -- I2
    'in_doubt', p_job.in_doubt,
    'answers', p_job.answers,
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
    'cancel_requested_by', p_job.cancel_requested_by,
    'attempt', p_job.attempt,
    'max_attempts', p_job.max_attempts,
    'on_lost', p_job.on_lost)
$$;

do $$
declare
  v_function regprocedure;
begin
  for v_function in
    select p.oid from pg_proc p
     where p.pronamespace = 'public'::regnamespace
       and p.proname in ('set_in_doubt', 'resolve_job', 'heartbeat_jobs', 'robot_heartbeat', 'redrive_job', 'purge_jobs', 'robot_turn')
  loop
    execute format('revoke all on function %s from public, anon', v_function);
    execute format('grant execute on function %s to authenticated, service_role', v_function);
  end loop;
  for v_function in
    select p.oid from pg_proc p
     where p.pronamespace = 'casare'::regnamespace and p.proname in ('answers_to', 'finish_job', 'return_job', 'job_json')
  loop
    execute format('revoke all on function %s from public, anon, authenticated, service_role', v_function);
  end loop;
end
$$;

-- Scheduling the same name again replaces the schedule.
do $$
begin
  if to_regprocedure('cron.schedule(text, text, text)') is not null then
    execute $cron$
      select cron.schedule('casare-reap-expired-jobs', '* * * * *', 'select public.reap_expired_jobs(1000)')
    $cron$;
  end if;
end
$$;

create or replace function public.schema_version() returns int
language sql immutable set search_path = pg_catalog, pg_temp
as $$ select 4 $$;

notify pgrst, 'reload schema';
