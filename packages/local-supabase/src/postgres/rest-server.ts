/** A real PostgREST between a Unix socket of its own and the database's. */
import { join } from 'node:path';
import { LocalSupabaseError } from '../errors.ts';
import type { Clock, Log } from '../ports.ts';
import { startGuardedProcess } from './guarded-process.ts';
import { askOverSocket } from './socket-request.ts';

export interface RestServerOptions {
  readonly program: string;
  /** The folder of the database's socket; PostgREST's own is made there, too. */
  readonly socketDir: string;
  readonly jwtSecret: string;
  readonly clock: Clock;
  readonly log: Log;
}

export interface RestServer {
  readonly socketPath: string;
  stop(): Promise<void>;
}

const startTimeoutMs = 20_000;
const probeMs = 25;

export async function startRestServer(options: RestServerOptions): Promise<RestServer> {
  const { clock, socketDir } = options;
  const socketPath = join(socketDir, 'postgrest.sock');
  const process = startGuardedProcess({
    name: 'PostgREST',
    command: [options.program],
    env: {
      PGRST_DB_URI: `postgres://authenticator@/postgres?host=${encodeURIComponent(socketDir)}`,
      PGRST_DB_SCHEMAS: 'public',
      PGRST_DB_ANON_ROLE: 'anon',
      PGRST_DB_POOL: '20',
      PGRST_JWT_SECRET: options.jwtSecret,
      PGRST_SERVER_UNIX_SOCKET: socketPath,
      PGRST_LOG_LEVEL: 'crit',
    },
    cwd: '/',
    stopSignal: 'TERM',
    clock,
  });
  const deadline = clock.monotonic() + startTimeoutMs;
  while ((await askOverSocket(socketPath, '/')) !== 200) {
    if (!process.running || clock.monotonic() >= deadline) {
      await process.stop();
      throw new LocalSupabaseError('SERVER_FAILED', `PostgREST did not start: ${process.output.trim()}`);
    }
    await clock.sleep(probeMs);
  }
  let stopping = false;
  void process.ended.then((code) => {
    if (!stopping) options.log('error', `PostgREST ended on its own (exit code ${code})`);
  });
  return {
    socketPath,
    stop: () => {
      stopping = true;
      return process.stop();
    },
  };
}
