/** Starts and owns the thread in which the embedded server runs. */
import { resolve } from 'node:path';
import { Worker } from 'node:worker_threads';
import { endsWithin } from '../ends-within.ts';
import { LocalSupabaseError, SqlError } from '../errors.ts';
import { defaultMigrationsDir } from '../migrations.ts';
import type { Log, SupabaseServer, SupabaseServerOptions } from '../ports.ts';
import { systemClock } from '../system-clock.ts';
import { signUserToken } from '../user-token.ts';
import type { FromWorker, ToWorker, WorkerInput } from './worker-protocol.ts';

const stopTimeoutMs = 10_000;

interface PendingSql {
  readonly resolve: (rows: readonly Record<string, unknown>[]) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Starts an embedded Supabase (REST, RPC, row level security, Auth) on 127.0.0.1 and applies the migrations. Needs
 * nothing but Node, takes about 420 MB of memory, and sends no request to any other machine.
 *
 * @throws LocalSupabaseError `DATA_DIR_IN_USE`, `PORT_IN_USE`, `MIGRATION_FAILED` or `SERVER_FAILED`
 *
 * @example
 * ```ts
 * const server = await startEmbeddedSupabase({ dataDir: './data' });
 * const client = createClient(server.url, server.serviceKey);
 * const { data } = await client.rpc('schema_version'); // 1
 * await server.stop();
 * ```
 */
export async function startEmbeddedSupabase(options: SupabaseServerOptions = {}): Promise<SupabaseServer> {
  const log: Log = options.log ?? (() => undefined);
  const input: WorkerInput = {
    dataDir: options.dataDir === undefined ? null : resolve(options.dataDir),
    port: options.port ?? null,
    migrationsDir: options.migrationsDir ?? defaultMigrationsDir(),
  };
  const worker = new Worker(workerUrl(), {
    workerData: input,
    env: { DO_NOT_TRACK: '1', LITE_TELEMETRY: '0' },
    stdout: true,
    stderr: true,
  });
  const pending = new Map<number, PendingSql>();
  const {
    promise: ready,
    resolve: setReady,
    reject: setFailed,
  } = Promise.withResolvers<Extract<FromWorker, { kind: 'ready' }>>();
  const { promise: ended, resolve: setEnded } = Promise.withResolvers<void>();
  let stopping = false;
  let nextId = 1;

  worker.on('message', (message: FromWorker) => {
    if (message.kind === 'log') log(message.level, message.message);
    else if (message.kind === 'ready') setReady(message);
    else if (message.kind === 'failed') setFailed(new LocalSupabaseError(message.code, message.message));
    else if (message.kind === 'rows') take(pending, message.id)?.resolve(message.rows);
    else if (message.kind === 'refused') {
      take(pending, message.id)?.reject(new SqlError(message.message, message.code, message.hint));
    }
  });
  worker.on('error', (error) => {
    log('error', `the embedded server failed: ${error.message}`);
    setFailed(new LocalSupabaseError('SERVER_FAILED', error.message, { cause: error }));
  });
  worker.on('exit', () => {
    if (!stopping) setFailed(new LocalSupabaseError('SERVER_FAILED', 'the embedded server ended on its own'));
    const gone = new LocalSupabaseError('STOPPED', 'the server has been stopped');
    for (const id of [...pending.keys()]) take(pending, id)?.reject(gone);
    stopping = true;
    setEnded();
  });

  const { port, settings } = await ready.catch(async (error: unknown) => {
    await worker.terminate();
    throw error;
  });
  const send = (message: ToWorker): void => worker.postMessage(message);
  return {
    kind: 'embedded',
    url: `http://127.0.0.1:${port}`,
    serviceKey: settings.serviceKey,
    anonKey: settings.anonKey,
    userToken: (userId) => signUserToken(settings.jwtSecret, userId),
    sql: async <T>(text: string, params: readonly unknown[] = []): Promise<T[]> => {
      if (stopping) throw new LocalSupabaseError('STOPPED', 'the server has been stopped');
      const rows = await new Promise<readonly Record<string, unknown>[]>((resolveRows, rejectRows) => {
        const id = nextId++;
        pending.set(id, { resolve: resolveRows, reject: rejectRows });
        send({ kind: 'sql', id, text, params });
      });
      return rows as T[];
    },
    stop: async () => {
      if (!stopping) {
        stopping = true;
        send({ kind: 'stop' });
      }
      if (!(await endsWithin(ended, stopTimeoutMs, systemClock))) {
        log('error', 'the embedded server did not stop in time and was ended');
        await worker.terminate();
      }
    },
  };
}

function take(pending: Map<number, PendingSql>, id: number): PendingSql | undefined {
  const entry = pending.get(id);
  pending.delete(id);
  return entry;
}

/** `worker.ts` when this runs from source, `worker.js` when it was built. */
function workerUrl(): URL {
  return new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js', import.meta.url);
}
