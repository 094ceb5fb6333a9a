/** A robot that is killed while its job process holds a browser and a child: nothing of them acts afterwards. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { eventually } from '@casare/testing';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type RunningCommand, startCommand } from './support/command.ts';
import { type Operator, operatorOf } from './support/operator.ts';
import { type PooledSupabase, pooledSupabase } from './support/pooled-supabase.ts';
import { areAlive, processesOf } from './support/processes.ts';
import { temporaryFolder } from './support/robot-home.ts';
import { chain } from './support/workflows.ts';

const packagePath = fileURLToPath(new URL('./support/misbehaving-package.ts', import.meta.url));
const patience = { timeoutMs: 90_000 };

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

function startRobot(home: string): RunningCommand {
  const robot = startCommand(['start'], {
    env: {
      SUPABASE_URL: server.url,
      SUPABASE_KEY: server.serviceKey,
      CASARE_HOME: home,
      CASARE_NODES_PACKAGES: packagePath,
      CASARE_JOB_EXECUTION_POLL_INTERVAL_MS: '250',
      CASARE_JOB_EXECUTION_CANCELLATION_CHECK_INTERVAL_MS: '200',
      CASARE_JOB_EXECUTION_CANCEL_GRACE_MS: '500',
      // Taken up again, the node that was interrupted runs once more: its lines tell which process wrote them.
      CASARE_JOB_EXECUTION_IN_DOUBT_POLICY: 'retry',
    },
  });
  onTestFinished(() => robot.kill());
  return robot;
}

async function processesIn(home: string): Promise<readonly number[]> {
  const file = await readFile(join(home, 'job-processes.json'), 'utf8');
  return (JSON.parse(file) as { processes: { pid: number }[] }).processes.map(({ pid }) => pid);
}

describe.runIf(process.platform === 'linux')('a robot that is killed with SIGKILL', () => {
  it.each([
    ['by themselves', false],
    ['by the next robot, when they hang', true],
  ])('has its job processes, browser and child ended before the job goes on: %s', async (_how, hangs) => {
    const home = temporaryFolder();
    const robot = startRobot(home);
    const jobId = await operator.submit(
      chain('held', [
        { id: 'browser', type: 'LaunchBrowserNode', config: { headless: true } },
        { id: 'child', type: 'ChildNode' },
        { id: 'tick', type: 'TickNode' },
      ]),
    );
    const ticks = async (): Promise<readonly number[]> =>
      (await readFile(join(home, 'work', jobId, 'ticks'), 'utf8').catch(() => '')).split('\n').slice(0, -1).map(Number);
    const [old = 0] = await eventually(
      'the node acts',
      async () => {
        const pids = await ticks();
        return pids.length > 5 ? pids : null;
      },
      patience,
    );
    const held = [...processesOf(jobId), ...(await processesIn(home))];
    expect(held).toContain(old);
    expect(areAlive(held).length).toBeGreaterThan(5);
    if (hangs) for (const pid of held) process.kill(pid, 'SIGSTOP');
    await robot.kill();
    if (!hangs) await eventually('all are gone', () => areAlive(held).length === 0, patience);
    else expect(areAlive(held)).toContain(old);

    startRobot(home);
    await eventually('the job goes on', async () => (await ticks()).at(-1) !== old, patience);
    expect(areAlive(held)).toEqual([]);
    const all = await ticks();
    const resumedAt = all.findIndex((pid) => pid !== old);
    await eventually('it goes on for a while', async () => (await ticks()).length > all.length + 10, patience);
    expect((await ticks()).slice(resumedAt)).not.toContain(old);
    await operator.gateway.cancelJob(jobId, 'seen enough');
    expect(await operator.ended(jobId)).toMatchObject({ status: 'cancelled' });
    expect(processesOf(jobId)).toEqual([]);
  });
});
