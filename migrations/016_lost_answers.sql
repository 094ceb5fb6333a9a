-- Casare Robot, schema version 16: a robot's place whose answer was lost, and a fence that holds while a write waits.
--
-- Needs the files before it. May be applied again at any time; where 001, 004, 006, 008, 013 or 015 was applied again, apply
-- this file again.
--
--   take_instance  An instance that took the place of a silent one is told so until it has been heard of: the first answer
--                  may have been lost, and the second one said that all is well. The same goes for its successor.
--   lock_lease     Who was the robot's instance when its write began to wait for a job may not be it any more afterwards.
--
-- What is not a time, or farther away than times go, is refused by its name, as all other input is.

alter table public.robots
  add column if not exists instance_after  text,   -- how the instance took its place: what take_instance answered
  add column if not exists instance_former text;   -- where the former one was

-- As in 015. A place that was taken after a silence is answered as that as long as its instance was not heard of since:
-- also to its successor, and when it has left.
create or replace function public.take_instance(
  p_robot_id uuid, p_instance uuid, p_previous uuid[], p_machine text, p_boot text, p_host text, p_up_ms bigint,
  p_presence_ms int, p_silent_ms int
) returns jsonb
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_robot public.robots;
  v_now timestamptz;
  v_silent_ms double precision;
  v_needed_ms double precision;
  v_is_successor boolean;
  v_is_silence_untold boolean;
  v_after text;
  v_former text;
begin
  perform casare.require(p_robot_id is not null and p_instance is not null, 'p_robot_id and p_instance are required');
  perform casare.require(coalesce(cardinality(p_previous), 0) <= 100, 'p_previous must not have more than 100 entries');
  perform casare.require(char_length(p_machine) between 1 and 200 and char_length(p_boot) between 1 and 200,
    'p_machine and p_boot must have between 1 and 200 characters');
  perform casare.require(char_length(p_host) between 1 and 1000, 'p_host must have between 1 and 1000 characters');
  perform casare.require(p_up_ms >= 0, 'p_up_ms must not be negative');
  perform casare.require(p_presence_ms between 1 and 604800000 and p_silent_ms between 1 and 604800000,
    'p_presence_ms and p_silent_ms must be between 1 and 604800000 (7 days)');
  if casare.is_service() then
    insert into public.robots (id) values (p_robot_id) on conflict (id) do nothing;
  else
    perform casare.assert_robot_sign_in(p_robot_id);
  end if;

  select * into v_robot from public.robots r where r.id = p_robot_id for update;
  v_now := clock_timestamp();
  v_silent_ms := extract(epoch from v_now - coalesce(v_robot.last_seen, 'epoch')) * 1000;
  v_is_successor := v_robot.instance_id = any (p_previous) and v_robot.instance_machine = p_machine;
  v_is_silence_untold := v_robot.instance_after = 'silence' and v_robot.last_seen <= v_robot.instance_since;
  v_needed_ms := case
    when v_is_successor and v_silent_ms >= p_up_ms
      then least(v_robot.instance_silent_ms, 2 * v_robot.instance_presence_ms)
    else v_robot.instance_silent_ms end;

  v_after := case
    when v_robot.instance_id is null then 'first'
    when v_robot.instance_id = p_instance then 'same'
    when v_robot.instance_left then 'left'
    when v_is_successor and v_robot.instance_boot = p_boot then 'restart'
    when v_is_successor and v_silent_ms >= greatest(p_up_ms, 2 * v_robot.instance_presence_ms) then 'restart'
    when v_silent_ms >= v_robot.instance_silent_ms then 'silence' end;
  if v_after is null then
    return jsonb_build_object('taken', false, 'host', v_robot.instance_host, 'silent_ms', round(v_silent_ms),
      'wait_ms', ceil(v_needed_ms - v_silent_ms));
  end if;
  v_former := v_robot.instance_host;
  if v_is_silence_untold then
    v_former := v_robot.instance_former;
  end if;

  if v_after <> 'same' then
    update public.robots r
       set instance_id = p_instance, instance_machine = p_machine, instance_boot = p_boot, instance_host = p_host,
           instance_since = v_now, instance_presence_ms = p_presence_ms, instance_silent_ms = p_silent_ms,
           instance_left = false, last_seen = v_now, instance_former = v_former,
           instance_after = case when v_is_silence_untold then 'silence' else v_after end
     where r.id = p_robot_id;
  end if;
  return jsonb_build_object('taken', true, 'after', case when v_is_silence_untold then 'silence' else v_after end,
    'host', v_former);
end
$$;

-- As in 001; who calls is asked again once the job is locked, because another instance may have taken the robot's place
-- while this write waited, and knows by now how far the job has come.
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
  if casare.calling_instance() is not null then
    perform casare.assert_robot(v_robot_id);
  end if;
  if v_current then
    return 'current';
  end if;

  -- Read after the lock was granted: whoever held it may have ended this very attempt.
  select a.outcome into v_outcome from public.job_attempts a where a.lease_token = p_lease_token;
  return case when v_outcome in ('completed', 'failed', 'cancelled') then 'ended' else 'stale' end;
end
$$;

-- As in 013; a time that is none is refused by name.
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
  begin
    insert into public.job_history (job_id, lease_token, seq, kind, node_id, at, payload, superseded)
    select p_job_id, p_lease_token, e.seq, e.kind, e.node_id, e.at, coalesce(e.payload, '{}'), v_standing = 'stale'
      from jsonb_to_recordset(p_events) as e(seq bigint, kind text, node_id text, at timestamptz, payload jsonb)
        on conflict (job_id, lease_token, seq) do nothing;
    get diagnostics v_new = row_count;
  exception when invalid_datetime_format or datetime_field_overflow or invalid_time_zone_displacement_value then
    raise exception 'p_events: at must be a point in time, or left out: %', sqlerrm using errcode = '22023';
  end;

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

-- As in 006; a time that is none is refused by name.
create or replace function public.append_job_logs(
  p_job_id uuid, p_lease_token bigint, p_first_seq bigint, p_lines jsonb
) returns text
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  c_lines_kept constant bigint := 10000; -- per lease
  c_message_characters constant int := 4000;
  v_standing text;
  v_next bigint;
  v_last_kept bigint;
  v_removed bigint;
begin
  perform casare.require(p_first_seq between 1 and 1000000000000, 'p_first_seq must be a whole number from 1');
  perform casare.require(jsonb_typeof(p_lines) = 'array', 'p_lines must be an array of {at, level, node_id, message}');
  perform casare.require(jsonb_array_length(p_lines) <= 1000, 'p_lines must not have more than 1000 elements');
  perform casare.require(
    not exists (
      select from jsonb_array_elements(p_lines) l
       where jsonb_typeof(l) <> 'object'
          or coalesce(l ->> 'level', '') not in ('debug', 'info', 'warning', 'error', 'critical')
          or coalesce(jsonb_typeof(l -> 'message'), '') <> 'string'),
    'p_lines: every element needs a level (debug, info, warning, error, critical) and a message (text)');

  v_standing := casare.lock_lease(p_job_id, p_lease_token);
  if v_standing not in ('current', 'ended') then
    return casare.lease_answer(p_job_id, v_standing);
  end if;

  begin
    insert into public.job_logs (job_id, lease_token, seq, at, level, node_id, message)
    select p_job_id, p_lease_token, p_first_seq + l.position - 1, (l.line ->> 'at')::timestamptz, l.line ->> 'level',
           left(l.line ->> 'node_id', 1000),
           case when length(l.line ->> 'message') <= c_message_characters then l.line ->> 'message'
                else left(l.line ->> 'message', c_message_characters) || '... (cut)' end
      from jsonb_array_elements(p_lines) with ordinality as l(line, position)
        on conflict (job_id, lease_token, seq) do nothing;
  exception when invalid_datetime_format or datetime_field_overflow or invalid_time_zone_displacement_value then
    raise exception 'p_lines: at must be a point in time, or left out: %', sqlerrm using errcode = '22023';
  end;

  update public.job_attempts a
     set log_next_seq = greatest(a.log_next_seq, p_first_seq + jsonb_array_length(p_lines))
   where a.lease_token = p_lease_token
  returning a.log_next_seq into v_next;

  v_last_kept := v_next - c_lines_kept;
  if v_last_kept > 0 then
    delete from public.job_logs l
     where l.job_id = p_job_id and l.lease_token = p_lease_token and l.seq < v_last_kept;
    get diagnostics v_removed = row_count;
    update public.job_attempts a set log_dropped = a.log_dropped + v_removed
     where a.lease_token = p_lease_token and v_removed > 0;
  end if;
  return casare.lease_answer(p_job_id, v_standing);
end
$$;

-- As in 004, within the years that there are.
create or replace function public.purge_jobs(p_older_than_ms bigint, p_limit int default 1000) returns int
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_count int;
begin
  perform casare.assert_operator();
  perform casare.require(p_older_than_ms between 0 and 3153600000000,
    'p_older_than_ms must be between 0 and 3153600000000 (100 years)');
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

-- As in 008, within the years that there are.
create or replace function public.purge_audit_anchors(p_older_than_ms bigint) returns int
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_count int;
begin
  perform casare.assert_operator();
  perform casare.require(p_older_than_ms between 0 and 3153600000000,
    'p_older_than_ms must be between 0 and 3153600000000 (100 years)');
  perform set_config('casare.purging_audit_anchors', 'on', true);
  delete from public.audit_anchors a
   where a.anchored_at < clock_timestamp() - make_interval(secs => p_older_than_ms / 1000.0)
     and exists (select from public.audit_anchors n where n.robot_id = a.robot_id and n.seq > a.seq);
  get diagnostics v_count = row_count;
  perform set_config('casare.purging_audit_anchors', 'off', true);
  return v_count;
end
$$;

do $$
declare
  v_function regprocedure;
begin
  for v_function in
    select p.oid from pg_proc p
     where p.pronamespace = 'public'::regnamespace
       and p.proname in ('take_instance', 'record_events', 'append_job_logs', 'purge_jobs', 'purge_audit_anchors')
  loop
    execute format('revoke all on function %s from public, anon', v_function);
    execute format('grant execute on function %s to authenticated, service_role', v_function);
  end loop;
  revoke all on function casare.lock_lease(uuid, bigint) from public, anon, authenticated, service_role;
end
$$;

-- Not immutable and not in SQL: what is folded into a cached plan is not checked again for the next caller's role.
create or replace function public.schema_version() returns int
language plpgsql stable set search_path = pg_catalog, pg_temp
as $$ begin return 16; end $$;

notify pgrst, 'reload schema';
