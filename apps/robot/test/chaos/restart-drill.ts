/** PostgreSQL is restarted again and again while the robot works through many short jobs: each completes once. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { PostgresSupabaseServer } from '@casare/local-supabase/postgres';
import { eventually, seededRandom } from '@casare/testing';
import { operatorOf } from '../support/operator.ts';
import { violationsOf } from './check-effects.ts';
import { endProblems } from './check-ends.ts';
import { startCountingServer } from './counting-server.ts';
import { killableRobot, startRestartedRobot } from './restarted-robot.ts';
import { buildShape, shapeNames } from './shapes.ts';

export interface RestartDrillOptions {
  readonly server: PostgresSupabaseServer;
  /** An empty folder. */
  readonly folder: string;
  /** Restarts of the database. */
  readonly rounds: number;
  readonly seed: number;
}

export interface RestartDrillReport {
  readonly jobs: number;
  readonly effects: number;
  readonly violations: readonly string[];
}

const jobsPerRound = 4;
const patience = { timeoutMs: 120_000, intervalMs: 25 };

export async function restartDrill({ server, folder, rounds, seed }: RestartDrillOptions): Promise<RestartDrillReport> {
  const random = seededRandom(seed);
  const pointsFolder = join(folder, 'points');
  mkdirSync(pointsFolder);
  const counting = await startCountingServer();
  const jobs = Array.from({ length: rounds * jobsPerRound }, (_unused, index) =>
    buildShape(shapeNames[index % shapeNames.length] ?? 'line', `d${index}`, counting.url, random),
  );
  const operator = await operatorOf(server);
  const jobIds: string[] = [];
  for (const { workflow } of jobs) jobIds.push(await operator.submit(workflow));
  await operator.close();
  const robot = startRestartedRobot(killableRobot({ server, home: join(folder, 'home'), pointsFolder, jobs: 3 }));
  const violations: string[] = [];
  try {
    for (let round = 0; round < rounds; round += 1) {
      const goal = counting.effects.length + 3 + random.below(15);
      await eventually('the jobs go on', () => counting.effects.length >= goal, patience);
      await server.stopDatabase();
      await server.startDatabase();
    }
    for (const [index, jobId] of jobIds.entries()) {
      const running = (): Promise<readonly unknown[]> =>
        server.sql("select 1 from jobs where id = $1 and status in ('pending', 'running')", [jobId]);
      await eventually(`job ${index} ends`, async () => (await running()).length === 0, patience);
      const shape = jobs[index];
      if (shape === undefined) continue;
      const problems = [...(await endProblems(server, jobId)), ...violationsOf(shape, counting.of(shape.tag))];
      violations.push(...problems.map((problem) => `${shape.tag} ${shape.name}: ${problem}`));
    }
  } catch (error) {
    violations.push(String(error));
  } finally {
    await robot.stop();
    await counting.close();
  }
  violations.push(...robot.crashes.map((crash) => `the robot ${crash}`));
  return { jobs: jobs.length, effects: counting.effects.length, violations };
}
