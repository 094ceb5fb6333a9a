/** A robot and its job process stopped together past the lease of a job, at any moment. More: `pnpm chaos stopped-together`. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { eventually, seededRandom } from '@casare/testing';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { startCommand } from '../support/command.ts';
import { type Operator, operatorOf } from '../support/operator.ts';
import { type PooledSupabase, pooledSupabase } from '../support/pooled-supabase.ts';
import { temporaryFolder } from '../support/robot-home.ts';

const rounds = Number(process.env.STOP_ROUNDS ?? 1);
const seed = Number(process.env.STOP_SEED ?? 20_260_101);
const lockTimeoutMs = 3_000;
const packagePath = fileURLToPath(new URL('../support/misbehaving-package.ts', import.meta.url));

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

async function processesIn(home: string): Promise<readonly number[]> {
  const file = await readFile(join(home, 'job-processes.json'), 'utf8');
  return (JSON.parse(file) as { processes: { pid: number }[] }).processes.map(({ pid }) => pid);
}

const connection = (source_node: string, source_port: string, target_node: string) => ({
  source_node,
  source_port,
  target_node,
  target_port: 'exec_in',
});

/** One effect after the other, each done at once. */
const marks = JSON.stringify({
  metadata: { name: 'marks' },
  nodes: [
    { node_id: 'loop', node_type: 'ForLoopStartNode', config: { mode: 'range', start: 0, end: 100_000 } },
    { node_id: 'mark', node_type: 'MarkNode', config: { mark: '{{loop.current_index}}' } },
  ],
  connections: [connection('loop', 'body', 'mark')],
});

it.runIf(process.platform === 'linux')(
  `a node does not begin when they wake (${rounds} rounds)`,
  {
    timeout: 120_000 + rounds * 20_000,
  },
  async () => {
    const random = seededRandom(seed);
    const home = temporaryFolder();
    const robot = startCommand(['start'], {
      env: {
        SUPABASE_URL: server.url,
        SUPABASE_KEY: server.serviceKey,
        CASARE_HOME: home,
        CASARE_NODES_PACKAGES: packagePath,
        CASARE_JOB_EXECUTION_POLL_INTERVAL_MS: '100',
        CASARE_JOB_EXECUTION_LOCK_TIMEOUT_MS: String(lockTimeoutMs),
      },
    });
    onTestFinished(() => robot.kill());
    const isGivenUp = (jobId: string): boolean =>
      [...robot.lines, ...robot.errors].some(
        (line) => line.includes('the lease of a job is lost') && line.includes(jobId),
      );
    const late: (() => Promise<number>)[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const jobId = await operator.gateway.enqueueJob({ workflow: marks, onLost: 'restart' });
      const done = async (): Promise<number> =>
        (await readFile(join(home, 'work', jobId, 'marks'), 'utf8').catch(() => '')).split('\n').length - 1;
      await eventually('the job acts', async () => (await done()) > 5, { timeoutMs: 60_000 });
      await new Promise((resolve) => setTimeout(resolve, random.below(50)));
      const pids = [...(await processesIn(home)), robot.child.pid ?? 0];
      for (const pid of round % 2 === 0 ? pids : pids.toReversed()) process.kill(pid, 'SIGSTOP');
      await eventually(
        'the lease passes on',
        async () => {
          await server.sql('select public.reap_expired_jobs(100)');
          return (await operator.job(jobId)).status === 'pending';
        },
        { timeoutMs: 30_000, intervalMs: 200 },
      );
      await operator.gateway.cancelJob(jobId, 'somebody else has done it');
      const before = await done();
      for (const pid of pids) process.kill(pid, 'SIGCONT');
      await eventually('the robot notices', () => isGivenUp(jobId), { timeoutMs: 30_000 });
      late.push(async () => (await done()) - before);
    }
    // The last job is over here, too, when the robot stops by itself.
    robot.signal('SIGTERM');
    await robot.ended;
    const seen = await Promise.all(late.map((count) => count()));
    console.log(`stopped together: ${rounds} rounds, seed ${seed}, effects after waking ${JSON.stringify(seen)}`);
    expect(seen).toEqual(seen.map(() => 0));
  },
);
