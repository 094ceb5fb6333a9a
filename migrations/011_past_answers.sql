-- Casare Robot, schema version 11: a job tells what was asked about it and answered.
--
-- Needs the files before it. May be applied again at any time.
--
-- jobs.answers holds an answer only until its question is settled. What a robot has acted on is in job_history, as the
-- event doubt_answered.

-- The answers that robots have acted on, oldest first; the newest 100 (I7).
create or replace function casare.past_answers(p_job_id uuid) returns jsonb
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select coalesce(jsonb_agg(jsonb_build_object(
           'node_id', h.node_id, 'step', h.payload -> 'step', 'attempt', h.payload -> 'attempt',
           'answer', h.payload -> 'answer', 'by', h.payload -> 'by', 'at', h.payload -> 'given_at')
           order by h.lease_token, h.seq), '[]')
    from (select * from public.job_history s
           where s.job_id = p_job_id and s.kind = 'doubt_answered' and not s.superseded
           order by s.lease_token desc, s.seq desc limit 100) as h
$$;

-- As in 001, and with past_answers.
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
    'past_answers', casare.past_answers(p_job_id),
    'attempts', coalesce((
      select jsonb_agg(jsonb_build_object(
               'attempt', a.attempt, 'robot_id', a.robot_id, 'robot_name', r.name, 'claimed_at', a.claimed_at,
               'ended_at', a.ended_at, 'outcome', a.outcome, 'error', a.error) order by a.lease_token)
        from public.job_attempts a join public.robots r on r.id = a.robot_id
       where a.job_id = p_job_id), '[]')))::json;
end
$$;

revoke all on function public.get_job(uuid) from public, anon;
grant execute on function public.get_job(uuid) to authenticated, service_role;
revoke all on function casare.past_answers(uuid) from public, anon, authenticated, service_role;

-- Not immutable and not in SQL: what is folded into a cached plan is not checked again for the next caller's role.
create or replace function public.schema_version() returns int
language plpgsql stable set search_path = pg_catalog, pg_temp
as $$ begin return 11; end $$;

notify pgrst, 'reload schema';
