/** What a killed supervisor leaves: its successor ends it, and nothing else. */
import { type ChildProcess, spawn } from 'node:child_process';
import { copyFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { eventually } from '@casare/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { markVariable } from '../../src/processes/messages.ts';
import { readProcess } from '../../src/processes/process-table.ts';
import { isAlive, testRunner } from './support/runner.ts';

function sleeper(env: Record<string, string> = {}): ChildProcess & { readonly pid: number } {
  const child = spawn('sleep', ['1000'], { detached: true, stdio: 'ignore', env: { ...process.env, ...env } });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child as ChildProcess & { readonly pid: number };
}

function register(path: string, bootId: string, pids: readonly number[]): void {
  const processes = pids.map((pid) => ({ pid, start_ticks: readProcess(pid)?.startTicks ?? 0 }));
  writeFileSync(path, JSON.stringify({ boot_id: bootId, mark: 'earlier', processes }));
}

describe.runIf(process.platform === 'linux')('the processes of an earlier supervisor', () => {
  it('are ended by their record and by their mark; those of others live', async () => {
    const { runner, registerPath } = testRunner({ mark: 'mine', bootId: 'boot' });
    const [recorded, marked, markedBefore, others, plain] = [
      sleeper(),
      sleeper({ [markVariable]: 'mine.7.1' }),
      sleeper({ [markVariable]: 'earlier.7.1' }),
      sleeper({ [markVariable]: 'mine2.7.1' }),
      sleeper(),
    ];
    register(registerPath, 'boot', [recorded.pid]);
    await runner.reclaim();
    expect([recorded, marked, markedBefore].filter(({ pid }) => isAlive(pid))).toEqual([]);
    expect([others, plain].every(({ pid }) => isAlive(pid))).toBe(true);
  });

  it('are left alone when their id has been given to somebody else', async () => {
    const { runner, registerPath } = testRunner({ bootId: 'boot' });
    const somebody = sleeper();
    const file = { boot_id: 'boot', mark: 'earlier', processes: [{ pid: somebody.pid, start_ticks: 1 }] };
    writeFileSync(registerPath, JSON.stringify(file));
    await runner.reclaim();
    expect(isAlive(somebody.pid)).toBe(true);
  });

  it("are left alone when the file was copied together with its home: they are another robot's", async () => {
    const original = testRunner({ bootId: 'boot', mark: 'original', warm: 1 });
    const copy = testRunner({ bootId: 'boot', mark: 'copy' });
    await original.runner.reclaim();
    const [theirs = 0] = await eventually('one is ready', () => {
      const pids = original.registered();
      return pids.length === 1 ? pids : null;
    });
    copyFileSync(original.registerPath, copy.registerPath);
    await copy.runner.reclaim();
    expect(isAlive(theirs)).toBe(true);
  });

  it('mean nothing when the machine was started anew, and a broken file does no harm', async () => {
    const { runner, registerPath } = testRunner({ bootId: 'boot' });
    const somebody = sleeper();
    register(registerPath, 'another boot', [somebody.pid]);
    await runner.reclaim();
    expect(isAlive(somebody.pid)).toBe(true);
    writeFileSync(registerPath, '{');
    await runner.reclaim();
  });

  it('are found with all that they have started, even when they are stopped', async () => {
    const { runner, registerPath } = testRunner({ bootId: 'boot' });
    const parent = spawn('sh', ['-c', 'sleep 1000 & echo $!; wait'], {
      detached: true,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    onTestFinished(() => void parent.kill('SIGKILL'));
    const child = await new Promise<number>((resolve) => parent.stdout.once('data', (text) => resolve(Number(text))));
    process.kill(parent.pid ?? 0, 'SIGSTOP');
    register(registerPath, 'boot', [parent.pid ?? 0]);
    await runner.reclaim();
    expect([parent.pid ?? 0, child].filter(isAlive)).toEqual([]);
  });
});

describe.runIf(process.platform === 'linux')('a supervisor that is killed', () => {
  it.each(['SpinNode', 'ChildNode'])('takes its job process and all that it started along: %s', async (type) => {
    const script = fileURLToPath(new URL('./support/supervisor.ts', import.meta.url));
    const { workDir, marks } = testRunner();
    const supervisor = spawn(process.execPath, [script, workDir, type], { stdio: ['ignore', 'pipe', 'inherit'] });
    onTestFinished(() => void supervisor.kill('SIGKILL'));
    let told = '';
    supervisor.stdout.on('data', (text) => (told += String(text)));
    const job = await eventually('the job process is known', () => Number(/pid (\d+)/.exec(told)?.[1] ?? 0), {
      timeoutMs: 30_000,
    });
    await eventually('the node runs', () => marks().some((line) => /^(spin|child)/.test(line)), { timeoutMs: 30_000 });
    const child = Number(/^child (\d+)/.exec(marks().find((line) => line.startsWith('child')) ?? '')?.[1] ?? 0);
    expect([job, child].filter((pid) => pid !== 0 && !isAlive(pid))).toEqual([]);
    supervisor.kill('SIGKILL');
    await eventually('all are gone', () => ![job, child].some((pid) => pid !== 0 && isAlive(pid)));
  });
});
