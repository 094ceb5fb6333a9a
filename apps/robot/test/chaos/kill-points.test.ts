/** More: `pnpm chaos kill-points --count 500 --seed 1`. */
import { type SupabaseServer, startEmbeddedSupabase } from '@casare/local-supabase';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { temporaryFolder } from '../support/robot-home.ts';
import { killDrill } from './kill-drill.ts';

const rounds = Number(process.env.KILL_ROUNDS ?? 5);
const seed = Number(process.env.KILL_SEED ?? 20_260_101);

let server: SupabaseServer;

beforeAll(async () => {
  server = await startEmbeddedSupabase({});
});

afterAll(() => server?.stop());

it(`${rounds} jobs whose robot or process is killed at every named point do each effect once`, {
  timeout: 300_000 + rounds * 60_000,
}, async () => {
  const report = await killDrill({ server, folder: temporaryFolder(), rounds, seed, atOnce: 2 });
  const { violations, ...counts } = report;
  console.log(`kill points: ${rounds} jobs, seed ${seed}, ${JSON.stringify(counts)}, ${violations.length} violations`);
  expect(violations).toEqual([]);
  for (const point of ['before-intent', 'after-intent', 'after-effect', 'after-result']) {
    const struck = (report.kills[`supervisor ${point}`] ?? 0) + (report.kills[`job-process ${point}`] ?? 0);
    expect(struck).toBe(rounds);
  }
});
