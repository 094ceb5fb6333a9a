/**
 * A server process that does not outlive the process that started it, not even when that one is killed with SIGKILL.
 *
 * Between the two stands a small shell that reads from a pipe. A line "stop" asks it to end the server; the pipe's
 * end, which the kernel brings about on any death of the parent, does the same, and removes a throw-away folder.
 * The server runs in a session of its own: Ctrl-C at a terminal reaches the parent alone, which stops it in order.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { endsWithin } from '../ends-within.ts';
import { LocalSupabaseError } from '../errors.ts';
import type { Clock } from '../ports.ts';

export interface GuardedProcessOptions {
  /** For messages. */
  readonly name: string;
  readonly command: readonly [string, ...string[]];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** The signal that makes this server stop in order. */
  readonly stopSignal: 'INT' | 'TERM';
  /** User and group to run as; only the superuser can choose. Default: the own ones. */
  readonly ids?: { readonly uid: number; readonly gid: number };
  /** Folder that is removed when the parent dies without stopping the server. */
  readonly throwAwayDir?: string;
  readonly clock: Clock;
  /** How long `stop` waits before it kills the server, in ms. Default 10,000. */
  readonly stopTimeoutMs?: number;
}

export interface GuardedProcess {
  /** Resolves with the exit code when the server has ended, whoever ended it; null when it was killed. */
  readonly ended: Promise<number | null>;
  readonly running: boolean;
  /** The last few lines of what the server wrote. */
  readonly output: string;
  /** Resolves once the output contains `text`; rejects with code `SERVER_FAILED` when the server ends first. */
  waitFor(text: string): Promise<void>;
  stop(): Promise<void>;
}

const guard = `
signal=$1 folder=$2
shift 2
exec 3<&0
"$@" </dev/null 3<&- &
server=$!
(
  word=
  read -r word <&3
  test "$word" = stop
  asked=$?
  kill -s "$signal" "$server"
  exit $asked
) 2>/dev/null &
watch=$!
wait "$server"
code=$?
if kill -0 "$watch" 2>/dev/null; then
  kill "$watch"
else
  wait "$watch" || test -z "$folder" || rm -rf -- "$folder"
fi
exit $code
`;

const keptOutput = 4_096;

export function startGuardedProcess(options: GuardedProcessOptions): GuardedProcess {
  const child = spawn(
    '/bin/sh',
    ['-c', guard, 'guard', options.stopSignal, options.throwAwayDir ?? '', ...options.command],
    { cwd: options.cwd, env: options.env, detached: true, stdio: ['pipe', 'pipe', 'pipe'], ...options.ids },
  );
  const { promise: ended, resolve: setEnded } = Promise.withResolvers<number | null>();
  const watchers = new Set<() => void>();
  let output = '';
  let running = true;

  const hear = (chunk: Buffer): void => {
    output = `${output}${chunk}`.slice(-keptOutput);
    for (const watcher of watchers) watcher();
  };
  child.stdout.on('data', hear);
  child.stderr.on('data', hear);
  child.stdin.on('error', () => undefined); // the guard has ended; `ended` tells
  child.once('error', (error) => hear(Buffer.from(error.message)));
  child.once('close', (code) => {
    running = false;
    for (const watcher of watchers) watcher();
    setEnded(code);
  });

  return {
    ended,
    get running() {
      return running;
    },
    get output() {
      return output;
    },
    waitFor: (text) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (output.includes(text)) resolve();
          else if (!running) reject(new LocalSupabaseError('SERVER_FAILED', `${options.name} ended: ${output.trim()}`));
          else return;
          watchers.delete(look);
        };
        watchers.add(look);
        look();
      }),
    stop: () => stopChild(child, ended, options),
  };
}

async function stopChild(child: ChildProcess, ended: Promise<unknown>, options: GuardedProcessOptions): Promise<void> {
  child.stdin?.end('stop\n');
  const inOrder = await endsWithin(ended, options.stopTimeoutMs ?? 10_000, options.clock);
  if (!inOrder && child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  await ended;
}
