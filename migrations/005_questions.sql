-- Casare Robot, schema version 5: questions about jobs in doubt, each told apart from every other.
--
-- Needs the files before it. May be applied again at any time.
--
-- A question, as set_in_doubt stores it in jobs.in_doubt:
--   node_id   null: the job as a whole (part of its record is lost, or what it runs has changed)
--   step      which execution of the node; parallel items of one node differ in it
--   attempt   which attempt of that step: a retry that was itself interrupted is a new question
--   reason    for people                place     which branch, item or turn of a loop, for people
--   answers   what may be answered      default ["retry", "skip", "fail"]
--
-- An answer belongs to one question: the same node_id, step and attempt. It goes when its question does.

create or replace function casare.is_same_question(p_one jsonb, p_other jsonb) returns boolean
language sql immutable set search_path = pg_catalog, pg_temp
as $$
  select (p_one ->> 'node_id') is not distinct from (p_other ->> 'node_id')
     and (p_one ->> 'step') is not distinct from (p_other ->> 'step')
     and (p_one ->> 'attempt') is not distinct from (p_other ->> 'attempt')
$$;

-- The answers that still belong to a question of p_in_doubt.
create or replace function casare.answers_to(p_answers jsonb, p_in_doubt jsonb) returns jsonb
language sql immutable set search_path = pg_catalog, pg_temp
as $$
  select coalesce(jsonb_agg(a.answer order by a.position), '[]')
    from jsonb_array_elements(p_answers) with ordinality as a(answer, position)
   where exists (select from jsonb_array_elements(p_in_doubt) q where casare.is_same_question(q, a.answer))
$$;

-- Which questions about the job are open; [] when none is any more. Answers to others are forgotten.
create or replace function public.set_in_doubt(p_job_id uuid, p_lease_token bigint, p_in_doubt jsonb) returns text
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  c_questions constant int := 1000;
  v_standing text := casare.lock_lease(p_job_id, p_lease_token);
begin
  perform casare.require(jsonb_typeof(p_in_doubt) = 'array',
    'p_in_doubt must be an array of {node_id, step, attempt, reason, place, answers}');
  perform casare.require(jsonb_array_length(p_in_doubt) <= c_questions,
    'p_in_doubt must not have more than 1000 elements');
  perform casare.require(
    not exists (
      select from jsonb_array_elements(p_in_doubt) q
       where jsonb_typeof(q) <> 'object' or q ->> 'node_id' = ''
          or coalesce(jsonb_typeof(q -> 'node_id'), 'null') not in ('string', 'null')
          or coalesce(jsonb_typeof(q -> 'step'), 'null') not in ('number', 'null')
          or coalesce(jsonb_typeof(q -> 'answers'), 'array') <> 'array'),
    'p_in_doubt: node_id is a text that is not empty, or null for the job as a whole; step is a number, answers an array');
  if v_standing = 'current' then
    update public.jobs j
       set in_doubt = p_in_doubt, answers = casare.answers_to(j.answers, p_in_doubt)
     where j.id = p_job_id;
  end if;
  return casare.lease_answer(p_job_id, v_standing);
end
$$;

-- With one more parameter than in 004; two functions of one name could not be told apart by a call without it.
drop function if exists public.resolve_job(uuid, text, text);

-- An operator's answer: to a question (retry, skip, fail; as the question allows), or about a job that is lost, or in
-- doubt as a whole (restart, fail). p_node_id and p_step say which question; not needed when there is one.
--   answered     the question got p_answer; the job's robot is told with its next heartbeat
--   restarted    the job is pending again and begins anew under a new token; what ran it is stale
--   failed       the lost job has ended as failed
--   not-waiting  nothing is asked about it (or about this node, or step), and it is not lost
--   not-offered  the question cannot be answered so
--   ambiguous    several questions are meant
--   final        it has ended already          unknown  there is no such job
create or replace function public.resolve_job(
  p_job_id uuid, p_answer text, p_node_id text default null, p_step int default null
) returns text
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_job public.jobs;
  v_by text := coalesce(auth.uid()::text, nullif(auth.role(), ''), session_user);
  v_questions jsonb;
  v_question jsonb;
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

  if v_is_lost and p_node_id is null and p_step is null and p_answer in ('restart', 'fail') then
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
   where (p_node_id is null or q ->> 'node_id' = p_node_id) and (p_step is null or q ->> 'step' = p_step::text);
  if v_job.status <> 'running' or v_questions = '[]' then
    return 'not-waiting';
  end if;
  if jsonb_array_length(v_questions) > 1 then
    return 'ambiguous';
  end if;
  v_question := v_questions -> 0;
  if not coalesce(v_question -> 'answers', '["retry", "skip", "fail"]') ? p_answer then
    return 'not-offered';
  end if;

  -- Only the job as a whole can begin anew: nothing of it runs while that is asked.
  if p_answer = 'restart' then
    perform casare.end_attempt(v_job.lease_token, 'lost', jsonb_build_object(
      'code', 'IN_DOUBT', 'category', 'unknown', 'resolved_by', v_by,
      'message', format('%s; an operator answered restart', v_question ->> 'reason')));
    perform casare.return_job(p_job_id, 0, false);
    return 'restarted';
  end if;

  update public.jobs j
     set answers = (
           select coalesce(jsonb_agg(a), '[]') from jsonb_array_elements(j.answers) a
            where not casare.is_same_question(v_question, a)
         ) || jsonb_build_object('node_id', v_question -> 'node_id', 'step', v_question -> 'step',
                                 'attempt', v_question -> 'attempt', 'answer', p_answer, 'by', v_by,
                                 'at', clock_timestamp())
   where j.id = p_job_id;
  return 'answered';
end
$$;

do $$
declare
  v_function regprocedure;
begin
  for v_function in
    select p.oid from pg_proc p
     where p.pronamespace = 'public'::regnamespace and p.proname in ('set_in_doubt', 'resolve_job')
  loop
    execute format('revoke all on function %s from public, anon', v_function);
    execute format('grant execute on function %s to authenticated, service_role', v_function);
  end loop;
  for v_function in
    select p.oid from pg_proc p
     where p.pronamespace = 'casare'::regnamespace and p.proname in ('answers_to', 'is_same_question')
  loop
    execute format('revoke all on function %s from public, anon, authenticated, service_role', v_function);
  end loop;
end
$$;

create or replace function public.schema_version() returns int
language sql immutable set search_path = pg_catalog, pg_temp
as $$ select 5 $$;

notify pgrst, 'reload schema';
