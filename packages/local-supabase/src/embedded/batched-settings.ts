/**
 * The library gives a request its role, claims and headers by eleven statements of one setting each, and every statement
 * takes several turns of WebAssembly. Here those settings wait for the next statement of another kind and go to the
 * database before it, all at once: a request costs half. They are local to their transaction, in which nothing else can
 * read them earlier, and so they end with it.
 */
import type { createPgliteConnection } from '@supabase/lite/pglite';

/** What is used of the library's database session. */
export type Session = Pick<Awaited<ReturnType<typeof createPgliteConnection>>['driver'], 'query' | 'exec'>;

const setting = /^\s*select set_config\('([a-z_.]+)', (?:\$1|''), true\)\s*$/i;

/** From now on the settings of transactions that are begun by `query` wait; every other statement is made as it comes. */
export function batchSettings(session: Session): void {
  const query = session.query.bind(session);
  const exec = session.exec.bind(session);
  const waiting: { readonly name: string; readonly value: unknown }[] = [];
  let isInTransaction = false;

  async function apply(): Promise<void> {
    if (waiting.length === 0) return;
    const settings = waiting.splice(0);
    const calls = settings.map(({ name }, index) => `set_config('${name}', $${index + 1}, true)`);
    await query(
      `select ${calls.join(', ')}`,
      settings.map(({ value }) => value),
    );
  }

  session.query = async <T>(...args: Parameters<Session['query']>) => {
    const [text, params = []] = args;
    const name = isInTransaction ? setting.exec(text)?.[1] : undefined;
    if (name !== undefined && params.length <= 1) {
      waiting.push({ name, value: params[0] ?? '' });
      return { rows: [], fields: [], affectedRows: 0 };
    }
    if (/^(?:commit|rollback)$/i.test(text)) {
      waiting.length = 0;
      isInTransaction = false;
    }
    await apply();
    const results = await query<T>(...args);
    if (/^begin$/i.test(text)) isInTransaction = true;
    return results;
  };
  session.exec = async (...args) => {
    await apply();
    return exec(...args);
  };
}
