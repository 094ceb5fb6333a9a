-- Casare Robot, schema version 3: wake-ups. Tells robots at once, over Supabase Realtime, that there is something to do.
--
-- Needs the files before it. May be applied again at any time. On a database without Realtime (no function realtime.send)
-- nothing is ever sent; apply this file again after Realtime was added.
--
-- Topics, both private
--   casare:robot:<id>   for one robot: a job that names it (event jobs), a job of its own to cancel (event cancel, with
--                       job_id), the answer to its self-test (event echo, with nonce)
--   casare:robots       for every robot: a job that any of them may take (event jobs). One message however many robots there
--                       are; they look at slightly different moments, and claims skip rows that are locked.
--
-- Messages are hints. They carry no data of a job, may be lost or come twice, and robots poll besides. Jobs that become due
-- later, by run_at, are found by the poll. A message that cannot be sent never fails the write that it tells of.


-- =====================================================================================================================
-- 1. Sending
-- =====================================================================================================================

create or replace function casare.can_wake() returns boolean
language sql stable set search_path = pg_catalog, pg_temp
as $$ select to_regprocedure('realtime.send(jsonb, text, text, boolean)') is not null $$;

create or replace function casare.wake_up_topic(p_robot_id uuid) returns text
language sql immutable set search_path = pg_catalog, pg_temp
as $$ select coalesce('casare:robot:' || p_robot_id::text, 'casare:robots') $$;

create or replace function casare.wake(p_topic text, p_event text, p_payload jsonb) returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
begin
  execute 'select realtime.send($1, $2, $3, true)' using p_payload, p_event, p_topic;
exception when others then
  raise warning 'a wake-up could not be sent: %', sqlerrm;
end
$$;

-- One message per topic, however many jobs a statement inserts.
create or replace function casare.wake_for_inserted_jobs() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform casare.wake(t.topic, 'jobs', '{}')
     from (select distinct casare.wake_up_topic(i.target_robot) as topic from inserted i
            where i.status = 'pending' and i.run_at <= clock_timestamp()) t;
  return null;
end
$$;

create or replace function casare.wake_for_returned_job() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
begin
  if new.run_at <= clock_timestamp() then
    perform casare.wake(casare.wake_up_topic(new.target_robot), 'jobs', '{}');
  end if;
  return null;
end
$$;

create or replace function casare.wake_for_cancelled_job() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform casare.wake(casare.wake_up_topic(new.claimed_by), 'cancel', jsonb_build_object('job_id', new.id));
  return null;
end
$$;

-- The conditions stand in the triggers, so that heartbeats and progress cost nothing more.
do $$
begin
  drop trigger if exists casare_wake_inserted on public.jobs;
  drop trigger if exists casare_wake_returned on public.jobs;
  drop trigger if exists casare_wake_cancelled on public.jobs;
  if not casare.can_wake() then
    return;
  end if;
  create trigger casare_wake_inserted after insert on public.jobs
    referencing new table as inserted
    for each statement execute function casare.wake_for_inserted_jobs();
  create trigger casare_wake_returned after update on public.jobs
    for each row when (new.status = 'pending' and old.status <> 'pending')
    execute function casare.wake_for_returned_job();
  create trigger casare_wake_cancelled after update on public.jobs
    for each row when (new.cancel_requested and not old.cancel_requested and new.status = 'running')
    execute function casare.wake_for_cancelled_job();
end
$$;


-- =====================================================================================================================
-- 2. The robots' self-test
-- =====================================================================================================================

-- Sends {nonce} to the robot's own topic, the way that all its wake-ups take. False where there is no Realtime.
create or replace function public.request_wake_up(p_robot_id uuid, p_nonce text) returns boolean
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform casare.assert_robot(p_robot_id);
  perform casare.require(length(p_nonce) between 1 and 100, 'p_nonce must have between 1 and 100 characters');
  if not casare.can_wake() then
    return false;
  end if;
  perform casare.wake(casare.wake_up_topic(p_robot_id), 'echo', jsonb_build_object('nonce', p_nonce));
  return true;
end
$$;


-- =====================================================================================================================
-- 3. Who may listen
-- =====================================================================================================================

-- Realtime asks row level security of realtime.messages whether a user may join a private topic. The service role passes.
create or replace function casare.may_listen(p_topic text) returns boolean
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select exists (
    select from public.robots r
     where r.auth_user_id = auth.uid()
       and p_topic in (casare.wake_up_topic(r.id), casare.wake_up_topic(null)))
$$;

do $$
declare
  v_function regprocedure;
begin
  for v_function in
    select p.oid from pg_proc p
     where p.pronamespace = 'casare'::regnamespace
       and p.proname in ('can_wake', 'wake_up_topic', 'wake', 'wake_for_inserted_jobs', 'wake_for_returned_job',
                         'wake_for_cancelled_job', 'may_listen')
  loop
    execute format('revoke all on function %s from public, anon, authenticated, service_role', v_function);
  end loop;
  revoke all on function public.request_wake_up(uuid, text) from public, anon;
  grant execute on function public.request_wake_up(uuid, text) to authenticated, service_role;
  grant execute on function casare.may_listen(text) to authenticated;

  -- Nobody but the database sends: there is no policy for inserting.
  if to_regclass('realtime.messages') is not null and to_regprocedure('realtime.topic()') is not null then
    begin
      execute 'alter table realtime.messages enable row level security';
    exception when insufficient_privilege then
      null; -- Supabase owns the table, and has enabled it
    end;
    begin
      execute 'drop policy if exists casare_robots_listen on realtime.messages';
      execute $policy$
        create policy casare_robots_listen on realtime.messages for select to authenticated
          using (extension = 'broadcast' and casare.may_listen((select realtime.topic())))
      $policy$;
    exception when insufficient_privilege then
      raise warning 'robots may not join their topics: %', sqlerrm
        using hint = 'Apply 003_wake_ups.sql as a role that may create policies on realtime.messages.';
    end;
  end if;
end
$$;

notify pgrst, 'reload schema';
