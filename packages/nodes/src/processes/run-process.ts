/**
 * Runs a program to its end: started -> ended | killed.
 *
 * It leads a process group of its own (a job object's place on Windows is taken by `taskkill /T`). When the signal aborts
 * or the time is up, the group is asked to end, and killed when it does not; the promise settles only when the program is
 * gone (I9). What it prints is kept up to a limit, the rest is counted.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { NodeError } from '../errors.ts';
import type { Clock } from '../ports.ts';

export interface ProcessRequest {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** 0: no limit of its own. */
  readonly timeoutMs: number;
  /** Kept of stdout and of stderr. Default 1 MiB. */
  readonly maxBytes?: number;
  /** False: what it prints is dropped. Default true. */
  readonly capture?: boolean;
  readonly signal: AbortSignal;
  readonly clock: Clock;
}

export interface ProcessEnd {
  readonly stdout: string;
  readonly stderr: string;
  /** Null when a signal ended it. */
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Bytes that were printed beyond the limit. */
  readonly droppedBytes: number;
}

/** Between asking and killing. */
const KILL_AFTER_MS = 2_000;
/** What a background child still holds open is not waited for longer than this. */
const DRAIN_LIMIT_MS = 500;

/** @throws NodeError `COMMAND_NOT_FOUND`, `COMMAND_NOT_STARTED`, `COMMAND_TIMEOUT`; the signal's reason when it aborts */
export async function runProcess(request: ProcessRequest): Promise<ProcessEnd> {
  request.signal.throwIfAborted();
  const captures = request.capture !== false;
  const child = spawn(request.file, [...request.args], {
    cwd: request.cwd,
    env: request.env,
    detached: process.platform !== 'win32',
    windowsHide: true,
    stdio: ['ignore', captures ? 'pipe' : 'ignore', captures ? 'pipe' : 'ignore'],
  });
  const limit = request.maxBytes ?? 1024 * 1024;
  const stdout = collect(child.stdout, limit);
  const stderr = collect(child.stderr, limit);
  const exited = exitOf(child, request.file);
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const end = await supervise(child, exited, request);
  await settlesWithin(DRAIN_LIMIT_MS, request.clock, closed);
  child.stdout?.destroy();
  child.stderr?.destroy();
  return {
    stdout: stdout.text(),
    stderr: stderr.text(),
    ...end,
    droppedBytes: stdout.dropped() + stderr.dropped(),
  };
}

type Exit = Pick<ProcessEnd, 'exitCode' | 'signal'>;

/** Waits for the exit, the signal or the time limit, whichever is first; in any case until the program is gone. */
async function supervise(child: ChildProcess, exited: Promise<Exit>, request: ProcessRequest): Promise<Exit> {
  const { signal, clock, timeoutMs } = request;
  const over = new AbortController();
  const stop = Promise.withResolvers<'aborted' | 'late'>();
  const onAbort = (): void => stop.resolve('aborted');
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  if (timeoutMs > 0) {
    clock.sleep(timeoutMs, over.signal).then(
      () => stop.resolve('late'),
      () => undefined,
    );
  }
  try {
    const first = await Promise.race([exited, stop.promise]);
    if (typeof first !== 'string') return first;
    await endGroup(child, exited, clock);
    if (first === 'aborted') throw signal.reason;
    throw new NodeError(
      `The program did not end within ${timeoutMs / 1000} s and was stopped: raise timeout if it is slow`,
      {
        code: 'COMMAND_TIMEOUT',
        category: 'transient',
        ambiguous: true,
        errorType: 'TimeoutError',
      },
    );
  } finally {
    over.abort();
    signal.removeEventListener('abort', onAbort);
  }
}

async function endGroup(child: ChildProcess, exited: Promise<Exit>, clock: Clock): Promise<void> {
  signalGroup(child, 'SIGTERM');
  await settlesWithin(KILL_AFTER_MS, clock, exited);
  // Also when the leader has ended: what it started may have not.
  signalGroup(child, 'SIGKILL');
  await exited.catch(() => undefined);
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  if (process.platform === 'win32') {
    spawn('taskkill', ['/pid', String(child.pid), '/T', '/F'], { stdio: 'ignore', windowsHide: true });
    return;
  }
  try {
    process.kill(-child.pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function exitOf(child: ChildProcess, file: string): Promise<Exit> {
  return new Promise((resolve, reject) => {
    child.once('exit', (exitCode, signal) => resolve({ exitCode, signal }));
    child.once('error', (error: NodeJS.ErrnoException) => {
      const isMissing = error.code === 'ENOENT';
      const problem = isMissing
        ? `The program "${file}" was not found, or the working folder is missing: check command and working_dir`
        : `The program "${file}" could not be started: ${error.message}`;
      reject(
        new NodeError(problem, {
          code: isMissing ? 'COMMAND_NOT_FOUND' : 'COMMAND_NOT_STARTED',
          errorType: isMissing ? 'FileNotFoundError' : 'OSError',
          cause: error,
        }),
      );
    });
  });
}

function collect(stream: Readable | null, limit: number): { text(): string; dropped(): number } {
  const chunks: Buffer[] = [];
  let kept = 0;
  let dropped = 0;
  stream?.on('data', (chunk: Buffer) => {
    const part = chunk.subarray(0, Math.max(0, limit - kept));
    if (part.length > 0) chunks.push(part);
    kept += part.length;
    dropped += chunk.length - part.length;
  });
  return { text: () => Buffer.concat(chunks).toString('utf8'), dropped: () => dropped };
}

async function settlesWithin(limitMs: number, clock: Clock, promise: Promise<unknown>): Promise<void> {
  const timer = new AbortController();
  const ignore = (): void => undefined;
  await Promise.race([promise.then(ignore, ignore), clock.sleep(limitMs, timer.signal).catch(ignore)]);
  timer.abort();
}
