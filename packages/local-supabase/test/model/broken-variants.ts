/** Ways in which systems like this one have been built and that lose or double work; the model must catch each. */
export interface BrokenVariant {
  readonly name: string;
  /** Replaces a function of the migrations. */
  readonly sql: string;
}

const lockLease = (isCurrent: string): string => `
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
    select j.status = 'running' and (${isCurrent}) into v_current from public.jobs j where j.id = p_job_id for update;
    if v_current then
      return 'current';
    end if;
    select a.outcome into v_outcome from public.job_attempts a where a.lease_token = p_lease_token;
    return case when v_outcome in ('completed', 'failed', 'cancelled') then 'ended' else 'stale' end;
  end
  $$`;

export const brokenVariants: readonly BrokenVariant[] = [
  { name: 'completion by the job id only', sql: lockLease('true') },
  { name: 'a fence of the robot id', sql: lockLease('j.claimed_by = v_robot_id') },
  {
    name: 'an expired lease taken for a lost one',
    sql: lockLease('j.lease_token = p_lease_token and j.lease_expires_at > clock_timestamp()'),
  },
  {
    name: 'sync without the token',
    sql: `
      create or replace function public.record_events(p_job_id uuid, p_lease_token bigint, p_events jsonb) returns text
      language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
      as $$
      declare
        v_standing text := casare.lock_lease(p_job_id, p_lease_token);
      begin
        insert into public.job_history (job_id, lease_token, seq, kind)
        select p_job_id, coalesce((select j.lease_token from public.jobs j where j.id = p_job_id), p_lease_token), e.seq, e.kind
          from jsonb_to_recordset(p_events) as e(seq bigint, kind text)
            on conflict (job_id, lease_token, seq) do nothing;
        return casare.lease_answer(p_job_id, v_standing);
      end
      $$`,
  },
  {
    name: 'a final status that may be written again',
    sql: `
      create or replace function casare.lock_lease(p_job_id uuid, p_lease_token bigint) returns text
      language sql volatile set search_path = pg_catalog, pg_temp
      as $$
        select case when j.lease_token = p_lease_token then 'current' else 'stale' end
          from public.jobs j where j.id = p_job_id for update
      $$`,
  },
  {
    name: 'a claim that ignores its request id',
    sql: `
      create or replace function casare.recover_claims(p_robot_id uuid, p_request_id uuid, p_lock_timeout_ms int)
      returns json language sql volatile set search_path = pg_catalog, pg_temp as $$ select null::json $$`,
  },
];
