-- Casare Robot, schema version 15: a robot works in one place.
--
-- Needs the files before it. May be applied again at any time; where 001 was applied again, apply this file again.
--
-- A home that was copied to another machine has the robot's id, its sign-in and its leases: every token is right for both.
-- So each start of a robot is an instance of its own, which it names with every request, in the header
-- x-casare-instance. One instance is the robot's; requests of another are refused (PT409, so HTTP 409). Requests without
-- the header, of robots before this version, are not.
--
--   take_instance     a starting robot becomes the robot's instance, or is told where the one that works is
--   leave_instance    a robot that stops in order makes way for whoever comes next
--   release_instance  an operator says that the last instance is gone for good
--
-- Whoever starts names the instances of its own home before it: only one of two copies comes in time to be the successor
-- (compare and swap). That proves that the former instance has ended only where both cannot run side by side: in the same
-- folder of the same machine and boot, or of a later boot when the former was last heard of before that. Elsewhere the former has to
-- have left, or to be silent for as long as it said; then it may yet be working, cut off from here, and the answer says so.

alter table public.robots
  add column if not exists instance_id          uuid,
  add column if not exists instance_machine     text,        -- machine and folder, as a hash: apps/robot/src/instance
  add column if not exists instance_boot        text,
  add column if not exists instance_host        text,        -- for people: host and folder
  add column if not exists instance_since       timestamptz,
  add column if not exists instance_presence_ms int,         -- how often it is heard of at least
  add column if not exists instance_silent_ms   int,         -- after how long a silence another one may take its place
  add column if not exists instance_left        boolean not null default false;

-- May the caller act as this robot? As assert_robot in 001.
create or replace function casare.assert_robot_sign_in(p_robot_id uuid) returns void
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

-- The instance that calls; null when it does not say.
create or replace function casare.calling_instance() returns text
language plpgsql stable set search_path = pg_catalog, pg_temp
as $$
begin
  return lower(nullif(nullif(current_setting('request.headers', true), '')::json ->> 'x-casare-instance', ''));
exception when others then
  return null;
end
$$;

-- As in 001; and the call is not of an instance that is another than the robot's.
create or replace function casare.assert_robot(p_robot_id uuid) returns void
language plpgsql stable set search_path = pg_catalog, pg_temp
as $$
declare
  v_robot public.robots;
  v_instance text;
begin
  perform casare.assert_robot_sign_in(p_robot_id);
  v_instance := casare.calling_instance();
  if v_instance is null then
    return;
  end if;
  select * into v_robot from public.robots r where r.id = p_robot_id;
  if v_robot.instance_id is not null and v_robot.instance_id::text <> v_instance then
    raise exception 'robot % works elsewhere: %', p_robot_id, v_robot.instance_host
      using errcode = 'PT409', hint = 'This home was copied, or put back: see take_instance.';
  end if;
end
$$;

-- {"taken": true, "after": ...}
--   first    nobody was before                       same     it is the robot's instance already
--   left     the former one left, or an operator released it
--   restart  the former one has ended: this one is its successor on the same machine
--   silence  the former one was not heard of for long, and may yet work, cut off from here
-- {"taken": false, "host": where the one that works is, "silent_ms": when it was last heard of, "wait_ms": after how much
-- longer a silence its place is free}
--
--   p_previous    the instances of this home that may have been the robot's
--   p_machine, p_boot, p_host   where this one is        p_up_ms  how long that boot has lasted
--   p_presence_ms, p_silent_ms  how often it will be heard of, and after how long a silence it may be replaced
create or replace function public.take_instance(
  p_robot_id uuid, p_instance uuid, p_previous uuid[], p_machine text, p_boot text, p_host text, p_up_ms bigint,
  p_presence_ms int, p_silent_ms int
) returns jsonb
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_robot public.robots;
  v_silent_ms double precision;
  v_needed_ms double precision;
  v_is_successor boolean;
  v_after text;
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
  v_silent_ms := extract(epoch from clock_timestamp() - coalesce(v_robot.last_seen, 'epoch')) * 1000;
  v_is_successor := v_robot.instance_id = any (p_previous) and v_robot.instance_machine = p_machine;
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

  if v_after <> 'same' then
    update public.robots r
       set instance_id = p_instance, instance_machine = p_machine, instance_boot = p_boot, instance_host = p_host,
           instance_since = clock_timestamp(), instance_presence_ms = p_presence_ms, instance_silent_ms = p_silent_ms,
           instance_left = false, last_seen = clock_timestamp()
     where r.id = p_robot_id;
  end if;
  return jsonb_build_object('taken', true, 'after', v_after, 'host', v_robot.instance_host);
end
$$;

-- Whether it was the robot's instance.
create or replace function public.leave_instance(p_robot_id uuid, p_instance uuid) returns boolean
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform casare.assert_robot_sign_in(p_robot_id);
  update public.robots r set instance_left = true where r.id = p_robot_id and r.instance_id = p_instance;
  return found;
end
$$;

-- Whether there is such a robot.
create or replace function public.release_instance(p_robot_id uuid) returns boolean
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform casare.assert_operator();
  update public.robots r set instance_left = true where r.id = p_robot_id;
  return found;
end
$$;

do $$
declare
  v_function regprocedure;
begin
  for v_function in
    select p.oid from pg_proc p
     where p.pronamespace = 'public'::regnamespace
       and p.proname in ('take_instance', 'leave_instance', 'release_instance')
  loop
    execute format('revoke all on function %s from public, anon', v_function);
    execute format('grant execute on function %s to authenticated, service_role', v_function);
  end loop;
  for v_function in
    select p.oid from pg_proc p
     where p.pronamespace = 'casare'::regnamespace
       and p.proname in ('assert_robot_sign_in', 'calling_instance', 'assert_robot')
  loop
    execute format('revoke all on function %s from public, anon, authenticated, service_role', v_function);
  end loop;
end
$$;

-- Not immutable and not in SQL: what is folded into a cached plan is not checked again for the next caller's role.
create or replace function public.schema_version() returns int
language plpgsql stable set search_path = pg_catalog, pg_temp
as $$ begin return 15; end $$;

notify pgrst, 'reload schema';
