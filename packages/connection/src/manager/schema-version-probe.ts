/** The default probe: one cheap call through the whole chain, gateway, PostgREST and database. */
import { verdict } from '../classification/verdict.ts';
import { ConnectionError } from '../errors.ts';
import type { Operation } from './session.ts';

export const schemaVersionProbe: Operation<unknown> = async (client, signal) => {
  const answer = await client.rpc('schema_version').abortSignal(signal);
  if (answer.error === null && !Number.isInteger(answer.data)) {
    throw new ConnectionError(
      'schema_version() answered something else than a whole number',
      verdict('A', 'NOT_SUPABASE'),
    );
  }
  return answer;
};
