/**
 * A real PostgreSQL on a Unix socket in a folder that only its owner can enter: no TCP port at all.
 * Durable on a given folder; a throw-away one skips the waits for the disk.
 */
import { existsSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { LocalSupabaseError } from '../errors.ts';
import type { Clock, Log } from '../ports.ts';
import { type GuardedProcess, startGuardedProcess } from './guarded-process.ts';
import { inNamespace, prepareFolder, type RunAs, reachablePrograms } from './run-as.ts';

export interface DatabaseServerOptions {
  readonly postgresHome: string;
  /** Folder of the database files. */
  readonly clusterDir: string;
  /** Short-lived folder for the socket; removed with everything in it when this process dies. */
  readonly scratchDir: string;
  readonly throwAway: boolean;
  readonly runAs: RunAs;
  readonly clock: Clock;
  readonly log: Log;
}

export interface DatabaseServer {
  /** The folder in which the socket is. */
  readonly socketDir: string;
  start(): Promise<void>;
  stop(): Promise<void>;
}

const takenText = 'lock file "postmaster.pid" already exists';
const takenWaitMs = 10_000;
const retryMs = 100;

export async function prepareDatabaseServer(options: DatabaseServerOptions): Promise<DatabaseServer> {
  const { clusterDir, scratchDir, runAs, clock, log } = options;
  await prepareFolder(runAs, scratchDir);
  const home = await reachablePrograms(runAs, options.postgresHome, scratchDir);
  let server: GuardedProcess | null = null;

  const launch = (name: string, args: readonly string[]): GuardedProcess => {
    const program = join(home, 'bin', name);
    return startGuardedProcess({
      name,
      command: runAs.kind === 'namespace' ? inNamespace([program, ...args]) : [program, ...args],
      env: { LC_ALL: 'C', TZ: 'UTC', PATH: '/usr/local/bin:/usr/bin:/bin' },
      cwd: '/',
      stopSignal: 'INT', // "fast": ends sessions, then writes everything out
      throwAwayDir: scratchDir,
      clock,
      ...(runAs.kind === 'nobody' ? { ids: runAs.ids } : {}),
    });
  };

  if (existsSync(clusterDir)) await prepareFolder(runAs, clusterDir);
  else await initialize(launch, options);

  return {
    socketDir: scratchDir,
    start: async () => {
      const deadline = clock.monotonic() + takenWaitMs;
      for (;;) {
        const process = launch('postgres', serverArguments(options));
        try {
          await process.waitFor('ready to accept connections');
          server = process;
          void process.ended.then((code) => {
            if (server === process) log('error', `PostgreSQL ended on its own (exit code ${code})`);
          });
          return;
        } catch (error) {
          if (!process.output.includes(takenText)) throw error;
          if (clock.monotonic() >= deadline) {
            throw new LocalSupabaseError('DATA_DIR_IN_USE', `${clusterDir} is in use: ${process.output.trim()}`);
          }
          await clock.sleep(retryMs); // its last owner may be on its way out
        }
      }
    },
    stop: async () => {
      const stopping = server;
      server = null;
      await stopping?.stop();
    },
  };
}

type Launch = (name: string, args: readonly string[]) => GuardedProcess;

/** Made beside and renamed, so that whatever interrupts it leaves no half-made database behind. */
async function initialize(launch: Launch, options: DatabaseServerOptions): Promise<void> {
  const unfinished = `${options.clusterDir}.new`;
  await rm(unfinished, { recursive: true, force: true });
  await prepareFolder(options.runAs, unfinished);
  const process = launch('initdb', [
    `--pgdata=${unfinished}`,
    '--username=postgres',
    '--auth=trust',
    '--encoding=UTF8',
    '--locale=C',
    '--no-instructions',
    ...(options.throwAway ? ['--no-sync'] : []),
  ]);
  if ((await process.ended) !== 0) {
    throw new LocalSupabaseError('SERVER_FAILED', `initdb failed: ${process.output.trim()}`);
  }
  await rename(unfinished, options.clusterDir);
}

function serverArguments(options: DatabaseServerOptions): string[] {
  const settings: Record<string, string> = {
    listen_addresses: '',
    unix_socket_directories: options.scratchDir,
    unix_socket_permissions: '0700',
    timezone: 'UTC',
    log_timezone: 'UTC',
    shared_buffers: '32MB',
    max_connections: '100',
    log_min_error_statement: 'panic', // statements carry what jobs are made of (I8)
    ...(options.throwAway ? { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' } : {}),
  };
  return ['-D', options.clusterDir, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])];
}
