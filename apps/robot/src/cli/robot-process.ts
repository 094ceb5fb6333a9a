/** The daemon as a child process: started, killed, stopped. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { CliError } from './cli-error.ts';
import { exitCodes } from './exit-codes.ts';

export interface RobotProcess {
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>;
  /** SIGTERM, and SIGKILL if it has not ended after 10 s. */
  stop(): Promise<void>;
}

export async function startRobotProcess(environment: Readonly<Record<string, string>>): Promise<RobotProcess> {
  const child = spawn(process.execPath, [...process.execArgv, process.argv[1] ?? '', 'start'], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const messages: string[] = [];
  createInterface({ input: child.stderr }).on('line', (line) => {
    messages.push(line);
    if (messages.length > 20) messages.shift();
  });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const started = new Promise<void>((resolve) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (line.startsWith('robot ')) resolve();
    });
  });
  const early = exited.then(() => {
    throw new CliError(exitCodes.unavailable, `the robot did not start:\n${messages.join('\n')}`);
  });
  early.catch(() => undefined);
  await Promise.race([started, early]);
  return {
    kill: async () => {
      child.kill('SIGKILL');
      await exited;
    },
    stop: () => stopWithin(child, exited, 10_000),
  };
}

async function stopWithin(child: ChildProcess, exited: Promise<void>, limitMs: number): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), limitMs);
  await exited;
  clearTimeout(timer);
}
