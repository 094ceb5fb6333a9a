-- Casare Robot, schema version 12: names, tags and keys have limits, as the rest of a job has.
--
-- Needs the files before it. May be applied again at any time.
--
-- Every look for new jobs compares a job's tags with the robot's, and every list of jobs shows its name: thousands of tags
-- made one look take seconds, and a long key or a list of lists was refused in words of the database's own (I7).

-- A list of names that are compared: of one dimension, short, without null.
create or replace function casare.require_names(p_names text[], p_what text) returns void
language plpgsql immutable set search_path = pg_catalog, pg_temp
as $$
begin
  perform casare.require(coalesce(array_ndims(p_names), 1) = 1, p_what || ' must be a list of texts');
  perform casare.require(coalesce(cardinality(p_names), 0) <= 100, p_what || ' must not have more than 100 entries');
  perform casare.require(array_position(p_names, null) is null, p_what || ' must not contain null');
  perform casare.require(not exists (select from unnest(p_names) n where char_length(n) > 200),
    p_what || ' must not contain texts of more than 200 characters');
end
$$;

revoke all on function casare.require_names(text[], text) from public, anon, authenticated;

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
  perform casare.require_names(p_required_tags, 'p_required_tags');
  perform casare.require_names(p_required_capabilities, 'p_required_capabilities');
  perform casare.require(p_name is null or char_length(p_name) <= 1000, 'p_name must have at most 1000 characters');
  perform casare.require(p_run_at is null or isfinite(p_run_at), 'p_run_at must be a point in time, not infinity');
  perform casare.require(p_target_robot is null or exists (select from public.robots r where r.id = p_target_robot),
    'p_target_robot: no robot is registered under this id');
  perform casare.require(p_dedup_key is null or btrim(p_dedup_key) <> '', 'p_dedup_key must not be empty');
  perform casare.require(octet_length(p_dedup_key) <= 1000 or p_dedup_key is null,
    'p_dedup_key must have at most 1000 bytes');
  perform casare.require(p_max_attempts between 1 and 1000, 'p_max_attempts must be between 1 and 1000');
  perform casare.require(p_timeout_ms is null or p_timeout_ms > 0, 'p_timeout_ms must be positive');
  perform casare.require(p_on_lost in ('hold', 'restart'), 'p_on_lost must be hold or restart');
  perform casare.require(p_in_doubt_policy is null or p_in_doubt_policy in ('retry', 'skip', 'fail', 'ask'),
    'p_in_doubt_policy must be retry, skip, fail or ask');

  v_name := left(coalesce(nullif(btrim(p_name), ''), nullif(btrim(v_name), ''), 'unnamed workflow'), 1000);

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

create or replace function public.register_robot(
  p_robot_id uuid, p_name text, p_capabilities text[] default '{}', p_tags text[] default '{}',
  p_max_concurrent_jobs int default 1, p_version text default null, p_boot_id text default null
) returns jsonb
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform casare.require(p_robot_id is not null, 'p_robot_id is required');
  perform casare.require(btrim(p_name) <> '', 'p_name must not be empty');
  perform casare.require(char_length(p_name) <= 1000, 'p_name must have at most 1000 characters');
  perform casare.require(coalesce(char_length(p_version), 0) <= 1000 and coalesce(char_length(p_boot_id), 0) <= 1000,
    'p_version and p_boot_id must have at most 1000 characters');
  perform casare.require_names(p_capabilities, 'p_capabilities');
  perform casare.require_names(p_tags, 'p_tags');
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


revoke all on function public.register_robot(uuid, text, text[], text[], int, text, text) from public, anon;
grant execute on function public.register_robot(uuid, text, text[], text[], int, text, text) to authenticated, service_role;

-- Not immutable and not in SQL: what is folded into a cached plan is not checked again for the next caller's role.
create or replace function public.schema_version() returns int
language plpgsql stable set search_path = pg_catalog, pg_temp
as $$ begin return 12; end $$;

notify pgrst, 'reload schema';
