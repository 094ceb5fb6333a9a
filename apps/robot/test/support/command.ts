/** The command line as a real process. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export const mainScript: string = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

export interface CommandResult {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** The script that is run. Default: that of `casare-robot`. */
  readonly script?: string;
  /** A command line that ends by becoming the one given to it (`exec`). */
  readonly within?: readonly string[];
}

/** Variables that the tests' own environment must not pass on. */
const foreign = /^(CASARE_|SUPABASE_|NODE_OPTIONS$|VITEST|NODE_ENV$)/;

function environment(env: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  const inherited = Object.fromEntries(Object.entries(process.env).filter(([name]) => !foreign.test(name)));
  return { ...inherited, CASARE_JOB_PROCESSES_WARM: '0', ...env };
}

/** Runs a command to its end. */
export function runCommand(args: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [options.script ?? mainScript, ...args], {
      env: environment(options.env),
      cwd: options.cwd,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk) => (stdout += String(chunk)));
    child.stderr.on('data', (chunk) => (stderr += String(chunk)));
    child.once('error', reject);
    child.once('close', (exitCode) => resolve({ exitCode, stdout, stderr }));
  });
}

export interface RunningCommand {
  readonly child: ChildProcess;
  readonly lines: string[];
  readonly errors: string[];
  /** Resolves with the exit code, or the signal's name. */
  readonly ended: Promise<number | string>;
  signal(name: NodeJS.Signals): void;
  kill(): Promise<void>;
}

/** Starts a command that goes on; the caller ends it. */
export function startCommand(args: readonly string[], options: CommandOptions = {}): RunningCommand {
  const own = [process.execPath, options.script ?? mainScript, ...args];
  const [program = process.execPath, ...rest] = [...(options.within ?? []), ...own];
  const child = spawn(program, rest, {
    env: environment(options.env),
    cwd: options.cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines: string[] = [];
  const errors: string[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(line));
  createInterface({ input: child.stderr }).on('line', (line) => errors.push(line));
  const ended = new Promise<number | string>((resolve) => {
    child.once('exit', (code, signal) => resolve(code ?? signal ?? 'unknown'));
  });
  return {
    child,
    lines,
    errors,
    ended,
    signal: (name) => void child.kill(name),
    kill: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
