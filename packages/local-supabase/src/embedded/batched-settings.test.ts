import { expect, test } from 'vitest';
import { batchSettings, type Session } from './batched-settings.ts';

const results = { rows: [], fields: [], affectedRows: 0 };

/** A session that notes what reaches the database. */
function notingSession(refuse?: string) {
  const made: string[] = [];
  const note = async (text: string, params: readonly unknown[] = []) => {
    if (refuse !== undefined && text.includes(refuse)) throw new Error(`refused: ${refuse}`);
    made.push([text, ...params].join(' | '));
    return results;
  };
  const session = { query: note, exec: async (text: string) => [await note(text)] } as Session;
  batchSettings(session);
  return { made, session };
}

const role = "SELECT set_config('role', $1, true)";
const status = "SELECT set_config('response.status', '', true)";

test('settings of a transaction reach the database together, before the next statement', async () => {
  const { made, session } = notingSession();
  await session.query('BEGIN');
  await session.query(role, ['anon']);
  await session.query(status);
  await session.query('select $1', [1]);
  await session.query(role, ['service_role']);
  await session.exec('select 2');
  await session.query('COMMIT');
  expect(made).toEqual([
    'BEGIN',
    "select set_config('role', $1, true), set_config('response.status', $2, true) | anon | ",
    'select $1 | 1',
    "select set_config('role', $1, true) | service_role",
    'select 2',
    'COMMIT',
  ]);
});

test('settings that nothing has read end with their transaction', async () => {
  const { made, session } = notingSession();
  for (const end of ['ROLLBACK', 'COMMIT']) {
    await session.query('BEGIN');
    await session.query(role, ['anon']);
    await session.query(end);
  }
  await session.query('select 1');
  expect(made).toEqual(['BEGIN', 'ROLLBACK', 'BEGIN', 'COMMIT', 'select 1']);
});

test('a setting outside of a transaction, or for the whole session, is made as it comes', async () => {
  const { made, session } = notingSession();
  const forSession = "SELECT set_config('role', $1, false)";
  await session.query(role, ['anon']);
  await session.query('BEGIN');
  await session.query(forSession, ['anon']);
  expect(made).toEqual([`${role} | anon`, 'BEGIN', `${forSession} | anon`]);
});

test('a refused setting fails the statement that would have run without it', async () => {
  const { made, session } = notingSession("'role'");
  await session.query('BEGIN');
  await session.query(role, ['nobody']);
  await expect(session.query('select 1')).rejects.toThrow("refused: 'role'");
  await session.query('ROLLBACK');
  expect(made).toEqual(['BEGIN', 'ROLLBACK']);
});
