import { ConnectionManager } from '@casare/connection';
import { expect, it } from 'vitest';
import { messageOf } from './message-of.ts';

it('tells operators of a robot that has not connected yet what happens, not which method to call', async () => {
  const connection = new ConnectionManager({ url: 'http://127.0.0.1:9', key: 'key' });
  const error: unknown = await connection.rpc('schema_version').catch((cause: unknown) => cause);
  expect(messageOf(error)).toMatch(
    /^not connected to the database, because the robot is starting or stopping; jobs go on/,
  );
});
