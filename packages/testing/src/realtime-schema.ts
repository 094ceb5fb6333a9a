/**
 * The part of Supabase Realtime that lives in the database, for databases without it: the table of messages, the function
 * that adds one, and what its policies ask. A test hands the rows on, as Realtime's replication does.
 */
export const realtimeSchema: string = `
  create schema realtime;
  create table realtime.messages (
    id bigserial primary key, topic text not null, extension text not null, payload jsonb, event text,
    private boolean default false, inserted_at timestamptz not null default clock_timestamp());
  alter table realtime.messages enable row level security;
  create function realtime.topic() returns text language sql stable as $$
    select nullif(current_setting('realtime.topic', true), '') $$;
  create function realtime.send(payload jsonb, event text, topic text, private boolean default true)
  returns void language sql as $$
    insert into realtime.messages (payload, event, topic, private, extension)
    values (payload, event, topic, private, 'broadcast') $$;
  do $$
  begin
    if to_regrole('authenticated') is null then
      create role authenticated nologin noinherit;
    end if;
  end
  $$;
  grant usage on schema realtime to authenticated;
  grant select on realtime.messages to authenticated;
`;

/** What \`realtimeSchema\` keeps of one message. */
export interface RealtimeMessage {
  readonly topic: string;
  readonly event: string;
  readonly payload: unknown;
}
