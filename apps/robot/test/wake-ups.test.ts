/** A robot that is woken: a job starts and a cancel arrives long before the next poll, and without push the poll does it. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '@casare/testing';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { RobotAgent, RobotConfig } from '../src/index.ts';
import { type Operator, operatorOf } from './support/operator.ts';
import { type RealtimeProject, startRealtimeProject } from './support/realtime.ts';
import { temporaryFolder } from './support/robot-home.ts';
import { appendLine, chain, wait } from './support/workflows.ts';

let project: RealtimeProject;
beforeAll(async () => {
  project = await startRealtimeProject();
});
afterAll(() => project.stop());

/** A robot that asks this often if it is left to itself, and hardly ever while it can be woken. */
async function startRobot(pollIntervalMs: number): Promise<{ robot: RobotAgent; home: string }> {
  const home = temporaryFolder();
  const robot = new RobotAgent(
    new RobotConfig({
      robot: { home },
      connection: { url: project.url, key: project.server.serviceKey },
      jobExecution: {
        pollIntervalMs,
        relaxedPollIntervalMs: 3_600_000,
        cancellationCheckIntervalMs: pollIntervalMs,
        heartbeatIntervalMs: Math.min(pollIntervalMs, 90_000),
        cancelGraceMs: 5_000,
      },
      observability: { logLevel: 'critical', resourceMonitoringEnabled: false },
    }),
  );
  await robot.start();
  onTestFinished(() => robot.stop({ mode: 'suspend' }));
  return { robot, home };
}

async function operator(): Promise<Operator> {
  const watching = await operatorOf(project.server);
  onTestFinished(() => watching.close());
  return watching;
}

const longJob = chain('long', [appendLine('begun', 'begun.txt', 'begun'), wait('long', 600)]);
const alive = (robot: RobotAgent): Promise<unknown> =>
  eventually('push is alive', () => robot.getStatus().wakeUps?.isAlive, { timeoutMs: 30_000 });

it('a job starts and is cancelled long before the next poll', async () => {
  const { robot, home } = await startRobot(3_600_000);
  await alive(robot);
  const watching = await operator();
  const jobId = await watching.submit(longJob);
  await eventually('it runs', () => existsSync(join(home, 'work', jobId, 'begun.txt')), { timeoutMs: 30_000 });
  await watching.gateway.cancelJob(jobId, 'enough');
  expect(await watching.ended(jobId)).toMatchObject({ status: 'cancelled' });
  expect(robot.getStatus().wakeUps?.received).toBeGreaterThanOrEqual(2);
});

it('without push the poll does it', async () => {
  const { robot, home } = await startRobot(300);
  await alive(robot);
  project.flows = false;
  project.phoenix.refuseHandshake = 503;
  project.phoenix.cut();
  onTestFinished(() => {
    project.flows = true;
    project.phoenix.refuseHandshake = undefined;
  });
  await eventually('the loss is noticed', () => robot.getStatus().wakeUps?.isAlive === false, { timeoutMs: 30_000 });
  const watching = await operator();
  const jobId = await watching.submit(longJob);
  await eventually('it runs', () => existsSync(join(home, 'work', jobId, 'begun.txt')), { timeoutMs: 30_000 });
  await watching.gateway.cancelJob(jobId, 'enough');
  expect(await watching.ended(jobId)).toMatchObject({ status: 'cancelled' });
});

it('a robot of a database without Realtime says so and polls', async () => {
  await project.server.sql('drop function realtime.send(jsonb, text, text, boolean)');
  const { robot } = await startRobot(300);
  const reason = await eventually('it is said', () => robot.getStatus().wakeUps?.reason, { timeoutMs: 30_000 });
  expect(reason).toContain('no Realtime');
  const watching = await operator();
  const jobId = await watching.submit(chain('short', [appendLine('one', 'one.txt', 'one')]));
  expect(await watching.ended(jobId)).toMatchObject({ status: 'completed' });
});
