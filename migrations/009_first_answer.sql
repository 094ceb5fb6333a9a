-- Casare Robot, schema version 9: the first answer to a question stands, and wakes the job's robot.
--
-- Needs the files before it. May be applied again at any time; after Realtime was added, apply 003 and this file again.
--
-- Which of two answers a robot has taken cannot be known here: it may be on its way. So the second one is refused, where it
-- says something else, and nobody is told that an answer was taken which is not acted on.

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
  v_by text := coalesce(auth.uid()::text, nullif(auth.role(), ''), session_user);
  v_questions jsonb;
  v_question jsonb;
  v_given jsonb;
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
  select a -> 'answer' into v_given from jsonb_array_elements(v_job.answers) a where casare.is_same_question(v_question, a);
  if found then
    return case when v_given = to_jsonb(p_answer) then 'answered' else 'already' end;
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
     set answers = j.answers || jsonb_build_object('node_id', v_question -> 'node_id', 'step', v_question -> 'step',
           'attempt', v_question -> 'attempt', 'answer', p_answer, 'by', v_by, 'at', clock_timestamp())
   where j.id = p_job_id;
  return 'answered';
end
$$;

-- A wake-up as in 003: event answer, with job_id, on the topic of the job's robot.
create or replace function casare.wake_for_answered_job() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform casare.wake(casare.wake_up_topic(new.claimed_by), 'answer', jsonb_build_object('job_id', new.id));
  return null;
end
$$;

do $$
begin
  drop trigger if exists casare_wake_answered on public.jobs;
  if not casare.can_wake() then
    return;
  end if;
  create trigger casare_wake_answered after update on public.jobs
    for each row when (new.status = 'running' and jsonb_array_length(new.answers) > jsonb_array_length(old.answers))
    execute function casare.wake_for_answered_job();
end
$$;

revoke all on function public.resolve_job(uuid, text, text, int) from public, anon;
grant execute on function public.resolve_job(uuid, text, text, int) to authenticated, service_role;
revoke all on function casare.wake_for_answered_job() from public, anon, authenticated, service_role;

-- Not immutable and not in SQL: what is folded into a cached plan is not checked again for the next caller's role.
create or replace function public.schema_version() returns int
language plpgsql stable set search_path = pg_catalog, pg_temp
as $$ begin return 9; end $$;

notify pgrst, 'reload schema';
