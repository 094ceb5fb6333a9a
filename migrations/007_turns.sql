-- Casare Robot, schema version 7: a robot's turn costs what it carries.
--
-- Needs the files before it. May be applied again at any time.
--
-- A robot looks for jobs with this one function about once a second. So a look that carries nothing else writes
-- nothing, and presence, which a turn carries every few seconds, is answered with the size of the fleet.

-- {"leases": [as heartbeat_jobs], "claims": [as claim_jobs], "fleet_size": as robot_heartbeat, null without p_status}
--
--   p_leases      renewed; none: nothing is written for them
--   p_status      the robot's presence, with a sample of its metrics; null: it is not told this time
--   p_request_id  claims up to p_limit jobs; with a p_limit of 0 only those that this request has claimed before (I6);
--                 null: none
--
-- All or nothing: a turn that fails has renewed no lease, and its robot renews them without claiming.
-- The lock on this robot's claims comes first, so that two turns of one robot cannot wait for each other in a circle
-- (each holding the rows of its leases).
create or replace function public.robot_turn(
  p_robot_id uuid, p_status text, p_leases jsonb default '[]', p_lock_timeout_ms int default 300000,
  p_request_id uuid default null, p_limit int default 0, p_capabilities text[] default '{}', p_tags text[] default '{}',
  p_metrics jsonb default null
) returns json
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_claims_wanted boolean := p_request_id is not null or p_limit > 0;
  v_leases jsonb := '[]';
  v_claims json := '[]';
  v_presence jsonb;
begin
  perform casare.assert_robot(p_robot_id);
  perform casare.require(p_limit is not null, 'p_limit must not be null');
  perform casare.require(p_status is not null or p_metrics is null, 'p_metrics goes with a p_status');
  perform casare.check_lock_timeout(p_lock_timeout_ms);
  if v_claims_wanted then
    perform casare.lock_claims_of(p_robot_id);
  end if;
  if p_leases is distinct from '[]' then
    v_leases := public.heartbeat_jobs(p_robot_id, p_leases, p_lock_timeout_ms) -> 'leases';
  end if;
  if p_status is not null then
    v_presence := public.robot_heartbeat(p_robot_id, p_status, p_metrics);
  end if;
  if v_claims_wanted then
    v_claims := public.claim_jobs(p_robot_id, p_request_id, p_limit, p_lock_timeout_ms, p_capabilities, p_tags);
  end if;
  return json_build_object('leases', v_leases, 'claims', v_claims, 'fleet_size', v_presence -> 'fleet_size');
end
$$;

create or replace function public.schema_version() returns int
language sql immutable set search_path = pg_catalog, pg_temp
as $$ select 7 $$;

notify pgrst, 'reload schema';
