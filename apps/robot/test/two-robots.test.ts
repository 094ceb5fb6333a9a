import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startPostgresSupabase } from '@casare/local-supabase/postgres';
import { eventually } from '@casare/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { RobotAgent, RobotConfig } from '../src/index.ts';
import { operatorOf } from './support/operator.ts';
import { temporaryFolder } from './support/robot-home.ts';
import { appendLine, chain } from './support/workflows.ts';

const jobCount = 200;

/** PostgREST's binary is published for this platform only. */
const hasPostgrest = process.platform === 'linux' && process.arch === 'x64';

describe.runIf(hasPostgrest)('two robots on one Postgres with PostgREST', () => {
  it(`run each of ${jobCount} jobs once`, { timeout: 120_000 }, async () => {
    const server = await startPostgresSupabase({});
    onTestFinished(() => server.stop());
    const operator = await operatorOf(server);
    onTestFinished(() => operator.close());
    const sharedFolder = temporaryFolder();
    const shared = join(sharedFolder, 'ran.txt');
    const jobs: string[] = [];
    for (let n = 0; n < jobCount; n += 1) {
      jobs.push(await operator.submit(chain(`job-${n}`, [appendLine('note', shared, `job-${n}`)])));
    }
    const robots = ['one', 'two'].map(
      (name) =>
        new RobotAgent(
          new RobotConfig({
            robot: { home: temporaryFolder(), name },
            connection: { url: server.url, key: server.serviceKey },
            jobExecution: { maxConcurrentJobs: 5, pollIntervalMs: 50 },
            permissions: { allowPaths: [sharedFolder] },
            observability: { logLevel: 'critical', resourceMonitoringEnabled: false },
          }),
        ),
    );
    await Promise.all(robots.map((robot) => robot.start()));
    onTestFinished(async () => {
      await Promise.all(robots.map((robot) => robot.stop({ mode: 'suspend' })));
    });
    await eventually(
      'all jobs are completed',
      async () => {
        const [row] = await server.sql<{ n: number }>("select count(*)::int as n from jobs where status = 'completed'");
        return row?.n === jobCount;
      },
      { timeoutMs: 90_000, intervalMs: 200 },
    );
    const lines = (await readFile(shared, 'utf8')).trim().split('\n');
    expect(lines.toSorted()).toEqual(jobs.map((_id, n) => `job-${n}`).toSorted());
    const attempts = await server.sql<{ robots: number; attempts: number }>(
      'select count(distinct robot_id)::int as robots, count(*)::int as attempts from job_attempts',
    );
    expect(attempts).toEqual([{ robots: 2, attempts: jobCount }]);
    const superseded = await server.sql('select 1 from job_history where superseded');
    expect(superseded).toEqual([]);
  });
});
