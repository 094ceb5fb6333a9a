-- Casare Robot, schema version 6: what jobs log.
--
-- Needs the files before it. May be applied again at any time, also after later ones.
--
-- A robot numbers the lines of each of its leases on a job from 1 and sends them in batches, in order. A number that is
-- missing is a line that is missing: the robot could not keep it while the database was away, or it was more than is
-- kept here. log_next_seq says up to where the numbers go, so that lines missing at the end are seen as well.

-- =====================================================================================================================
-- 1. Lines
-- =====================================================================================================================

create table if not exists public.job_logs (
  job_id      uuid not null references public.jobs (id) on delete cascade,
  lease_token bigint not null,
  seq         bigint not null,
  at          timestamptz,                                  -- the robot's own stamp: shown, never compared (I2)
  level       text not null,
  node_id     text,
  message     text not null,
  recorded_at timestamptz not null default clock_timestamp(),
  primary key (job_id, lease_token, seq)
);

alter table public.job_attempts add column if not exists log_next_seq bigint not null default 1;
-- How many of the lines that came were removed again, because a lease keeps only its newest ones (I7).
alter table public.job_attempts add column if not exists log_dropped bigint not null default 0;

-- Appends lines under a lease: [{"at", "level", "node_id", "message"}], the first of which has the number p_first_seq.
-- Sending a line twice changes nothing (I6). No lines: p_first_seq tells that all numbers before it are given out.
-- Lines of a lease that the job went on without are not taken: its robot has them.
--   ok | stale | cancelled, as every write under a lease
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

  insert into public.job_logs (job_id, lease_token, seq, at, level, node_id, message)
  select p_job_id, p_lease_token, p_first_seq + l.position - 1, (l.line ->> 'at')::timestamptz, l.line ->> 'level',
         left(l.line ->> 'node_id', 1000),
         case when length(l.line ->> 'message') <= c_message_characters then l.line ->> 'message'
              else left(l.line ->> 'message', c_message_characters) || '... (cut)' end
    from jsonb_array_elements(p_lines) with ordinality as l(line, position)
      on conflict (job_id, lease_token, seq) do nothing;

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

-- The lines of all of a robot's jobs in one request: [{"job_id", "lease_token", "first_seq", "lines"}]. Each is answered
-- by itself, in the order asked, as append_job_logs answers. Rows are locked in the order of their ids, so that two
-- requests never wait for each other in a circle.
create or replace function public.append_job_logs_batch(p_batches jsonb) returns json
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_batch record;
  v_answers jsonb := '{}';
begin
  perform casare.require(jsonb_typeof(p_batches) = 'array',
    'p_batches must be an array of {job_id, lease_token, first_seq, lines}');
  perform casare.require(jsonb_array_length(p_batches) <= 1000, 'p_batches must not have more than 1000 elements');
  perform casare.require(
    not exists (
      select from jsonb_array_elements(p_batches) e
       where coalesce(e ->> 'job_id', '') !~* '^[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}$'
          or coalesce(e ->> 'lease_token', '') !~ '^[0-9]{1,18}$'
          or coalesce(e ->> 'first_seq', '') !~ '^[0-9]{1,12}$'
          or coalesce(jsonb_typeof(e -> 'lines'), '') <> 'array'),
    'p_batches: every element needs a job_id (uuid), a lease_token, a first_seq (whole numbers) and lines (an array)');

  for v_batch in
    select e.position, (e.batch ->> 'job_id')::uuid as job_id, (e.batch ->> 'lease_token')::bigint as lease_token,
           (e.batch ->> 'first_seq')::bigint as first_seq, e.batch -> 'lines' as lines
      from jsonb_array_elements(p_batches) with ordinality as e(batch, position)
     order by 2, 3, 4
  loop
    v_answers := v_answers || jsonb_build_object(v_batch.position::text, jsonb_build_object(
      'job_id', v_batch.job_id,
      'lease_token', v_batch.lease_token::text,
      'outcome', public.append_job_logs(v_batch.job_id, v_batch.lease_token, v_batch.first_seq, v_batch.lines)));
  end loop;

  return coalesce((select json_agg(a.value order by a.key::int) from jsonb_each(v_answers) a), '[]');
end
$$;

-- Lines behind the one with these numbers, oldest lease first, and how far the numbers of each lease go, so that the
-- reader can tell what is missing:
--   {"lines": [{"lease_token", "seq", "at", "level", "node_id", "message"}],
--    "leases": [{"lease_token", "attempt", "robot_name", "next_seq", "dropped"}], "has_more"}; null for an unknown job
create or replace function public.get_job_logs(
  p_job_id uuid, p_after_token bigint default 0, p_after_seq bigint default 0, p_limit int default 1000
) returns json
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform casare.assert_operator();
  perform casare.require(p_limit between 1 and 10000, 'p_limit must be between 1 and 10000');
  if not exists (select from public.jobs j where j.id = p_job_id) then
    return null;
  end if;
  return (
    with found as (
      select l.* from public.job_logs l
       where l.job_id = p_job_id and (l.lease_token, l.seq) > (p_after_token, p_after_seq)
       order by l.lease_token, l.seq
       limit p_limit + 1)
    select json_build_object(
      'lines', (
        select coalesce(json_agg(json_build_object(
                 'lease_token', s.lease_token::text, 'seq', s.seq, 'at', s.at, 'level', s.level,
                 'node_id', s.node_id, 'message', s.message) order by s.lease_token, s.seq), '[]')
          from (select * from found order by lease_token, seq limit p_limit) s),
      'leases', (
        select coalesce(json_agg(json_build_object(
                 'lease_token', a.lease_token::text, 'attempt', a.attempt, 'next_seq', a.log_next_seq,
                 'dropped', a.log_dropped, 'robot_name', (select r.name from public.robots r where r.id = a.robot_id))
                 order by a.lease_token), '[]')
          from public.job_attempts a where a.job_id = p_job_id),
      'has_more', (select count(*) > p_limit from found)));
end
$$;


-- =====================================================================================================================
-- 2. Privileges, version
-- =====================================================================================================================

do $$
declare
  v_function regprocedure;
begin
  alter table public.job_logs enable row level security;
  revoke all on public.job_logs from public, anon, authenticated;
  grant select on public.job_logs to authenticated;
  grant all on public.job_logs to service_role;
  drop policy if exists operators_look on public.job_logs;
  create policy operators_look on public.job_logs for select to authenticated using ((select casare.is_operator()));

  for v_function in
    select p.oid from pg_proc p
     where p.pronamespace = 'public'::regnamespace
       and p.proname in ('append_job_logs', 'append_job_logs_batch', 'get_job_logs')
  loop
    execute format('revoke all on function %s from public, anon', v_function);
    execute format('grant execute on function %s to authenticated, service_role', v_function);
  end loop;

  if public.schema_version() < 6 then
    create or replace function public.schema_version() returns int
    language sql immutable set search_path = pg_catalog, pg_temp
    as 'select 6';
  end if;
end
$$;

notify pgrst, 'reload schema';
