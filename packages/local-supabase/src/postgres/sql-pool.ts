/** SQL as the owner of the database, with the same kinds of values as the embedded engine returns. */
import postgres from 'postgres';
import { SqlError } from '../errors.ts';
import type { MigrationTarget } from '../migrations.ts';

export interface SqlPool extends MigrationTarget {
  sql(text: string, params: readonly unknown[]): Promise<Record<string, unknown>[]>;
  close(): Promise<void>;
}

type Session = Pick<postgres.Sql, 'unsafe'>;

const asText = (oids: number[]): postgres.PostgresType => ({
  to: 25,
  from: oids,
  serialize: (value: unknown) => value,
  parse: (value: unknown) => value,
});

export function openSqlPool(socketDir: string): SqlPool {
  const pool = postgres({
    host: socketDir,
    username: 'postgres',
    database: 'postgres',
    max: 4,
    prepare: false,
    onnotice: () => undefined,
    types: {
      dates: asText([1082, 1083, 1114, 1184, 1266]),
      bigint: { to: 20, from: [20], serialize: String, parse: parseBigint },
    },
  });
  return {
    sql: (text, params) => runOn(pool, text, params),
    transaction: async (work) => {
      await pool.begin((session) => work((text, params = []) => runOn(session, text, params)));
    },
    close: () => pool.end({ timeout: 1 }),
  };
}

async function runOn(session: Session, text: string, params: readonly unknown[]): Promise<Record<string, unknown>[]> {
  try {
    const answer = params.length > 0 ? await session.unsafe(text, params as never[]) : await session.unsafe(text);
    const last: unknown = Array.isArray(answer[0]) ? answer.at(-1) : answer; // several statements: a result for each
    return [...(last as Record<string, unknown>[])];
  } catch (error) {
    const { message, code, hint, position } = error as postgres.PostgresError;
    throw Object.assign(new SqlError(message, code ?? '', hint), { position });
  }
}

function parseBigint(text: string): number | bigint {
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : BigInt(text);
}
