/** More: `pnpm chaos kill-points --count 500 --seed 1`. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type PooledSupabase, pooledSupabase } from '../support/pooled-supabase.ts';
import { temporaryFolder } from '../support/robot-home.ts';
import { killDrill } from './kill-drill.ts';

const kills = Number(process.env.KILLS ?? 20);
const seed = Number(process.env.KILL_SEED ?? 20_260_101);

let server: PooledSupabase;

beforeAll(async () => {
  server = await pooledSupabase();
});

afterAll(() => server?.stop());

it(`jobs do each effect once through ${kills} kills of robots and job processes, at every named point and at random`, {
  timeout: 300_000 + kills * 15_000,
}, async () => {
  const report = await killDrill({ server, folder: temporaryFolder(), kills, seed, robots: 2, jobsPerRobot: 1 });
  const { violations, struckInFurtherJobs, ...counts } = report;
  const struck = Object.values(report.kills).reduce((sum, times) => sum + times, 0);
  console.log(
    `kill points: ${struck} of ${kills} kills struck (${struckInFurtherJobs} of them in further jobs), seed ${seed}, ${JSON.stringify(counts)}, ${violations.length} violations`,
  );
  expect(violations).toEqual([]);
  expect(struck).toBe(kills);
  if (kills < 10) return;
  for (const point of ['before-intent', 'after-intent', 'after-effect', 'after-result', 'at-random']) {
    for (const victim of ['supervisor', 'job-process']) expect(report.kills).toHaveProperty([`${victim} ${point}`]);
  }
});
