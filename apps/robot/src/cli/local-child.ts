/**
 * The embedded Supabase in a process of its own, for `start --local`. It leaves the terminal's process
 * group, so that Ctrl-C reaches the robot alone and running jobs can still report; it ends when its
 * channel to this process closes, however this process dies.
 */
import { fork } from 'node:child_process';
import { createInterface } from 'node:readline';
import { CliError } from './cli-error.ts';
import { exitCodes } from './exit-codes.ts';
import type { LocalEndpoint } from './local-endpoint.ts';

export interface LocalChild extends LocalEndpoint {
  stop(): Promise<void>;
}

export async function startLocalChild(mainScript: string): Promise<LocalChild> {
  const child = fork(mainScript, ['local'], { detached: true, stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });
  if (child.stdout === null) throw new Error('the child process has no stdout');
  const exited = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  const stop = async (): Promise<void> => {
    if (child.connected) child.disconnect();
    await exited;
  };
  const values = new Map<string, string>();
  const lines = createInterface({ input: child.stdout });
  const ready = new Promise<LocalChild>((resolve) => {
    lines.on('line', (line) => {
      const at = line.indexOf('=');
      values.set(line.slice(0, at), line.slice(at + 1));
      const url = values.get('SUPABASE_URL');
      const key = values.get('SUPABASE_KEY');
      if (url !== undefined && key !== undefined) resolve({ url, key, stop });
    });
  });
  const failed = exited.then((code): never => {
    throw new CliError(code ?? exitCodes.unavailable, 'the embedded Supabase did not start; see above');
  });
  failed.catch(() => undefined);
  return Promise.race([ready, failed]);
}
