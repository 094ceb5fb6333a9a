/** More, and slow to the end of the jobs: `pnpm chaos slow-disk --count 10`. */
import { join } from 'node:path';
import { eventually } from '@casare/testing';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { RobotAgent, RobotConfig } from '../../src/index.ts';
import { type Operator, operatorOf } from '../support/operator.ts';
import { type PooledSupabase, pooledSupabase } from '../support/pooled-supabase.ts';
import { temporaryFolder } from '../support/robot-home.ts';
import { appendLine, chain } from '../support/workflows.ts';

const rounds = Number(process.env.SLOW_DISK_ROUNDS ?? 1);

const commitMs = 5_000;
/** So short that a job is stopped if a few renewals wait for the disk. */
const lockTimeoutMs = 30_000;
const jobsAtOnce = 2;
/** Longer than a lease: one that is not renewed meanwhile is lost. */
const slowForMs = process.env.SLOW_DISK_ROUNDS === undefined ? 40_000 : 600_000;

let server: PooledSupabase;
let operator: Operator;

beforeAll(async () => {
  server = await pooledSupabase();
  operator = await operatorOf(server);
});

afterAll(async () => {
  await operator?.close();
  await server?.stop();
});

/** Looks at the leases until `isOver`; resolves with the longest time between two renewals of one of them, in ms. */
async function longestPause(jobs: readonly string[], isOver: () => boolean): Promise<number> {
  const last = new Map<string, number>();
  let longest = 0;
  while (!isOver()) {
    const rows = await server.sql<{ id: string; ends: number }>(
      `select id, extract(epoch from lease_expires_at) * 1000 as ends from jobs
        where status = 'running' and id = any($1::uuid[])`,
      [jobs],
    );
    for (const { id, ends } of rows) {
      longest = Math.max(longest, Number(ends) - (last.get(id) ?? Number(ends)));
      last.set(id, Number(ends));
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return longest;
}

it(`a disk whose every commit takes ${commitMs} ms delays no heartbeat and loses no lease (${rounds} round(s))`, {
  timeout: 120_000 + rounds * 330_000,
}, async () => {
  for (let round = 1; round <= rounds; round += 1) {
    const folder = temporaryFolder();
    const commitDelayMs = new Int32Array(new SharedArrayBuffer(4));
    const robot = new RobotAgent(
      new RobotConfig({
        robot: { home: temporaryFolder(), name: 'slow' },
        connection: { url: server.url, key: server.serviceKey },
        jobExecution: { maxConcurrentJobs: jobsAtOnce, pollIntervalMs: 500, lockTimeoutMs },
        permissions: { allowPaths: [folder] },
        observability: { logLevel: 'critical', resourceMonitoringEnabled: false },
      }),
      { commitDelayMs },
    );
    await robot.start();
    onTestFinished(() => robot.stop({ mode: 'suspend' }));
    await eventually('the robot is connected', () => robot.getStatus().connection?.isConnected, { timeoutMs: 60_000 });
    Atomics.store(commitDelayMs, 0, commitMs);
    const jobs: string[] = [];
    for (let n = 0; n < jobsAtOnce; n += 1) {
      const workflow = chain(`slow-${n}`, [appendLine('note', join(folder, `${n}.txt`), 'x')]);
      jobs.push(await operator.gateway.enqueueJob({ workflow, onLost: n === 0 ? 'hold' : 'restart' }));
    }
    const recovery = setTimeout(() => Atomics.store(commitDelayMs, 0, 0), slowForMs);
    onTestFinished(() => clearTimeout(recovery));
    let isOver = false;
    const pause = longestPause(jobs, () => isOver);
    const ended = await Promise.all(jobs.map((jobId) => operator.ended(jobId, 300_000))).finally(() => {
      isOver = true;
    });
    expect(ended.map(({ status, attempt }) => [status, attempt])).toEqual(Array(jobsAtOnce).fill(['completed', 1]));
    const attempts = await server.sql('select outcome, error from job_attempts where job_id = any($1::uuid[])', [jobs]);
    expect(attempts).toEqual(Array(jobsAtOnce).fill({ outcome: 'completed', error: null }));
    const longest = await pause;
    console.log(
      `slow disk: round ${round}, commits of ${commitMs} ms, longest time between two renewals ${longest} ms`,
    );
    // One is due every 2 s; one that waited for the disk would come after two commits.
    expect(longest).toBeLessThan(2 * commitMs);
    Atomics.store(commitDelayMs, 0, 0);
    await robot.stop({ mode: 'suspend' });
  }
});
