import { readFile } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { JsonObject } from '@casare/execution';
import { type SupabaseServer, startEmbeddedSupabase } from '@casare/local-supabase';
import { eventually } from '@casare/testing';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type RunningCommand, startCommand } from './support/command.ts';
import { type Operator, operatorOf } from './support/operator.ts';
import { temporaryFolder } from './support/robot-home.ts';
import { appendLine, chain, type NodeSpec, wait } from './support/workflows.ts';

let server: SupabaseServer;
let operator: Operator;

beforeAll(async () => {
  server = await startEmbeddedSupabase({});
  operator = await operatorOf(server);
});

afterAll(async () => {
  await operator?.close();
  await server?.stop();
});

async function startRobot(home: string): Promise<RunningCommand> {
  const robot = startCommand(['start'], {
    env: {
      SUPABASE_URL: server.url,
      SUPABASE_KEY: server.serviceKey,
      CASARE_HOME: home,
      CASARE_PERMISSIONS_ALLOW_NET: '127.0.0.1',
      CASARE_JOB_EXECUTION_POLL_INTERVAL_MS: '100',
      CASARE_JOB_EXECUTION_PROGRESS_INTERVAL_MS: '100',
      CASARE_JOB_EXECUTION_CANCELLATION_CHECK_INTERVAL_MS: '200',
    },
  });
  onTestFinished(() => robot.kill());
  await eventually('the robot starts', () => robot.lines.some((line) => line.startsWith('robot ')), {
    timeoutMs: 20_000,
  });
  return robot;
}

function fiftyLines(): NodeSpec[] {
  return Array.from({ length: 50 }, (_unused, n) => [
    appendLine(`line-${n}`, 'lines.txt', `line ${n}`),
    wait(`pause-${n}`, 0.02),
  ]).flat();
}

describe('a robot that is killed with SIGKILL', () => {
  it('goes on where it was and writes every line of a 50-node job once', async () => {
    const home = temporaryFolder();
    const jobId = await operator.submit(chain('fifty', fiftyLines()));
    const file = join(home, 'work', jobId, 'lines.txt');
    const written = async (): Promise<string[]> =>
      (await readFile(file, 'utf8').catch(() => '')).split('\n').filter((line) => line !== '');
    for (const killAfter of [8, 20, 35]) {
      const robot = await startRobot(home);
      await eventually(`line ${killAfter} is written`, async () => (await written()).length >= killAfter, {
        timeoutMs: 20_000,
        intervalMs: 5,
      });
      await robot.kill();
    }
    expect((await operator.job(jobId)).status).toBe('running');
    await startRobot(home);
    const job = await operator.ended(jobId);
    expect(job).toMatchObject({ status: 'completed', attempts: [{ attempt: 1, outcome: 'completed' }] });
    expect(await written()).toEqual(Array.from({ length: 50 }, (_unused, n) => `line ${n}`));
    const history = await operator.gateway.getJobHistory(jobId);
    const completed = history.filter((event) => event.kind === 'node_completed').map((event) => event.node_id);
    expect(new Set(completed).size).toBe(completed.length);
    expect(completed).toHaveLength(102);
  });

  it('stops in doubt, by name, at an effect that nobody can look at, and can then be cancelled', async () => {
    const home = temporaryFolder();
    const payments = await holdingServer();
    const jobId = await operator.submit(
      chain('payment', [
        appendLine('before', 'steps.txt', 'before'),
        {
          id: 'pay',
          type: 'HttpRequestNode',
          config: { url: payments.url, method: 'POST', body: '{"amount": 1}', timeout: 60 },
        },
        appendLine('after', 'steps.txt', 'after'),
      ]),
    );
    const robot = await startRobot(home);
    await eventually('the payment arrives', () => payments.received() === 1, { timeoutMs: 20_000 });
    await robot.kill();

    const again = await startRobot(home);
    const waiting = await eventually('the job waits in doubt', async () => {
      const job = await operator.job(jobId);
      return (job.in_doubt as readonly JsonObject[]).length > 0 ? job : null;
    });
    expect(waiting).toMatchObject({ status: 'running', lost: false, in_doubt: [{ node_id: 'pay' }] });
    expect(payments.received()).toBe(1);

    await again.kill();
    await startRobot(home);
    expect(await operator.gateway.cancelJob(jobId, 'checked by hand')).toBe('requested');
    const job = await operator.ended(jobId);
    expect(job).toMatchObject({ status: 'cancelled', error: { message: 'checked by hand' } });
    expect(payments.received()).toBe(1);
    expect(await readFile(join(home, 'work', jobId, 'steps.txt'), 'utf8')).toBe('before\n');
  });
});

describe('a robot that is told to stop', () => {
  it('finishes what runs at the first signal and cancels it at the second', async () => {
    const home = temporaryFolder();
    const robot = await startRobot(home);
    const jobId = await operator.submit(chain('endless', [wait('sleep', 600)]));
    const sleeps = async (): Promise<boolean> =>
      ((await operator.job(jobId)).progress as JsonObject).current_node === 'sleep';
    await eventually('the job sleeps', sleeps, { timeoutMs: 60_000 });
    robot.signal('SIGTERM');
    await eventually('the robot drains', () => robot.errors.some((line) => line.startsWith('stopping')));
    expect((await operator.job(jobId)).status).toBe('running');
    robot.signal('SIGTERM');
    expect(await robot.ended).toBe(0);
    expect((await operator.job(jobId)).status).toBe('cancelled');
  });
});

/** Takes requests and never answers them. */
async function holdingServer(): Promise<{ url: string; received: () => number }> {
  const held: ServerResponse[] = [];
  const holding = createServer((_request, response) => void held.push(response));
  await new Promise<void>((resolve) => holding.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    holding.closeAllConnections();
    holding.close();
  });
  const { port } = holding.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/pay`, received: () => held.length };
}
