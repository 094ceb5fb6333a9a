import { expect, onTestFinished, test, vi } from 'vitest';
import { openEngine } from './engine.ts';
import { pristineDatabase } from './pristine-database.ts';

const settings = {
  serviceKey: 'sb_secret_0123456789abcdefghijkl_mnopqrst',
  anonKey: 'sb_publishable_0123456789abcdefghijkl_mnopqrst',
  jwtSecret: 'a-secret-that-is-long-enough-for-a-test',
  port: null,
};

test('requests that arrive at the same moment share neither role nor transaction', async () => {
  const console = vi.spyOn(globalThis.console, 'error').mockImplementation(() => undefined); // the library's own reports
  onTestFinished(() => console.mockRestore());
  const engine = await openEngine({ folder: null, fresh: await pristineDatabase(() => undefined, []) }, settings);
  onTestFinished(() => engine.close());
  await engine.transaction(async (run) => {
    await run('create table notes (number int); alter table notes enable row level security;');
  });
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
