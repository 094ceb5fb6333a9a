/** A manager against a hostile server; both are gone when the test ends. */
import { onTestFinished } from 'vitest';
import { ConnectionManager, type ConnectionManagerOptions, type LogLevel } from '../src/index.ts';
import { HostileServer } from './hostile-server.ts';

export const KEY = 'sb_secret_hush-hush.this-is-the.key';

export interface LogLine {
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: object | undefined;
}

export async function startServer(): Promise<HostileServer> {
  const server = await new HostileServer().start();
  onTestFinished(() => server.stop());
  return server;
}

export function manage(server: { url: string }, options: Partial<ConnectionManagerOptions> = {}) {
  const log: LogLine[] = [];
  const events: string[] = [];
  const manager = new ConnectionManager({
    url: server.url,
    key: KEY,
    logger: { log: (level, message, fields) => log.push({ level, message, fields }) },
    onStateChange: ({ from, to }) => events.push(`${from}>${to}`),
    ...options,
    config: { connectionTimeoutMs: 400, healthProbeTimeoutMs: 2000, healthProbeIntervalMs: 50, ...options.config },
    retry: { initialDelayMs: 10, maxDelayMs: 50, ...options.retry },
  });
  onTestFinished(() => manager.disconnect());
  return { manager, log, events };
}

export async function connected(options: Partial<ConnectionManagerOptions> = {}) {
  const server = await startServer();
  const managed = manage(server, options);
  await managed.manager.connect();
  return { server, ...managed };
}

/** What a promise rejects with; fails if it does not. */
export async function rejection<T = Record<string, unknown>>(work: Promise<unknown>): Promise<T> {
  const value = await work.then(
    (result) => ({ result }),
    (error: unknown) => ({ error }),
  );
  if ('result' in value) throw new Error(`resolved with ${JSON.stringify(value.result)} instead of failing`);
  return value.error as T;
}
