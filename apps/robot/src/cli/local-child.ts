/**
 * The embedded Supabase in a process of its own, for `start --local`. It leaves the terminal's process
 * group, so that Ctrl-C reaches the robot alone and running jobs can still report; it ends when its
 * channel to this process closes, however this process dies.
 */
import { fork } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { CliError } from './cli-error.ts';
import { exitCodes } from './exit-codes.ts';
import { answersIn, type LocalEndpoint } from './local-endpoint.ts';
import type { LocalDatabase as LocalDatabaseProcess } from './local-restarts.ts';

export interface LocalChild extends LocalEndpoint, LocalDatabaseProcess {
  /** Resolves, when the process has ended, with how: its exit code or signal in words. */
  readonly ended: Promise<string>;
}

export interface LocalChildOptions {
  readonly mainScript: string;
  /** Folder of its data. */
  readonly dataDir: string;
  /** Default: the one used last, or any free one. */
  readonly port?: number;
  /** Told of each line that the process writes to its standard error. */
  readonly onMessage: (line: string) => void;
  /** Ends a start that is no longer wanted. */
  readonly signal?: AbortSignal;
}

/** One that stops in order has ended long before, and one that can still act ends itself. */
const endPatienceMs = 25_000;

/** @throws CliError with the exit code of the process when it ended before it was up */
export async function startLocalChild(options: LocalChildOptions): Promise<LocalChild> {
  const { mainScript, dataDir, port, onMessage, signal } = options;
  const args = ['local', '--data-dir', dataDir, ...(port === undefined ? [] : ['--port', String(port)])];
  const child = fork(mainScript, args, { detached: true, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
  const { stdout, stderr } = child;
  if (stdout === null || stderr === null) throw new Error('the child process has no output');
  const messages = createInterface({ input: stderr }).on('line', onMessage);
  // The end of the messages is awaited, too: `close` of the process itself does not come when its channel was closed here.
  const allRead = new Promise<void>((resolve) => messages.once('close', resolve));
  const exit = new Promise<{ code: number | null; signal: string | null }>((resolve) =>
    child.once('exit', (code, name) => void allRead.then(() => resolve({ code, signal: name }))),
  );
  const stop = async (): Promise<void> => {
    if (child.connected) child.disconnect();
    if (!(await endsWithin(exit, endPatienceMs))) child.kill('SIGKILL');
    await exit;
  };
  const kill = (): void => void child.kill('SIGKILL');
  const ended = exit.then(({ code, signal: name }) => (name === null ? `exit code ${code}` : name));
  const values = new Map<string, string>();
  const ready = new Promise<LocalChild>((resolve) => {
    createInterface({ input: stdout }).on('line', (line) => {
      const at = line.indexOf('=');
      values.set(line.slice(0, at), line.slice(at + 1));
      const url = values.get('SUPABASE_URL');
      const key = values.get('SUPABASE_KEY');
      if (url !== undefined && key !== undefined)
        resolve({ url, key, ended, stop, kill, answers: (limit) => answersIn({ url, key }, limit) });
    });
  });
  const failed = exit.then(({ code }): never => {
    throw new CliError(code ?? exitCodes.unavailable, 'the embedded Supabase did not start; see above');
  });
  failed.catch(() => undefined);
  const stopEarly = (): void => void stop();
  signal?.addEventListener('abort', stopEarly, { once: true });
  try {
    if (signal?.aborted) stopEarly();
    return await Promise.race([ready, failed]);
  } finally {
    signal?.removeEventListener('abort', stopEarly);
  }
}

async function endsWithin(end: Promise<unknown>, limitMs: number): Promise<boolean> {
  const over = new AbortController();
  const isOver = delay(limitMs, false, { signal: over.signal }).catch(() => false);
  try {
    return await Promise.race([end.then(() => true), isOver]);
  } finally {
    over.abort();
  }
}
