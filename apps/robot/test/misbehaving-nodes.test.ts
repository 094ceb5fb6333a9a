/** Each of these nodes would take the robot down, or hang it, if it ran inside. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { eventually } from '@casare/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RobotAgent, RobotConfig } from '../src/index.ts';
import { type Operator, operatorOf } from './support/operator.ts';
import { type PooledSupabase, pooledSupabase } from './support/pooled-supabase.ts';
import { areAlive, processesOf } from './support/processes.ts';
import { folderForAllTests } from './support/robot-home.ts';
import { appendLine, chain, type NodeSpec } from './support/workflows.ts';

const packagePath = fileURLToPath(new URL('./support/misbehaving-package.ts', import.meta.url));
const patience = { timeoutMs: 60_000 };

let server: PooledSupabase;
let operator: Operator;
/** One robot meets all of it. */
let robot: RobotAgent;
const { path: home, remove: removeHome } = folderForAllTests();

beforeAll(async () => {
  server = await pooledSupabase();
  operator = await operatorOf(server);
  robot = new RobotAgent(
    new RobotConfig({
      robot: { home, name: 'test-robot' },
      connection: { url: server.url, key: server.serviceKey },
      nodes: { packages: [packagePath] },
      jobExecution: {
        maxConcurrentJobs: 2,
        pollIntervalMs: 250,
        progressIntervalMs: 100,
        cancellationCheckIntervalMs: 200,
        heartbeatIntervalMs: 200,
        nodeTimeoutMs: 60_000,
        cancelGraceMs: 500,
        storeLimitMb: 8,
      },
      jobProcesses: { memoryLimitMb: 400 },
      observability: { logLevel: 'critical', resourceMonitoringEnabled: false },
    }),
  );
  await robot.start();
});

afterAll(async () => {
  await robot?.stop({ mode: 'suspend' });
  await operator?.close();
  await server?.stop();
  removeHome();
});

/** When the robot was last heard of, as the database has it. */
async function lastSeen(): Promise<string> {
  const url = `${server.url}/rest/v1/robots?select=last_seen&order=last_seen.desc&limit=1`;
  const headers = { apikey: server.serviceKey, authorization: `Bearer ${server.serviceKey}` };
  const [robot] = (await (await fetch(url, { headers })).json()) as { last_seen: string }[];
  return robot?.last_seen ?? '';
}

/** Several heartbeats arrive, one after another. */
async function expectHeartbeats(): Promise<void> {
  for (let beat = 0, before = await lastSeen(); beat < 5; beat += 1) {
    before = await eventually('another heartbeat', async () => {
      const now = await lastSeen();
      return now === before ? null : now;
    });
  }
}

async function marks(jobId: string): Promise<string> {
  return readFile(join(home, 'work', jobId, 'marks'), 'utf8').catch(() => '');
}

/** The job ends as expected, nothing of it is left, and the next job works. */
async function expectEnd(jobId: string, end: object): Promise<void> {
  expect(await operator.ended(jobId)).toMatchObject(end);
  expect(processesOf(jobId)).toEqual([]);
  const next = await operator.submit(chain('next', [appendLine('line', 'line.txt', 'next')]));
  expect(await operator.ended(next)).toMatchObject({ status: 'completed' });
}

const node = (type: string, config = {}): NodeSpec => ({ id: 'bad', type, config });

describe('a robot whose job', () => {
  it.each([
    ['spins for ever', node('SpinNode'), 'spin'],
    ['ignores its signal', node('DeafNode'), 'deaf'],
    ['spins for ever and has started a child', node('ChildNode', { afterwards: 'spin' }), 'child'],
  ])('%s keeps its heartbeat, and cancels the job', async (_what, bad, mark) => {
    const jobId = await operator.submit(chain('bad', [bad]));
    await eventually('the node runs', async () => (await marks(jobId)).includes(mark), patience);
    await expectHeartbeats();
    expect(await operator.job(jobId)).toMatchObject({ status: 'running', lost: false });
    await operator.gateway.cancelJob(jobId, 'enough');
    await expectEnd(jobId, { status: 'cancelled', error: { message: 'enough' } });
  });

  it.each([
    [
      'kills its process',
      node('DieNode', { how: 'kill' }),
      { code: 'JOB_PROCESS_DIED', details: { signal: 'SIGKILL' } },
    ],
    ['exits', node('DieNode', { how: 'exit' }), { code: 'JOB_PROCESS_DIED', details: { exitCode: 3 } }],
    ['leaks 1 GB', node('LeakNode', { megabytes: 1_024 }), { code: 'JOB_MEMORY_LIMIT' }],
    [
      'gives more than the local store ever takes',
      node('TellNode', { bytes: 5_000_000 }),
      { code: 'RESULT_TOO_LARGE' },
    ],
    ['has a time limit and spins', node('SpinNode', { timeout: 1 }), { code: 'NODE_TIMEOUT' }],
  ])('%s keeps its heartbeat, and fails the job with the reason', async (_what, bad, error) => {
    const jobId = await operator.submit(chain('bad', [bad]));
    await expectHeartbeats();
    await expectEnd(jobId, { status: 'failed', error: { ...error, node_id: 'bad' } });
  });

  it('opens a browser and throws leaves no browser', async () => {
    const spec = chain('bad', [
      { id: 'browser', type: 'LaunchBrowserNode', config: { headless: true } },
      { id: 'hold', type: 'WaitNode', config: { duration: 1 } },
      { id: 'bad', type: 'ThrowErrorNode', config: { error_message: 'no invoice' } },
    ]);
    const jobId = await operator.submit(spec);
    const browser = await eventually(
      'the browser runs',
      () => {
        const pids = processesOf(jobId);
        return pids.length > 3 ? pids : null;
      },
      patience,
    );
    await expectEnd(jobId, { status: 'failed', error: { message: 'no invoice', node_id: 'bad' } });
    expect(areAlive(browser)).toEqual([]);
  });
});
