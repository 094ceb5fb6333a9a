/** Runs a fixture as a real process that is dead when the test ends. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

export interface Fixture {
  readonly child: ChildProcess;
  /** Complete lines of its standard output so far. */
  readonly lines: readonly string[];
  /** Resolves once it is dead and its output has been read to the end. */
  readonly ended: Promise<unknown>;
  errors(): string;
}

export function startFixture(name: string, args: readonly string[]): Fixture {
  const file = fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url));
  const child = spawn(process.execPath, [file, ...args], { stdio: ['pipe', 'pipe', 'pipe'] });
  const ended = once(child, 'close');
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  const lines: string[] = [];
  let rest = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    const parts = (rest + chunk).split('\n');
    rest = parts.pop() ?? '';
    lines.push(...parts);
  });
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    errors += chunk;
  });
  return { child, lines, ended, errors: () => errors };
}
