-- Casare Robot, schema version 14: who cancelled or answered, as well as it can be known; answers through a robot's own page.
--
-- Needs the files before it. May be applied again at any time; where 001 or 009 was applied again, apply this file again.
--
-- Several people may use one key. The database knows the key's role only, so the caller may say who it is: in the header
-- x-casare-caller, as a JSON text, or (a robot, for whoever used its page) in p_by. Nobody checks that: it is kept beside
-- what the database knows, as a claim, and decides nothing.

-- 'service_role', 'service_role (claimed: ann@desk)'. At most 100 characters of a claim, on one line.
create or replace function casare.caller(p_claimed text default null) returns text
language plpgsql stable set search_path = pg_catalog, pg_temp
as $$
declare
  v_known text := coalesce(auth.uid()::text, nullif(auth.role(), ''), session_user);
  v_claimed text := p_claimed;
begin
  if v_claimed is null then
    begin
      v_claimed := (nullif(current_setting('request.headers', true), '')::json ->> 'x-casare-caller')::jsonb #>> '{}';
    exception when others then
      null; -- A claim that cannot be read is none.
    end;
  end if;
  v_claimed := nullif(btrim(left(regexp_replace(v_claimed, '[[:cntrl:]]+', ' ', 'g'), 100)), '');
  return v_known || coalesce(' (claimed: ' || v_claimed || ')', '');
end
$$;

-- As in 001, with casare.caller.
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
           cancel_requested_by = casare.caller()
     where j.id = p_job_id;
  end if;
  if v_job.status = 'pending' then
    perform casare.finish_job(p_job_id, 'cancelled', null, null);
    return 'cancelled';
  end if;
  return 'requested';
end
$$;

-- Answers a question of a job that the caller has locked; answered as resolve_job does. Null means any.
create or replace function casare.answer_question(
  p_job public.jobs, p_answer text, p_node_id text, p_step int, p_attempt int, p_by text
) returns text
language plpgsql volatile set search_path = pg_catalog, pg_temp
as $$
declare
  v_questions jsonb;
  v_question jsonb;
  v_given jsonb;
begin
  select coalesce(jsonb_agg(q), '[]') into v_questions
    from jsonb_array_elements(p_job.in_doubt) q
   where (p_node_id is null or q ->> 'node_id' = p_node_id) and (p_step is null or q ->> 'step' = p_step::text)
     and (p_attempt is null or q ->> 'attempt' = p_attempt::text);
  if p_job.status <> 'running' or v_questions = '[]' then
    return 'not-waiting';
  end if;
  if jsonb_array_length(v_questions) > 1 then
    return 'ambiguous';
  end if;
  v_question := v_questions -> 0;
  if not coalesce(v_question -> 'answers', '["retry", "skip", "fail"]') ? p_answer then
    return 'not-offered';
  end if;
  select a -> 'answer' into v_given from jsonb_array_elements(p_job.answers) a where casare.is_same_question(v_question, a);
  if found then
    return case when v_given = to_jsonb(p_answer) then 'answered' else 'already' end;
  end if;

  -- Only the job as a whole can begin anew: nothing of it runs while that is asked.
  if p_answer = 'restart' then
    perform casare.end_attempt(p_job.lease_token, 'lost', jsonb_build_object(
      'code', 'IN_DOUBT', 'category', 'unknown', 'resolved_by', p_by,
      'message', format('%s; an operator answered restart', v_question ->> 'reason')));
    perform casare.return_job(p_job.id, 0, false);
    return 'restarted';
  end if;

  update public.jobs j
     set answers = j.answers || jsonb_build_object('node_id', v_question -> 'node_id', 'step', v_question -> 'step',
           'attempt', v_question -> 'attempt', 'answer', p_answer, 'by', p_by, 'at', clock_timestamp())
   where j.id = p_job.id;
  return 'answered';
end
$$;

-- As in 009, with casare.caller and answer_question.
-- An operator's answer: to a question (retry, skip, fail; as the question allows), or about a job that is lost, or in
-- doubt as a whole (restart, fail). p_node_id and p_step say which question; not needed when there is one.
--   answered     the question got p_answer; the job's robot is told with its next heartbeat
--   restarted    the job is pending again and begins anew under a new token; what ran it is stale
--   failed       the lost job has ended as failed
--   not-waiting  nothing is asked about it (or about this node, or step), and it is not lost
--   not-offered  the question cannot be answered so
--   already      the question has another answer, which stands: its robot may have taken it. The same one again is answered
--   ambiguous    several questions are meant
--   final        it has ended already          unknown  there is no such job
create or replace function public.resolve_job(
  p_job_id uuid, p_answer text, p_node_id text default null, p_step int default null
) returns text
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_job public.jobs;
  v_by text := casare.caller();
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

  if v_job.status = 'running' and v_job.lease_expires_at <= clock_timestamp() -- I2
     and p_node_id is null and p_step is null and p_answer in ('restart', 'fail') then
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
  return casare.answer_question(v_job, p_answer, p_node_id, p_step, null, v_by);
end
$$;

-- An answer that was given to the robot itself, on its status page, to a question about a job that it has. Answered as
-- resolve_job, but `stale` when the job is not the robot's any more. It gives a robot no power over its job that it did
-- not have: the question was its own. An answer in the database is one of all that operators give, and the first stands.
create or replace function public.answer_doubt(
  p_job_id uuid, p_lease_token bigint, p_answer text, p_node_id text default null, p_step int default null,
  p_attempt int default null, p_by text default null
) returns text
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_job public.jobs;
  v_standing text := casare.lock_lease(p_job_id, p_lease_token);
begin
  perform casare.require(p_answer in ('retry', 'skip', 'fail', 'restart'), 'p_answer must be retry, skip, fail or restart');
  if v_standing <> 'current' then
    return case v_standing when 'ended' then 'final' else 'stale' end;
  end if;
  select * into v_job from public.jobs j where j.id = p_job_id;
  return casare.answer_question(v_job, p_answer, p_node_id, p_step, p_attempt, casare.caller(coalesce(p_by, '')));
end
$$;

do $$
declare
  v_function regprocedure;
begin
  for v_function in
    select p.oid from pg_proc p
     where p.pronamespace = 'public'::regnamespace and p.proname in ('cancel_job', 'resolve_job', 'answer_doubt')
  loop
    execute format('revoke all on function %s from public, anon', v_function);
    execute format('grant execute on function %s to authenticated, service_role', v_function);
  end loop;
  for v_function in
    select p.oid from pg_proc p
     where p.pronamespace = 'casare'::regnamespace and p.proname in ('caller', 'answer_question')
  loop
    execute format('revoke all on function %s from public, anon, authenticated, service_role', v_function);
  end loop;
end
$$;

-- Not immutable and not in SQL: what is folded into a cached plan is not checked again for the next caller's role.
create or replace function public.schema_version() returns int
language plpgsql stable set search_path = pg_catalog, pg_temp
as $$ begin return 14; end $$;

notify pgrst, 'reload schema';
