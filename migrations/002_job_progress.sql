-- Casare Robot, schema version 2: the progress of all jobs of a robot in one request, and jobs by the start of their id.
--
-- Needs the files before it. May be applied again at any time, also after later ones.


-- p_reports: [{"job_id": uuid, "lease_token": "123", "progress": {...}}]. Each is answered by itself, in the order
-- asked, as report_progress answers (I1). Rows are locked in the order of their ids, so that two reports never wait for
-- each other in a circle.
create or replace function public.report_progress_batch(p_reports jsonb) returns json
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_report record;
  v_answers jsonb := '{}';
begin
  perform casare.require(jsonb_typeof(p_reports) = 'array', 'p_reports must be an array of {job_id, lease_token, progress}');
  perform casare.require(jsonb_array_length(p_reports) <= 1000, 'p_reports must not have more than 1000 elements');
  perform casare.require(
    not exists (
      select from jsonb_array_elements(p_reports) e
       where coalesce(e ->> 'job_id', '') !~* '^[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}$'
          or coalesce(e ->> 'lease_token', '') !~ '^[0-9]{1,18}$'
          or coalesce(jsonb_typeof(e -> 'progress'), '') <> 'object'),
    'p_reports: every element needs a job_id (uuid), a lease_token (whole number) and a progress (object)');

  for v_report in
    select e.position, (e.report ->> 'job_id')::uuid as job_id, (e.report ->> 'lease_token')::bigint as lease_token,
           e.report -> 'progress' as progress
      from jsonb_array_elements(p_reports) with ordinality as e(report, position)
     order by 2, 3
  loop
    v_answers := v_answers || jsonb_build_object(v_report.position::text, jsonb_build_object(
      'job_id', v_report.job_id,
      'lease_token', v_report.lease_token::text,
      'outcome', public.report_progress(v_report.job_id, v_report.lease_token, v_report.progress)));
  end loop;

  return coalesce((select json_agg(a.value order by a.key::int) from jsonb_each(v_answers) a), '[]');
end
$$;

-- The jobs whose id begins with p_id_prefix, written as people see it, oldest first: [{"job_id", "name", "status"}].
create or replace function public.find_jobs(p_id_prefix text, p_limit int default 10) returns json
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_prefix text := lower(p_id_prefix);
begin
  perform casare.assert_operator();
  perform casare.require(v_prefix ~ '^[0-9a-f][0-9a-f-]{0,35}$',
    'p_id_prefix must be the beginning of a job''s id: 1 to 36 of the characters 0-9, a-f and -');
  perform casare.require(p_limit between 1 and 1000, 'p_limit must be between 1 and 1000');
  -- The bounds find the range in the index of the key; the text decides.
  return (
    select coalesce(json_agg(json_build_object('job_id', f.id, 'name', f.name, 'status', f.status)
                             order by f.created_at, f.id), '[]')
      from (select j.id, j.name, j.status, j.created_at from public.jobs j
             where starts_with(j.id::text, v_prefix)
               and j.id >= casare.uuid_bound(v_prefix, '0') and j.id <= casare.uuid_bound(v_prefix, 'f')
             order by j.created_at, j.id limit p_limit) as f);
end
$$;

-- The smallest (p_digit 0) or largest (p_digit f) uuid whose digits begin with those of p_prefix.
create or replace function casare.uuid_bound(p_prefix text, p_digit text) returns uuid
language sql immutable set search_path = pg_catalog, pg_temp
as $$
  select rpad(left(replace(p_prefix, '-', ''), 32), 32, p_digit)::uuid
$$;


-- =====================================================================================================================
-- Privileges, version
-- =====================================================================================================================

do $$
declare
  v_function regprocedure;
begin
  for v_function in
    select p.oid from pg_proc p
     where p.pronamespace = 'public'::regnamespace and p.proname in ('report_progress_batch', 'find_jobs')
  loop
    execute format('revoke all on function %s from public, anon', v_function);
    execute format('grant execute on function %s to authenticated, service_role', v_function);
  end loop;
  revoke all on function casare.uuid_bound(text, text) from public, anon, authenticated, service_role;

  if public.schema_version() < 2 then
    create or replace function public.schema_version() returns int
    language sql immutable set search_path = pg_catalog, pg_temp
    as 'select 2';
  end if;
end
$$;

notify pgrst, 'reload schema';
