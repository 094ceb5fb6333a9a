/** A home that was copied to another machine: the robot works in one place, and nothing of it is done twice. */
import { cpSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { JsonObject } from '@casare/execution';
import { eventually } from '@casare/testing';
import { expect, it, onTestFinished } from 'vitest';
import { type RunningCommand, runCommand, startCommand } from './support/command.ts';
import { operatorOf } from './support/operator.ts';
import { pooledSupabase } from './support/pooled-supabase.ts';
import { temporaryFolder } from './support/robot-home.ts';
import { appendLine, chain, wait } from './support/workflows.ts';

const elsewhere = fileURLToPath(new URL('./support/robot-elsewhere.ts', import.meta.url));
const patience = { timeoutMs: 60_000, intervalMs: 50 };

it('a copied home on another machine does not work beside the robot, takes its place when that is gone, and asks', {
  timeout: 300_000,
}, async () => {
  const server = await pooledSupabase();
  onTestFinished(() => server.stop());
  const operator = await operatorOf(server);
  onTestFinished(() => operator.close());
  const folder = temporaryFolder();
  const lines = (): string[] => readFileSync(join(folder, 'lines'), 'utf8').trim().split('\n');

  /** Machines have temporary folders of their own, so no socket tells of the other robot. */
  const machine = (name: string, script?: string) => {
    const home = join(folder, name);
    mkdirSync(join(folder, `tmp-${name}`));
    const env = {
      SUPABASE_URL: server.url,
      SUPABASE_KEY: server.serviceKey,
      CASARE_HOME: home,
      TMPDIR: join(folder, `tmp-${name}`),
      CASARE_PERMISSIONS_ALLOW_PATHS: folder,
      CASARE_JOB_PROCESSES_WARM: '0',
      CASARE_JOB_EXECUTION_POLL_INTERVAL_MS: '100',
      CASARE_JOB_EXECUTION_CANCELLATION_CHECK_INTERVAL_MS: '200',
    };
    const options = { env, ...(script === undefined ? {} : { script }) };
    return {
      home,
      env,
      start: (): RunningCommand => {
        const robot = startCommand(['start'], options);
        onTestFinished(() => robot.kill());
        return robot;
      },
    };
  };
  const [one, two] = [machine('one'), machine('two', elsewhere)];

  const instance = async (): Promise<string> => {
    const [row] = await server.sql<{ instance_id: string | null }>('select instance_id from robots');
    return row?.instance_id ?? '';
  };
  const taken = (former: string): Promise<string> =>
    eventually(
      'a robot takes the place',
      async () => {
        const now = await instance();
        return now === former ? null : now;
      },
      patience,
    );

  let robot = one.start();
  const jobId = await operator.submit(
    chain('held', [appendLine('one', join(folder, 'lines'), 'one'), wait('rest', 600)]),
  );
  const events = async (): Promise<readonly JsonObject[]> => operator.gateway.getJobHistory(jobId);
  await eventually('one is done', async () => (await events()).some(({ node_id }) => node_id === 'one'), patience);
  const first = await instance();
  await robot.kill();
  cpSync(one.home, two.home, { recursive: true });

  // On its own machine the next start is the successor at once; the copy comes too late.
  robot = one.start();
  const second = await taken(first);
  let copy = two.start();
  expect(await copy.ended).toBe(75);
  const where = `works elsewhere: at ${hostname()}, ${one.home}, last heard of`;
  expect(copy.errors.join('\n')).toContain(where);
  const audit = readdirSync(join(two.home, 'audit')).map((name) => readFileSync(join(two.home, 'audit', name), 'utf8'));
  expect(audit.join('\n')).toContain(where);
  expect(await instance()).toBe(second);
  expect(await operator.job(jobId)).toMatchObject({ status: 'running', in_doubt: [] });

  // Long after the robot has died, its copy takes the place; whether the other one still works, nobody can tell.
  await robot.kill();
  await server.sql("update robots set last_seen = clock_timestamp() - interval '1 hour'");
  copy = two.start();
  const third = await taken(second);
  const question = await eventually(
    'the operator is asked',
    async () => ((await operator.job(jobId)).in_doubt as JsonObject[])[0] ?? null,
    patience,
  );
  expect(question).toMatchObject({ node_id: null, answers: ['restart', 'fail'] });
  expect(question.reason).toContain('it may still work there');
  robot = one.start();
  expect(await robot.ended).toBe(75);
  expect(robot.errors.join('\n')).toContain('works elsewhere: at elsewhere.example');

  // An operator says that the copy is gone. It is not: it stops by itself.
  const moved = await runCommand(['moved'], { env: one.env });
  expect([moved.exitCode, moved.stderr]).toEqual([0, '']);
  robot = one.start();
  await taken(third);
  expect(await copy.ended).toBe(75);
  expect(lines()).toEqual(['one']);
  await operator.gateway.cancelJob(jobId, 'seen enough');
  await operator.ended(jobId);
  robot.signal('SIGTERM');
  expect(await robot.ended).toBe(0);
  expect(await server.sql('select instance_left from robots')).toEqual([{ instance_left: true }]);
});
