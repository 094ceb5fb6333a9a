import { readFile } from 'node:fs/promises';
import { hostname, userInfo } from 'node:os';
import { join } from 'node:path';
import type { JsonObject } from '@casare/execution';
import { eventually } from '@casare/testing';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { cashier } from './support/cashier.ts';
import { type CommandResult, type RunningCommand, runCommand, startCommand } from './support/command.ts';
import { type Operator, operatorOf } from './support/operator.ts';
import { type PooledSupabase, pooledSupabase } from './support/pooled-supabase.ts';
import { temporaryFolder } from './support/robot-home.ts';
import { appendLine, chain, type NodeSpec } from './support/workflows.ts';

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

async function startRobot(home: string): Promise<RunningCommand> {
  const robot = startCommand(['start'], {
    env: {
      ...environment(home),
      CASARE_PERMISSIONS_ALLOW_NET: '127.0.0.1',
      CASARE_MAX_CONCURRENT_JOBS: '4',
      CASARE_JOB_EXECUTION_POLL_INTERVAL_MS: '250',
      CASARE_JOB_EXECUTION_CANCELLATION_CHECK_INTERVAL_MS: '200',
    },
  });
  onTestFinished(() => robot.kill());
  await eventually('the robot starts', () => robot.lines.some((line) => line.startsWith('robot ')), {
    timeoutMs: 60_000,
  });
  return robot;
}

function environment(home: string): Record<string, string> {
  return { SUPABASE_URL: server.url, SUPABASE_KEY: server.serviceKey, CASARE_HOME: home };
}

/** Two payments side by side, then a line. */
function fork(one: NodeSpec, two: NodeSpec): string {
  const nodes: readonly NodeSpec[] = [
    { id: 'start', type: 'StartNode' },
    { id: 'fork', type: 'ForkNode', config: { branch_count: 2, paired_join_id: 'join' } },
    one,
    two,
    { id: 'join', type: 'JoinNode', config: { paired_fork_id: 'fork' } },
    appendLine('after', 'steps.txt', 'after'),
    { id: 'end', type: 'EndNode' },
  ];
  const wires = [
    ['start', 'exec_out', 'fork'],
    ['fork', 'branch_1', one.id],
    ['fork', 'branch_2', two.id],
    [one.id, 'exec_out', 'join'],
    [two.id, 'exec_out', 'join'],
    ['join', 'exec_out', 'after'],
    ['after', 'exec_out', 'end'],
  ];
  return wired('fork', nodes, wires);
}

/** Three payments that are cut off: by the other branch, by their item's time and by their own; each error is caught. */
function cutOff(pay: (id: string) => NodeSpec): string {
  const regions = ['branch', 'item', 'timeout'];
  const guards = regions.flatMap((name): NodeSpec[] => [
    { id: `try_${name}`, type: 'TryNode', config: { paired_catch_id: `catch_${name}` } },
    { id: `catch_${name}`, type: 'CatchNode', config: { paired_try_id: `try_${name}` } },
  ]);
  const timed = pay('cut_timeout');
  const nodes: readonly NodeSpec[] = [
    { id: 'start', type: 'StartNode' },
    ...guards,
    { id: 'fork', type: 'ForkNode', config: { branch_count: 2, fail_fast: true, paired_join_id: 'join' } },
    pay('cut_branch'),
    { id: 'wait', type: 'WaitNode', config: { duration: 2 } },
    { id: 'throw', type: 'ThrowErrorNode', config: { error_message: 'enough' } },
    { id: 'join', type: 'JoinNode', config: { paired_fork_id: 'fork' } },
    { id: 'each', type: 'ParallelForEachNode', config: { items: [1], timeout_per_item: 2 } },
    pay('cut_item'),
    { ...timed, config: { ...timed.config, timeout: 2 } },
    { id: 'end', type: 'EndNode' },
  ];
  return wired('cut off', nodes, [
    ['start', 'exec_out', 'try_branch'],
    ['try_branch', 'try_body', 'fork'],
    ['fork', 'branch_1', 'cut_branch'],
    ['fork', 'branch_2', 'wait'],
    ['wait', 'exec_out', 'throw'],
    ['try_branch', 'exec_out', 'try_item'],
    ['try_item', 'try_body', 'each'],
    ['each', 'body', 'cut_item'],
    ['try_item', 'exec_out', 'try_timeout'],
    ['try_timeout', 'try_body', 'cut_timeout'],
    ['try_timeout', 'exec_out', 'end'],
  ]);
}

function wired(name: string, nodes: readonly NodeSpec[], wires: readonly (readonly string[])[]): string {
  return JSON.stringify({
    metadata: { name, description: '', author: 'test', version: '1.0.0', tags: [] },
    nodes: Object.fromEntries(
      nodes.map(({ id, type, config = {} }) => [id, { node_id: id, node_type: type, config, position: [0, 0] }]),
    ),
    connections: wires.map(([source_node, source_port, target_node]) => ({
      source_node,
      source_port,
      target_node,
      target_port: 'exec_in',
    })),
    variables: {},
    settings: { stop_on_error: true, timeout: 30, retry_count: 0 },
  });
}

it('a robot killed behind a payment asks, and does what an operator answers, once', { timeout: 300_000 }, async () => {
  const home = temporaryFolder();
  const { state, pay, paid } = await cashier();
  const payment = (id: string): string => chain(id, [pay(id), appendLine('after', 'steps.txt', 'after')]);
  const retried = await operator.submit(payment('retried'));
  const failed = await operator.submit(payment('failed'));
  const cancelled = await operator.submit(payment('cancelled'));
  const forked = await operator.submit(fork(pay('one'), pay('two')));
  const job = (...args: readonly string[]): Promise<CommandResult> =>
    runCommand(['job', ...args], { env: environment(home) });
  const inDoubt = (jobId: string, count: number): Promise<readonly JsonObject[]> =>
    eventually(
      `${count} node(s) of ${jobId} wait`,
      async () => {
        const questions = (await operator.job(jobId)).in_doubt as readonly JsonObject[];
        return questions.length === count ? questions : null;
      },
      { timeoutMs: 60_000 },
    );
  const steps = (jobId: string): Promise<string> =>
    readFile(join(home, 'work', jobId, 'steps.txt'), 'utf8').catch(() => '');

  const first = await startRobot(home);
  await eventually(
    'all payments arrive',
    () => ['retried', 'failed', 'cancelled', 'one', 'two'].every((id) => paid(id) === 1),
    {
      timeoutMs: 60_000,
    },
  );
  await first.kill();
  const second = await startRobot(home);
  await inDoubt(retried, 1);
  await inDoubt(failed, 1);
  await inDoubt(forked, 2);

  const progressOf = async (jobId: string): Promise<JsonObject> => (await operator.job(jobId)).progress as JsonObject;
  const beforePayment = { percent: 25, steps: 1, nodes_total: 4, current_node: 'failed' };
  await eventually('the progress of a job that waits is told', async () => {
    const { percent, steps: count } = await progressOf(failed);
    return percent === beforePayment.percent && count === beforePayment.steps;
  });

  // A person reads what to type, and types it.
  const shown = await job('show', retried);
  const [, typed = ''] = /casare-robot job (resolve .* --retry)/.exec(shown.stdout) ?? [];
  expect(await job(...typed.split(' '))).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('answered') });
  await eventually('the payment is made again', () => paid('retried') === 2, { timeoutMs: 60_000 });

  // The retry is interrupted, too: it is asked about anew, and the old answer is not applied again.
  await second.kill();
  await startRobot(home);
  await eventually('the retry waits', async () => {
    const [question] = await inDoubt(retried, 1);
    return question?.attempt === 2;
  });

  const cut = await operator.submit(cutOff(pay));

  // What waits since before the robot was killed is shown as far as it is.
  const { waiting } = JSON.parse((await runCommand(['status', '--json'], { env: environment(home) })).stdout);
  expect(waiting.find(({ job_id: id }: JsonObject) => id === failed)).toMatchObject({
    ...{ name: 'failed', percent: 25, nodes_completed: 1, nodes_total: 4 },
    questions: [{ node_id: 'failed', step: 2, answers: ['retry', 'skip', 'fail'] }],
  });

  expect((await runCommand(['status'], { env: environment(home) })).stdout).toMatch(
    /running, (idle|busy), \d jobs wait for an answer\n/,
  );

  expect(await operator.gateway.cancelJob(cancelled, 'checked by hand')).toBe('requested');
  expect(await operator.ended(cancelled)).toMatchObject({
    status: 'cancelled',
    error: {
      message: 'checked by hand; the effect of node "cancelled" (step 2) may or may not have happened',
      node_id: 'cancelled',
    },
  });
  expect([paid('cancelled'), await steps(cancelled)]).toEqual([1, '']);

  expect(await progressOf(failed)).toMatchObject(beforePayment);
  expect(await job('resolve', failed, '--fail')).toMatchObject({ exitCode: 0 });
  expect(await operator.ended(failed)).toMatchObject({
    status: 'failed',
    error: { code: 'IN_DOUBT', node_id: 'failed' },
  });
  expect(await job('resolve', failed, '--fail')).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining('ended'),
  });

  const ambiguous = await job('resolve', forked, '--skip');
  expect(ambiguous).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('several questions wait') });
  expect(ambiguous.stderr).toContain(`job resolve ${forked} --skip --node one`);
  expect(await job('resolve', forked, '--skip', '--node', 'one')).toMatchObject({ exitCode: 0 });
  expect(await inDoubt(forked, 1)).toMatchObject([{ node_id: 'two', place: 'branch 2 of fork' }]);
  expect(await operator.gateway.resolveJob(forked, 'restart')).toBe('not-offered');
  expect(await operator.gateway.resolveJob(forked, 'skip')).toBe('answered');
  expect(await operator.ended(forked)).toMatchObject({ status: 'completed' });

  expect(await operator.ended(cut)).toMatchObject({ status: 'completed' });
  expect([paid('retried'), paid('failed'), paid('one'), paid('two')]).toEqual([2, 1, 1, 1]);
  state.isOpen = true;
  expect(await operator.gateway.resolveJob(retried, 'retry')).toBe('answered');
  expect(await operator.ended(retried)).toMatchObject({ status: 'completed', answers: [], in_doubt: [] });
  expect([paid('retried'), paid('failed'), paid('one'), paid('two')]).toEqual([3, 1, 1, 1]);
  expect([await steps(retried), await steps(failed), await steps(forked)]).toEqual(['after\n', '', 'after\n']);

  expect((await operator.job(retried)).past_answers).toMatchObject([
    { node_id: 'retried', attempt: 1, answer: 'retry', by: expect.any(String) },
    { node_id: 'retried', attempt: 2, answer: 'retry' },
  ]);
  const audited = async (jobId: string, types: string): Promise<readonly JsonObject[]> => {
    const args = ['audit', 'query', '--job', jobId, '--type', types, '--format', 'jsonl'];
    const { stdout } = await runCommand(args, { env: environment(home) });
    return stdout.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)]));
  };
  const message = expect.stringContaining('node "cancelled" (step 2) may or may not have happened');
  expect(await audited(cancelled, 'job.cancelled')).toMatchObject([{ node_id: 'cancelled', message }]);
  const course = await audited(failed, 'job.in_doubt,job.answered,job.started,job.resumed,job.failed');
  const found = 'Job found in the local store again after a restart';
  expect(course.map(({ type, message: text }) => (type === 'job.resumed' ? text : type))).toEqual([
    ...['job.started', `${found} (in_progress)`, 'Job resumed at step 2', 'job.in_doubt'],
    ...[`${found} (in_doubt)`, 'job.answered', 'Job resumed at step 2', 'job.failed'],
  ]);
  const [, , , asked, , answered, , end] = course;
  expect(asked).toMatchObject({
    node_id: 'failed',
    message: expect.stringMatching(
      /^Job in doubt: node "failed" \(HttpRequestNode, step 2, attempt 1\) may or may not have taken effect: ./,
    ),
    details: { nodes: [{ node_id: 'failed', node_type: 'HttpRequestNode', step: 2, attempt: 1 }] },
  });
  expect(end).toMatchObject({ node_id: 'failed' });
  const claimed = `service_role (claimed: ${userInfo().username}@${hostname()})`;
  expect(answered).toMatchObject({
    ...{ actor: claimed, node_id: 'failed', message: 'Job in doubt: the answer for node "failed" is fail' },
    details: { nodeType: 'HttpRequestNode', step: 2, attempt: 1, answer: 'fail', givenAt: expect.any(String) },
  });
  expect((await operator.job(failed)).past_answers).toMatchObject([{ answer: 'fail', by: claimed }]);
  expect((await operator.placed(forked)).past_answers).toMatchObject([
    { node_id: 'one', place: 'branch 1 of fork' },
    { node_id: 'two', place: 'branch 2 of fork' },
  ]);
  const skipped = await audited(forked, 'node.skipped');
  expect(skipped.map(({ node_id: id }) => id).toSorted()).toEqual(['one', 'two']);
  const logs = await job('logs', cancelled);
  expect(logs.stdout).toMatch(
    /waits for an answer .*: node "cancelled" \(HttpRequestNode, step 2, attempt 1\) may or may/,
  );
  expect(logs.stdout).toContain('Node "cancelled" was cut off, or failed in doubt (step 2, attempt 1)');

  const cutNodes = ['cut_branch', 'cut_item', 'cut_timeout'];
  const cutNames = cutNodes.map((id) => expect.objectContaining({ node_id: id, attempt: 1 }));
  expect(cutNodes.map(paid)).toEqual([1, 1, 1]);
  expect(await operator.job(cut)).toMatchObject({ error: null, result: { may_have_happened: cutNames } });
  const cutText =
    /in doubt +the effects of nodes "cut_branch" \(step \d+\), "cut_item" .* may or may not have happened/;
  expect((await job('show', cut)).stdout).toMatch(cutText);
  expect(await audited(cut, 'job.completed')).toMatchObject([{ details: { may_have_happened: cutNames } }]);
  const cutLogs = (await job('logs', cut)).stdout.split('\n').filter((line) => line.includes('failed in doubt'));
  expect(cutLogs.map((line) => cutNodes.find((id) => line.includes(id)))).toEqual(cutNodes);

  expect(await operator.gateway.redriveJob(retried)).toBe('not-failed');
  expect(await job('redrive', failed)).toMatchObject({ exitCode: 0 });
  expect(await operator.ended(failed)).toMatchObject({ status: 'completed' });
});
