-- Casare Robot, schema version 10: the variables of a job have a limit, as its workflow has.
--
-- Needs the files before it. May be applied again at any time.
--
-- A robot gets both with its claim and hands them to the job's process in one message: what does not fit there, or takes
-- longer than a request may, would be claimed again and again and never run (I7).

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
  -- Before they are parsed: that takes seconds, and several times their size.
  perform casare.require(p_variables is null or octet_length(p_variables::text) <= 16777216,
    'p_variables must not be larger than 16 MiB; hand over a file, or where to read the data');
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

revoke all on function public.enqueue_job(text, json, text, int, timestamptz, text[], text[], uuid, text, int, bigint, text, text) from public, anon;
grant execute on function public.enqueue_job(text, json, text, int, timestamptz, text[], text[], uuid, text, int, bigint, text, text) to authenticated, service_role;

-- Not immutable and not in SQL: what is folded into a cached plan is not checked again for the next caller's role.
create or replace function public.schema_version() returns int
language plpgsql stable set search_path = pg_catalog, pg_temp
as $$ begin return 10; end $$;

notify pgrst, 'reload schema';
