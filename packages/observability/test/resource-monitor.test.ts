import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { eventually, ManualClock } from '@casare/testing';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import { MetricsCollector, ResourceMonitor } from '../src/index.ts';
import { processTreeReader } from '../src/resources/process-tree.ts';

const children: ChildProcess[] = [];

afterEach(async () => {
  for (const child of children.splice(0)) {
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'close');
  }
});

/** A process that keeps one core busy, and says so. */
async function busyProcess(): Promise<ChildProcess> {
  const child = spawn(process.execPath, ['-e', 'console.log("busy"); for (;;);'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  children.push(child);
  await once(child.stdout as NodeJS.ReadableStream, 'data');
  return child;
}

describe('real processes', () => {
  it('are measured with their children, and the first sample claims no CPU', async () => {
    const monitor = new ResourceMonitor({ intervalMs: 100 });
    await monitor.start();
    const first = monitor.current;
    expect(first).toMatchObject({ cpuPercent: null });
    expect(first?.memoryMb).toBeGreaterThan(20);
    expect(first?.memoryMb).toBeLessThan(2_000);
    expect(first?.memoryPercent).toBeCloseTo(((first?.memoryMb ?? 0) / (first?.memoryLimitMb ?? 1)) * 100);
    expect((first?.memoryLimitMb ?? 0) * 1_048_576).toBeLessThanOrEqual(totalmem());
    if (process.platform === 'linux') {
      const before = first?.processes ?? 0;
      await busyProcess();
      await eventually('the child shows', () => (monitor.current?.processes ?? 0) > before);
      await eventually('its CPU shows', () => (monitor.current?.cpuPercent ?? 0) > 20);
    }
    await monitor.stop();
    expect(monitor.failures).toBe(0);
  });

  it('that die do not spoil the measure of the others', async () => {
    const child = await busyProcess();
    const pid = child.pid ?? 0;
    const monitor = new ResourceMonitor({ intervalMs: 50, readTree: () => [process.pid, pid, 4_194_304 + 17] });
    await monitor.start();
    expect(monitor.current?.processes).toBe(2);
    child.kill('SIGKILL');
    await once(child, 'close');
    await eventually('only this process is left', () => monitor.current?.processes === 1);
    await monitor.stop();
    expect(monitor.failures).toBe(0);
  });
});

describe.skipIf(process.platform !== 'linux')('a tree', { timeout: 30_000 }, () => {
  /** Starts a process with a session of its own and ends its starter, so that nobody can tell by parents whose it is. */
  async function orphan(jobId: string): Promise<number> {
    const code = `
      const { spawn } = require('node:child_process');
      const filled = 'const held = Buffer.alloc(40e6, 1); setInterval(() => held.length, 1e6)';
      const child = spawn(process.execPath, ['-e', filled], { detached: true, stdio: 'ignore' });
      process.stdout.write(String(child.pid), () => process.exit());
    `;
    const env = { ...process.env, CASARE_JOB_ID: jobId };
    const pid = Number(execFileSync(process.execPath, ['-e', code], { env, encoding: 'utf8' }));
    onTestFinished(() => void process.kill(pid, 'SIGKILL'));
    return pid;
  }

  const residentMb = (pid: number): number =>
    Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1_024;

  it("has also processes that lost their parents, by their job's mark, and its memory is the sum of /proc", async () => {
    const read = processTreeReader();
    const tree = { root: process.pid, limit: 500 };
    // By now it knows the machine's other processes, and need not look at each of them again.
    for (let look = 0; look < 3; look += 1) expect(read({ ...tree, ownsMark: () => false })).toEqual([process.pid]);
    const own = await orphan('job-of-mine');
    const foreign = await orphan('job-of-another-robot');
    const child = await busyProcess();
    const pids = [process.pid, child.pid ?? 0, own];
    const seen: (readonly number[])[] = [];
    const monitor = new ResourceMonitor({
      intervalMs: 100,
      ownsJob: (jobId) => jobId === 'job-of-mine',
      readTree: (query) => {
        const found = read(query);
        seen.push(found);
        return found;
      },
    });
    await monitor.start();
    onTestFinished(() => monitor.stop());
    await eventually('the orphan has filled its memory', () => residentMb(own) > 70);
    await eventually('tree and /proc agree', () => {
      const sum = pids.reduce((total, pid) => total + residentMb(pid), 0);
      return Math.abs((monitor.current?.memoryMb ?? 0) - sum) / sum < 0.05;
    });
    expect(seen.at(-1)?.toSorted()).toEqual(pids.toSorted());
    expect(seen.at(-1)).not.toContain(foreign);
    expect(read({ ...tree, ownsMark: (jobId) => jobId === 'job-of-another-robot' })).toContain(foreign);
  });
});

describe('the arithmetic', () => {
  const mebibyte = 1_048_576;

  async function samples(
    readings: readonly (readonly [pid: number, cpuTimeMs: number])[][],
  ): Promise<(number | null)[]> {
    const clock = new ManualClock();
    let reading = 0;
    const monitor = new ResourceMonitor({
      clock,
      intervalMs: 1_000,
      readTree: () => [1],
      readUsage: async () =>
        new Map((readings[reading++] ?? []).map(([pid, cpuTimeMs]) => [pid, { cpuTimeMs, memoryBytes: mebibyte }])),
    });
    await monitor.start();
    await clock.advance(1_000 * (readings.length - 1));
    await monitor.stop();
    return monitor.history({ minutes: 60 }).map(({ cpuPercent }) => cpuPercent);
  }

  it('takes 100 % for one core, over all processes', async () => {
    const cpu = await samples([
      [[1, 5_000]],
      [[1, 5_500]],
      // A child appeared and used 250 ms, another pid was given to a new process.
      [
        [1, 6_500],
        [2, 250],
      ],
      [
        [1, 6_500],
        [2, 100],
      ],
    ]);
    expect(cpu).toEqual([null, 50, 125, 10]);
  });

  it('relates memory to the limit of the container', async () => {
    const monitor = new ResourceMonitor({
      readTree: () => [1],
      readUsage: async () => new Map([[1, { cpuTimeMs: 0, memoryBytes: 256 * mebibyte }]]),
      limits: () => ({ memoryBytes: 512 * mebibyte, cpuCores: 2 }),
    });
    await monitor.start();
    await monitor.stop();
    expect(monitor.current).toMatchObject({ memoryMb: 256, memoryPercent: 50, memoryLimitMb: 512 });
  });
});

describe('a sample', () => {
  it('tells of the event loop, the disk and the stores, and of what it could not find out', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'casare-samples-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    writeFileSync(join(folder, 'store.db'), Buffer.alloc(1_048_576));
    writeFileSync(join(folder, 'store.db-wal'), Buffer.alloc(524_288));
    const stores = { store: join(folder, 'store.db'), all: folder, none: join(folder, 'gone', 'x') };
    const monitor = new ResourceMonitor({ intervalMs: 120, folder, stores });
    await monitor.start();
    onTestFinished(() => monitor.stop());
    expect(monitor.current?.storesMb).toEqual({ store: 1.5, all: 1.5, none: 0 });
    expect(monitor.current?.disk?.freeMb).toBeLessThanOrEqual(monitor.current?.disk?.totalMb ?? 0);
    await eventually('the event loop shows', () => monitor.current?.eventLoop !== null);
    const until = performance.now() + 450;
    while (performance.now() < until);
    await eventually('a blocked loop shows', () =>
      monitor.history({ minutes: 1 }).some(({ eventLoop }) => (eventLoop?.maxMs ?? 0) > 100),
    );
    const blind = new ResourceMonitor({ folder: join(folder, 'nowhere') });
    await blind.start();
    await blind.stop();
    expect(blind.current?.disk).toBeNull();
    expect(blind.failures).toBe(0);
  });
});

describe('monitoring', () => {
  it('keeps a bounded history that can be asked for by minutes', async () => {
    const clock = new ManualClock();
    const resourceMonitor = new ResourceMonitor({
      clock,
      intervalMs: 30_000,
      maxSamples: 10,
      readTree: () => [1],
      readUsage: async () => new Map([[1, { cpuTimeMs: 0, memoryBytes: 1 }]]),
    });
    const metrics = new MetricsCollector({ clock, resourceMonitor });
    expect(metrics.getCurrentResources()).toBeNull();
    await metrics.startResourceMonitoring();
    await metrics.startResourceMonitoring();
    await clock.advance(3_600_000);
    expect(clock.sleeping).toBe(1);
    await metrics.stopResourceMonitoring();
    expect(clock.sleeping).toBe(0);
    expect(metrics.getResourceHistory({ minutes: 60 })).toHaveLength(10);
    expect(metrics.getResourceHistory({ minutes: 1 })).toHaveLength(3);
    expect(metrics.getFullReport().resources).toEqual(metrics.getCurrentResources());
  });

  it('goes on after a sample that failed, and tells of it', async () => {
    const clock = new ManualClock();
    const told: string[] = [];
    let fail = true;
    const monitor = new ResourceMonitor({
      clock,
      readTree: () => [1],
      readUsage: async () => {
        if (fail) throw new Error('no /proc');
        return new Map([[1, { cpuTimeMs: 0, memoryBytes: 1 }]]);
      },
      onError: (message) => {
        told.push(message);
        throw new Error('listener');
      },
    });
    await monitor.start();
    expect(monitor.current).toBeNull();
    expect(told).toEqual(['no /proc']);
    fail = false;
    await clock.advance(5_000);
    expect(monitor.current).not.toBeNull();
    await monitor.stop();
  });

  it('can be stopped and started again, and the first sample claims no CPU again', async () => {
    const monitor = new ResourceMonitor();
    await monitor.start();
    await monitor.stop();
    await monitor.stop();
    await monitor.start();
    expect(monitor.current?.cpuPercent).toBeNull();
    await monitor.stop();
  });

  it('does not keep the process alive, stopped or not', () => {
    const code = `
      import { ResourceMonitor } from '@casare/observability';
      const monitor = new ResourceMonitor({ intervalMs: 3_600_000 });
      await monitor.start();
      console.log(monitor.current.processes > 0);
    `;
    const printed = execFileSync(process.execPath, ['--input-type=module', '--eval', code], {
      cwd: new URL('..', import.meta.url),
      encoding: 'utf8',
      timeout: 10_000,
    });
    expect(printed).toBe('true\n');
  });
});
