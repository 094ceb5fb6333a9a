/** `casare-robot local`: the embedded Supabase alone, until it is told to stop or its parent is gone. */
import { join } from 'node:path';
import { loadConfig } from '@casare/config';
import { CliError } from './cli-error.ts';
import { exitCodes } from './exit-codes.ts';
import { publishEndpoint, withdrawEndpoint } from './local-endpoint.ts';
import type { Terminal } from './terminal.ts';

export interface LocalOptions {
  readonly dataDir?: string;
  readonly throwAway: boolean;
  readonly port?: number;
}

/** A database that stops in order has ended long before. */
const longestEndMs = 20_000;

type LocalSupabase = typeof import('@casare/local-supabase');

export async function localCommand(options: LocalOptions, terminal: Terminal): Promise<number> {
  try {
    return await serve(options, terminal);
  } finally {
    // Listening for the parent's end keeps this process alive.
    if (process.connected) process.disconnect();
  }
}

async function serve(options: LocalOptions, terminal: Terminal): Promise<number> {
  const stopRequested = untilAskedToStop();
  const home = loadConfig().config.robot.home;
  const dataDir = options.throwAway ? null : (options.dataDir ?? join(home, 'local-supabase'));
  const { startEmbeddedSupabase } = await importLocalSupabase();
  const server = await startEmbeddedSupabase({
    ...(dataDir === null ? {} : { dataDir }),
    ...(options.port === undefined ? {} : { port: options.port }),
  });
  try {
    if (dataDir !== null) await publishEndpoint(dataDir, { url: server.url, key: server.serviceKey });
    terminal.print(`SUPABASE_URL=${server.url}`);
    terminal.print(`SUPABASE_KEY=${server.serviceKey}`);
    const ended = server.ended.then((): never => {
      throw new CliError(exitCodes.unavailable, 'the embedded Supabase has ended on its own');
    });
    await Promise.race([stopRequested, ended]);
  } finally {
    if (dataDir !== null) await withdrawEndpoint(dataDir);
    await server.stop();
  }
  return exitCodes.ok;
}

export async function importLocalSupabase(): Promise<LocalSupabase> {
  try {
    return await import('@casare/local-supabase');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new CliError(
      exitCodes.config,
      'the embedded Supabase is not installed; add the package @casare/local-supabase, or set SUPABASE_URL and SUPABASE_KEY',
    );
  }
}

/** Resolves on SIGINT, SIGTERM, or when the process that started this one is gone. */
function untilAskedToStop(): Promise<void> {
  return new Promise((resolve) => {
    process.once('SIGINT', () => resolve());
    process.once('SIGTERM', () => resolve());
    process.once('disconnect', () => {
      resolve();
      // It must not outlive its robot, whatever keeps it: a start that hangs, a disk that takes nothing.
      setTimeout(() => process.kill(process.pid, 'SIGKILL'), longestEndMs).unref();
    });
  });
}
