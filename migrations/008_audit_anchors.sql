-- Casare Robot, schema version 8: anchors of the robots' audit logs.
--
-- Needs the files before it. May be applied again at any time.
--
-- A robot's audit log is chained and signed on its own machine. Whoever has that machine, key included, could write
-- the whole log anew; not what was anchored here before: entry seq had this hash at that time. So an anchor, once
-- written, is never changed, by nobody, and the anchors of a robot only go forward.
--
--   anchor_audit        a robot anchors how far its log has come
--   list_audit_anchors  the newest anchors of a robot, for operators and for itself
--   purge_audit_anchors an operator drops those that no kept log needs any more (I7)

create table if not exists public.audit_anchors (
  robot_id    uuid        not null, -- no reference: anchors outlive their robot's row
  seq         bigint      not null check (seq > 0),
  hash        text        not null check (hash ~ '^[0-9a-f]{64}$'),
  segment     bigint      not null check (segment > 0),
  at          timestamptz not null, -- by the robot's clock, as signed
  key_id      text        check (key_id ~ '^[0-9a-f]{16}$'),
  signature   text        not null check (length(signature) <= 200),
  public_key  text        check (length(public_key) <= 200),
  anchored_at timestamptz not null default clock_timestamp(),
  primary key (robot_id, seq)
);

-- Also for the service role and the owner: what was anchored stays as it is.
create or replace function casare.keep_audit_anchors() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
  if tg_op = 'DELETE' and current_setting('casare.purging_audit_anchors', true) = 'on' then
    return old;
  end if;
  raise exception 'audit anchors are never changed; purge_audit_anchors drops old ones' using errcode = '42501';
end
$$;

create or replace trigger keep_audit_anchors before update or delete on public.audit_anchors
  for each row execute function casare.keep_audit_anchors();
create or replace trigger keep_all_audit_anchors before truncate on public.audit_anchors
  for each statement execute function casare.keep_audit_anchors();

-- Says 'ok', also when the very same anchor is there already. Refuses (22023) another hash for a number that is
-- anchored, and a number or a segment behind the newest: the log was written anew, put back, or is another one.
create or replace function public.anchor_audit(
  p_robot_id uuid, p_seq bigint, p_hash text, p_signature text, p_at timestamptz, p_segment bigint,
  p_key_id text default null, p_public_key text default null
) returns text
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_newest public.audit_anchors;
  v_hash text;
begin
  perform casare.assert_robot(p_robot_id);
  perform casare.require(p_seq > 0 and p_segment > 0, 'p_seq and p_segment must be above 0');
  perform casare.require(p_hash ~ '^[0-9a-f]{64}$', 'p_hash must be 64 lower-case hex digits');
  perform casare.require(length(p_signature) <= 200, 'p_signature must be a text of at most 200 characters');
  perform casare.require(p_at is not null, 'p_at must be a time');
  perform casare.require(
    p_public_key is null or p_key_id = left(encode(sha256(decode(p_public_key, 'base64')), 'hex'), 16),
    'p_key_id must be the beginning of the SHA-256 of p_public_key');

  perform pg_advisory_xact_lock(hashtextextended('casare.audit_anchors.' || p_robot_id::text, 0));
  select a.hash into v_hash from public.audit_anchors a where a.robot_id = p_robot_id and a.seq = p_seq;
  if v_hash = p_hash then
    return 'ok';
  end if;
  perform casare.require(v_hash is null, format(
    'p_hash: entry %s of the audit log of robot %s is anchored with another hash: the log was written anew',
    p_seq, p_robot_id));
  select * into v_newest from public.audit_anchors a where a.robot_id = p_robot_id order by a.seq desc limit 1;
  perform casare.require(v_newest.seq is null or (p_seq > v_newest.seq and p_segment >= v_newest.segment), format(
    'p_seq: the audit log of robot %s is anchored up to entry %s in segment %s and does not go back to entry %s in '
    'segment %s', p_robot_id, v_newest.seq, v_newest.segment, p_seq, p_segment));
  insert into public.audit_anchors (robot_id, seq, hash, segment, at, key_id, signature, public_key)
  values (p_robot_id, p_seq, p_hash, p_segment, p_at, p_key_id, p_signature, p_public_key);
  return 'ok';
end
$$;

-- Newest last; `at` in exactly the form that is signed.
create or replace function public.list_audit_anchors(p_robot_id uuid, p_limit int default 1000) returns json
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
begin
  if not casare.is_operator() then
    perform casare.assert_robot(p_robot_id);
  end if;
  perform casare.require(p_limit between 1 and 10000, 'p_limit must be from 1 to 10000');
  return (
    select coalesce(json_agg(json_build_object(
      'robot_id', n.robot_id, 'segment', n.segment, 'seq', n.seq, 'hash', n.hash,
      'at', to_char(n.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
      'key_id', n.key_id, 'signature', n.signature, 'public_key', n.public_key, 'anchored_at', n.anchored_at
    ) order by n.seq), '[]')
    from (select * from public.audit_anchors a where a.robot_id = p_robot_id order by a.seq desc limit p_limit) n);
end
$$;

-- Drops anchors older than p_older_than_ms; each robot's newest stays. Says how many.
create or replace function public.purge_audit_anchors(p_older_than_ms bigint) returns int
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_count int;
begin
  perform casare.assert_operator();
  perform casare.require(p_older_than_ms >= 0, 'p_older_than_ms must be at least 0');
  perform set_config('casare.purging_audit_anchors', 'on', true);
  delete from public.audit_anchors a
   where a.anchored_at < clock_timestamp() - make_interval(secs => p_older_than_ms / 1000.0)
     and exists (select from public.audit_anchors n where n.robot_id = a.robot_id and n.seq > a.seq);
  get diagnostics v_count = row_count;
  perform set_config('casare.purging_audit_anchors', 'off', true);
  return v_count;
end
$$;

alter table public.audit_anchors enable row level security;
revoke all on public.audit_anchors from public, anon, authenticated, service_role;
grant select on public.audit_anchors to authenticated, service_role;
drop policy if exists operators_look on public.audit_anchors;
create policy operators_look on public.audit_anchors for select to authenticated using ((select casare.is_operator()));

do $$
declare
  v_function regprocedure;
begin
  for v_function in
    select p.oid from pg_proc p
     where p.pronamespace = 'public'::regnamespace
       and p.proname in ('anchor_audit', 'list_audit_anchors', 'purge_audit_anchors')
  loop
    execute format('revoke all on function %s from public, anon', v_function);
    execute format('grant execute on function %s to authenticated, service_role', v_function);
  end loop;
end
$$;
revoke all on function casare.keep_audit_anchors() from public, anon, authenticated, service_role;

-- Not immutable and not in SQL: what is folded into a cached plan is not checked again for the next caller's role.
create or replace function public.schema_version() returns int
language plpgsql stable set search_path = pg_catalog, pg_temp
as $$ begin return 8; end $$;

notify pgrst, 'reload schema';
