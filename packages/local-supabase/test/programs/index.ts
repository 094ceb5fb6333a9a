/** Runs `run-server.ts` as a process of its own. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import type { SupabaseServer } from '../../src/index.ts';

export interface ServerProcess {
  readonly pid: number | undefined;
  /** The server as seen over HTTP, once it is ready; SQL and sign-ins stay with the process. */
  ready(): Promise<SupabaseServer>;
  /** What it has written to stderr so far. */
  stderr(): string;
  /** Kills it, with no chance to clean up, and waits until it is gone. */
  kill(): Promise<void>;
}

/** The process is gone when the test is over, at the latest. */
export function spawnServer(
  kind: 'embedded' | 'postgres',
  options: { dataDir?: string; tmpDir?: string; uid?: number } = {},
): ServerProcess {
  const { dataDir, tmpDir = '/tmp', uid } = options;
  const program = fileURLToPath(new URL('./run-server.ts', import.meta.url));
  const child = spawn(process.execPath, [program, kind, ...(dataDir ? [dataDir] : [])], {
    cwd: '/',
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH, TMPDIR: tmpDir },
    ...(uid === undefined ? {} : { uid, gid: uid }),
  });
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const firstLine = once(createInterface(child.stdout), 'line') as Promise<[string]>;
  const exit = once(child, 'exit');
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await exit;
  };
  onTestFinished(kill);
  return {
    pid: child.pid,
    ready: async () => {
      const ended = exit.then(() => {
        throw new Error(`the server process ended: ${stderr}`);
      });
      const [line] = await Promise.race([firstLine, ended]);
      const reached = JSON.parse(line) as Pick<SupabaseServer, 'url' | 'serviceKey' | 'anonKey'>;
      return { ...reached, kind, sql: unavailable, userToken: unavailable, stop: unavailable };
    },
    stderr: () => stderr,
    kill,
  };
}

function unavailable(): Promise<never> {
  throw new Error('only the process that started the server can do this');
}
