import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { type Engine, openEngine } from './engine.ts';
import { pristineDatabase } from './pristine-database.ts';

const settings = {
  serviceKey: 'sb_secret_0123456789abcdefghijkl_mnopqrst',
  anonKey: 'sb_publishable_0123456789abcdefghijkl_mnopqrst',
  jwtSecret: 'a-secret-that-is-long-enough-for-a-test',
  port: null,
};

let engine: Engine;
beforeAll(async () => {
  engine = await openEngine({ folder: null, fresh: await pristineDatabase(() => undefined, []) }, settings);
  await engine.transaction(async (run) => {
    await run('create table notes (number int); alter table notes enable row level security;');
  });
});
afterAll(() => engine?.close());

test('requests that arrive at the same moment share neither role nor transaction', async () => {
  const console = vi.spyOn(globalThis.console, 'error').mockImplementation(() => undefined); // the library's own reports
  onTestFinished(() => console.mockRestore());
  const insert = async (apikey: string, number: unknown): Promise<number> => {
    const headers = { apikey, 'content-type': 'application/json' };
    const init = { method: 'POST', headers, body: JSON.stringify({ number }) };
    return (await engine.fetch(new Request('http://127.0.0.1/rest/v1/notes', init))).status;
  };

  const statuses = await Promise.all(
    Array.from({ length: 10 }, () => [
      insert(settings.serviceKey, 1),
      insert(settings.serviceKey, 'no number'),
      insert(settings.anonKey, 2),
    ]).flat(),
  );

  expect(statuses).toEqual(Array.from({ length: 10 }, () => [201, 400, 401]).flat());
  expect(await engine.sql('select count(*)::int as notes from notes', [])).toEqual([{ notes: 10 }]);
});

test('a request finds its role, claims and headers in the database, and the next one finds none of them', async () => {
  await engine.transaction(async (run) => {
    await run(`create function seen() returns json language sql as $$ select json_build_object(
      'role', current_user, 'claims', current_setting('request.jwt.claims', true)::json ->> 'role',
      'method', current_setting('request.method', true), 'path', current_setting('request.path', true),
      'header', current_setting('request.headers', true)::json ->> 'x-it''s') $$`);
  });
  const seen = async (headers: Record<string, string>): Promise<unknown> =>
    (await engine.fetch(new Request('http://127.0.0.1/rest/v1/rpc/seen', { method: 'POST', headers }))).json();

  expect(await seen({ apikey: settings.serviceKey, "x-it's": "1'2" })).toEqual({
    role: 'service_role',
    claims: 'service_role',
    method: 'POST',
    path: '/rpc/seen',
    header: "1'2",
  });
  expect(await seen({ apikey: settings.anonKey })).toMatchObject({ role: 'anon', claims: 'anon', header: null });
  const after = "select current_user as role, current_setting('request.headers', true) as headers";
  expect(await engine.sql(after, [])).toEqual([{ role: 'postgres', headers: '' }]);
});
