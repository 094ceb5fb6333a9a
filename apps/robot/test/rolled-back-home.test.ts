/** A home that is put back from an older copy: what the server knows of its jobs keeps them from being done again. */
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JsonObject } from '@casare/execution';
import { eventually } from '@casare/testing';
import { expect, it, onTestFinished } from 'vitest';
import { startForwarder } from './chaos/forwarder.ts';
import { type RunningCommand, runCommand, startCommand } from './support/command.ts';
import { operatorOf } from './support/operator.ts';
import { pooledSupabase } from './support/pooled-supabase.ts';
import { temporaryFolder } from './support/robot-home.ts';
import { appendLine, chain } from './support/workflows.ts';

const patience = { timeoutMs: 60_000, intervalMs: 50 };

/** Appends `one`, waits until there is a file `go`, appends `two`, and then waits for longer than the test. */
function heldBetween(shared: string): string {
  const nodes = [
    { id: 'start', type: 'StartNode' },
    appendLine('one', join(shared, 'lines'), 'one'),
    { id: 'held', type: 'WhileLoopStartNode', config: { expression: 'not go', max_iterations: 100_000 } },
    { id: 'look', type: 'FileExistsNode', config: { path: join(shared, 'go') } },
    { id: 'note', type: 'SetVariableNode', config: { variable_name: 'go', value: '{{look.exists}}' } },
    { id: 'pause', type: 'WaitNode', config: { duration: 0.2 } },
    appendLine('two', join(shared, 'lines'), 'two'),
    { id: 'rest', type: 'WaitNode', config: { duration: 600 } },
    { id: 'end', type: 'EndNode' },
  ];
  const wires = [
    ['start', 'exec_out', 'one'],
    ['one', 'exec_out', 'held'],
    ['held', 'body', 'look'],
    ['look', 'exec_out', 'note'],
    ['note', 'exec_out', 'pause'],
    ['held', 'completed', 'two'],
    ['two', 'exec_out', 'rest'],
    ['rest', 'exec_out', 'end'],
  ];
  return JSON.stringify({
    metadata: { name: 'held', description: '', author: 'test', version: '1.0.0', tags: [] },
    nodes: Object.fromEntries(
      nodes.map(({ id, type, config = {} }: (typeof nodes)[number] & { config?: object }) => [
        id,
        { node_id: id, node_type: type, config, position: [0, 0] },
      ]),
    ),
    connections: wires.map(([source_node, source_port, target_node]) => ({
      source_node,
      source_port,
      target_node,
      target_port: 'exec_in',
    })),
    variables: { go: false },
    settings: { stop_on_error: true, timeout: 900, retry_count: 0 },
  });
}

/** A robot behind a network that can be cut, with an operator beside it. */
async function surroundings() {
  const server = await pooledSupabase();
  onTestFinished(() => server.stop());
  const operator = await operatorOf(server);
  onTestFinished(() => operator.close());
  const network = await startForwarder(server.url);
  onTestFinished(() => network.cut());
  const [home, shared] = [temporaryFolder(), temporaryFolder()];
  const env = {
    SUPABASE_URL: network.url,
    SUPABASE_KEY: server.serviceKey,
    CASARE_HOME: home,
    CASARE_PERMISSIONS_ALLOW_PATHS: shared,
    CASARE_JOB_PROCESSES_WARM: '0',
    CASARE_JOB_EXECUTION_POLL_INTERVAL_MS: '250',
    CASARE_JOB_EXECUTION_CANCELLATION_CHECK_INTERVAL_MS: '200',
  };
  const start = async (): Promise<RunningCommand> => {
    const robot = startCommand(['start'], { env });
    onTestFinished(() => robot.kill());
    await eventually('the robot starts', () => robot.lines.some((line) => line.startsWith('robot ')), patience);
    return robot;
  };
  const lines = (): string[] => readFileSync(join(shared, 'lines'), 'utf8').trim().split('\n');
  return { server, operator, network, home, shared, env, start, lines };
}

it('a home put back from an older copy does no acknowledged step again, and nothing that it tells is lost', {
  timeout: 300_000,
}, async () => {
  const { server, operator, network, home, shared, env, start, lines } = await surroundings();
  const copies = temporaryFolder();
  const keep = (name: string): void => cpSync(home, join(copies, name), { recursive: true });
  /** The server takes it for a copy of the home that worked last, until an operator says that this one is gone. */
  const putBack = async (name: string): Promise<void> => {
    rmSync(home, { recursive: true });
    cpSync(join(copies, name), home, { recursive: true });
    expect(await runCommand(['moved'], { env })).toMatchObject({ exitCode: 0 });
  };
  const completedNodes = async (jobId: string): Promise<unknown[]> =>
    (await operator.gateway.getJobHistory(jobId))
      .filter(({ kind }) => kind === 'node_completed')
      .map(({ node_id }) => node_id);

  let robot = await start();
  await eventually('it looks for jobs', () => network.requests.some(({ name }) => name === 'robot_turn'), patience);
  await robot.kill();
  keep('before the claim');
  robot = await start();
  const jobId = await operator.submit(heldBetween(shared));
  await eventually('one is done', async () => (await completedNodes(jobId)).includes('pause'), patience);
  await robot.kill();
  keep('before two');
  robot = await start();
  writeFileSync(join(shared, 'go'), '');
  await eventually('two is done', async () => (await completedNodes(jobId)).includes('two'), patience);
  await robot.kill();
  const before = await operator.gateway.getJobHistory(jobId);
  await server.sql("update jobs set in_doubt = '[]'");

  const asked = (): Promise<string> =>
    eventually(
      'the operator is asked about the job as a whole',
      async () => {
        const [question] = (await operator.job(jobId)).in_doubt as JsonObject[];
        return question?.node_id === null ? String(question.reason) : null;
      },
      patience,
    );

  await putBack('before two');
  robot = await start();
  expect(await asked()).toMatch(/the server has its events up to number \d+, this store up to \d+.*older copy/);
  expect(lines()).toEqual(['one', 'two']);
  await robot.kill();

  // Its request for jobs is repeated, and answered with the job that it has begun since.
  await server.sql("update jobs set in_doubt = '[]'");
  await putBack('before the claim');
  robot = await start();
  expect(await asked()).toMatch(/this store up to 0;.*this store has 0/);
  expect(lines()).toEqual(['one', 'two']);
  await robot.kill();

  // With the server away nobody can tell: it goes on, and is stopped when the server is back.
  await server.sql("update jobs set in_doubt = '[]'");
  await putBack('before two');
  await network.cut();
  robot = await start();
  await eventually('it goes on from what it has', () => lines().length === 3, patience);
  await network.mend();
  await asked();
  expect((await runCommand(['status'], { env })).stdout).toMatch(
    new RegExp(
      `not ready: job ${jobId} cannot go on: .*older copy.*; answer with casare-robot job resolve ${jobId} --restart`,
    ),
  );
  const listed = async (): Promise<string> => (await runCommand(['outbox', 'list'], { env })).stdout;
  await eventually(
    'what contradicts the server is set aside',
    async () => /other content.*restored from an older copy/.test(await listed()),
    patience,
  );
  expect(await operator.gateway.resolveJob(jobId, 'fail')).toBe('answered');
  expect(await operator.ended(jobId)).toMatchObject({ status: 'failed', error: { code: 'JOB_IN_DOUBT' } });
  const after = await eventually(
    'its end is told',
    async () => {
      const events = await operator.gateway.getJobHistory(jobId);
      return events.some(({ kind }) => kind === 'job_failed') ? events : null;
    },
    patience,
  );
  expect(after.slice(0, before.length)).toEqual(before);
});

it('a job that a database put back from an older dump gives out again ends there as it ended here, and runs once', {
  timeout: 120_000,
}, async () => {
  const { server, operator, network, home, shared, env, start, lines } = await surroundings();
  await start();
  const done = await operator.submit(chain('done', [appendLine('last', join(shared, 'lines'), 'last')]));
  const first = await operator.ended(done);
  expect(first).toMatchObject({ status: 'completed' });
  const status = async (): Promise<string> => (await runCommand(['status'], { env })).stdout;
  await eventually('the robot knows that it was told', async () => /to send +0 entries/.test(await status()), patience);
  const [{ lease_token: token } = { lease_token: '' }] = await server.sql<{ lease_token: string }>(
    `select lease_token::text from job_attempts where job_id = '${done}'`,
  );
  const told = await operator.gateway.getJobHistory(done);
  await network.cut();
  await server.sql('delete from job_history');
  await server.sql('delete from job_attempts');
  await server.sql(
    `update jobs set status = 'pending', attempt = 0, claimed_by = null, claimed_at = null, lease_token = null,
       lease_expires_at = null, claim_request_id = null, result = null, error = null, completed_at = null
     where id = '${done}'`,
  );
  await server.sql(`select setval('casare.lease_token_seq', ${token}, false)`);
  await network.mend();
  expect(await operator.ended(done)).toMatchObject({ status: 'completed', result: first.result });
  const toldAgain = await operator.gateway.getJobHistory(done);
  expect(toldAgain.map(({ kind, node_id }) => [kind, node_id])).toEqual(
    told.map(({ kind, node_id }) => [kind, node_id]),
  );
  expect(lines()).toEqual(['last']);
  expect(readFileSync(join(home, 'logs', 'robot.log'), 'utf8')).toMatch(
    /the server gave out a job that ended here.*its end is sent again/,
  );
});
