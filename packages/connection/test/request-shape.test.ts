/** What goes over the wire, and what the types say about what comes back. */
import type { SupabaseClient } from '@supabase/supabase-js';
import { expect, expectTypeOf, test } from 'vitest';
import { ConnectionManager } from '../src/index.ts';
import { connected, KEY } from './set-up.ts';

test('the health probe is one call of the function schema_version, with the key', async () => {
  const { server } = await connected({ config: { healthProbeIntervalMs: null, connectionTimeoutMs: 10_000 } });
  expect(server.seen).toHaveLength(1);
  expect(server.seen[0]).toMatchObject({ method: 'POST', path: '/rest/v1/rpc/schema_version' });
  expect(server.seen[0]?.headers).toMatchObject({ apikey: KEY, authorization: `Bearer ${KEY}` });
});

test('another probe may be configured', async () => {
  const { server } = await connected({
    probe: (client) => client.from('robots').select('id').limit(1),
    config: { healthProbeIntervalMs: null, connectionTimeoutMs: 10_000 },
  });
  expect(server.seen.map(({ path }) => path)).toEqual(['/rest/v1/robots?select=id&limit=1']);
});

test('arguments and form data arrive as they were given', async () => {
  const { server, manager } = await connected();
  await manager.rpc('claim_job', { p_job_id: 'a', p_lease_token: 2n ** 60n });
  expect(server.calls[0]).toMatchObject({ method: 'POST', path: '/rest/v1/rpc/claim_job' });
  expect(JSON.parse(server.calls[0]?.body ?? '')).toEqual({ p_job_id: 'a', p_lease_token: '1152921504606846976' });
  await manager.execute((client) => client.storage.from('files').upload('a.txt', new Blob(['hello'])) as never);
  expect(server.calls[1]?.headers['content-type']).toMatch(/^multipart\/form-data; boundary=/);
  expect(server.calls[1]?.body).toContain('hello');
});

test('the data of an answer is what execute resolves with', () => {
  type Row = { id: string; name: string | null };
  interface Database {
    public: {
      Tables: { jobs: { Row: Row; Insert: Row; Update: Partial<Row>; Relationships: [] } };
      Views: Record<string, never>;
      Functions: Record<string, never>;
    };
  }
  const { execute, rpc } = ConnectionManager.prototype;
  const typed = (client: SupabaseClient) => (client as unknown as SupabaseClient<Database>).from('jobs').select();
  const types = () => ({
    rows: execute((client) => typed(client)),
    maybe: execute((client) => typed(client).maybeSingle()),
    single: execute((client) => typed(client).single()),
    named: execute<Row[]>((client) => client.from('jobs').select()),
    plain: execute(async () => 7),
    answer: rpc<number>('schema_version'),
  });
  expectTypeOf<ReturnType<typeof types>>().toEqualTypeOf<{
    rows: Promise<Row[]>;
    maybe: Promise<Row | null>;
    single: Promise<Row>;
    named: Promise<Row[]>;
    plain: Promise<number>;
    answer: Promise<number>;
  }>();
});
