import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { JsonObject } from '@casare/execution';
import { readAuditLog } from '@casare/observability';
import { eventually } from '@casare/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RobotAgent, RobotConfig } from '../src/index.ts';
import { type Operator, operatorOf } from './support/operator.ts';
import { type PooledSupabase, pooledSupabase } from './support/pooled-supabase.ts';
import { temporaryFolder } from './support/robot-home.ts';
import { appendLine, chain, wait } from './support/workflows.ts';

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

function robotConfig(home: string, maxConcurrentJobs: number, allowPaths: string[] = []): RobotConfig {
  const config = new RobotConfig({
    robot: { home, name: 'test-robot' },
    connection: { url: server.url, key: server.serviceKey },
    jobExecution: { maxConcurrentJobs, pollIntervalMs: 100, progressIntervalMs: 100, cancellationCheckIntervalMs: 200 },
    jobProcesses: { warm: maxConcurrentJobs },
    permissions: { allowPaths },
    observability: { logLevel: 'critical', resourceMonitoringEnabled: false },
  });
  return config;
}

async function withRobot(
  maxConcurrentJobs: number,
  use: (agent: RobotAgent, home: string) => Promise<void>,
  allowPaths: string[] = [],
) {
  const home = temporaryFolder();
  const agent = new RobotAgent(robotConfig(home, maxConcurrentJobs, allowPaths));
  await agent.start();
  try {
    await use(agent, home);
  } finally {
    await agent.stop({ mode: 'suspend' });
  }
}

const allStages = ['queued', 'starting', 'loading_workflow', 'executing', 'completing', 'completed'];

describe('the robot and an embedded Supabase', () => {
  it("keeps each job's progress, history, metrics, audit and files to itself", async () => {
    await withRobot(3, async (agent, home) => {
      const flow = (n: number): string =>
        chain(`own-${n}`, [
          { id: `set-${n}`, type: 'SetVariableNode', config: { variable_name: 'mine', value: n } },
          appendLine(`note-${n}`, 'mine.txt', `job {{mine}}`),
          wait(`wait-${n}`, 0.5),
        ]);
      const ids = await Promise.all([1, 2, 3].map((n) => operator.submit(flow(n))));
      const jobs = await Promise.all(ids.map((jobId) => operator.ended(jobId)));
      await expectAuditOf(home, ids);
      const measured = agent.metrics?.getRecentJobs() ?? [];
      expect(measured.map((job) => [job.jobId, job.name, job.status, job.nodesExecuted]).toSorted()).toEqual(
        ids.map((jobId, index) => [jobId, `own-${index + 1}`, 'completed', 5]).toSorted(),
      );
      expect(agent.metrics?.getNodeStats().WaitNode).toMatchObject({ totalExecutions: 3, failures: 0 });
      for (const [index, job] of jobs.entries()) {
        const n = index + 1;
        const jobId = ids[index] as string;
        expect(job).toMatchObject({
          status: 'completed',
          result: { variables: { mine: n }, nodes_total: 5, nodes_executed: 5, nodes_skipped: 0 },
          progress: {
            stage: 'completed',
            percent: 100,
            current_nodes: [],
            nodes_completed: 5,
            nodes_total: 5,
            stages: Object.fromEntries(allStages.map((stage) => [stage, expect.any(String)])),
          },
          attempts: [{ attempt: 1, outcome: 'completed' }],
        });
        const history = await operator.gateway.getJobHistory(jobId);
        expect(history.map((event) => [event.kind, event.node_id])).toEqual([
          ['job_started', null],
          ...['start', `set-${n}`, `note-${n}`, `wait-${n}`, 'end'].map((node) => ['node_completed', node]),
          ['job_completed', null],
        ]);
        expect(await readFile(join(home, 'work', jobId, 'mine.txt'), 'utf8')).toBe(`job ${n}\n`);
      }
    });
  });

  it('ends a job whose node fails as failed, with the node and its error', async () => {
    await withRobot(1, async () => {
      const jobId = await operator.submit(
        chain('fails', [
          { id: 'boom', type: 'ThrowErrorNode', config: { error_message: 'the invoice has no number' } },
          appendLine('never', 'never.txt', 'x'),
        ]),
      );
      const job = await operator.ended(jobId);
      expect(job).toMatchObject({
        status: 'failed',
        error: { node_id: 'boom', message: 'the invoice has no number' },
        result: { nodes_executed: expect.any(Number), nodes_skipped: 2 },
      });
    });
  });

  it('ends a cancelled job as cancelled, with the reason, and aborts the node that runs', async () => {
    await withRobot(1, async () => {
      const jobId = await operator.submit(chain('long', [wait('sleep', 600)]));
      await eventually(
        'the job sleeps',
        async () => {
          const progress = (await operator.job(jobId)).progress as JsonObject;
          return progress.current_node === 'sleep';
        },
        { timeoutMs: 60_000 },
      );
      expect(await operator.gateway.cancelJob(jobId, 'wrong month')).toBe('requested');
      const job = await operator.ended(jobId, 10_000);
      expect(job).toMatchObject({
        status: 'cancelled',
        error: { message: 'wrong month', requested_by: expect.stringMatching(/^service_role \(claimed: /) },
        cancel_requested_by: expect.stringMatching(/^service_role \(claimed: /),
        progress: { stage: 'cancelled' },
      });
    });
  });

  it('refuses a job whose workflow is not valid before anything runs', async () => {
    await withRobot(1, async (_agent, home) => {
      const jobId = await operator.submit(
        chain('typo', [appendLine('first', 'first.txt', 'x'), { id: 'odd', type: 'WriteFilNode', config: {} }]),
      );
      const job = await operator.ended(jobId);
      expect(job).toMatchObject({ status: 'failed', error: { code: 'WORKFLOW_INVALID', node_id: 'odd' } });
      expect(JSON.stringify(job.error)).toContain('WriteFileNode');
      expect(await readdir(join(home, 'work')).catch(() => [])).not.toContain(jobId);
    });
  });

  it('finishes running jobs when it is stopped, and hands back those that wait', async () => {
    const home = temporaryFolder();
    const agent = new RobotAgent(robotConfig(home, 1));
    await agent.start();
    const running = await operator.submit(chain('running', [wait('sleep', 1)]));
    await eventually('the job runs', async () => (await operator.job(running)).status === 'running');
    const waiting = await operator.submit(chain('waiting', [wait('sleep', 1)]));
    await agent.stop();
    expect((await operator.job(running)).status).toBe('completed');
    expect((await operator.job(waiting)).status).toBe('pending');
    await operator.gateway.cancelJob(waiting, 'test over');
  });
});

async function expectAuditOf(home: string, jobIds: readonly string[]): Promise<void> {
  const { entries } = await readAuditLog(join(home, 'audit'), {});
  for (const [index, jobId] of jobIds.entries()) {
    const own = entries.filter((entry) => entry.job_id === jobId);
    const nodes = own.flatMap((entry) =>
      entry.node_id === null || entry.node_id === undefined ? [] : [entry.node_id],
    );
    expect(nodes).toEqual(['start', `set-${index + 1}`, `note-${index + 1}`, `wait-${index + 1}`, 'end']);
  }
}
