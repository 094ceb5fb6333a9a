/** More: `pnpm chaos outages --count 50 --seed 1`, and so on with `database-restarts` and `full-store`. */
import { type PostgresSupabaseServer, startPostgresSupabase } from '@casare/local-supabase/postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../support/robot-home.ts';
import { fullStoreDrill } from './full-store-drill.ts';
import { outageDrill } from './outage-drill.ts';
import { restartDrill } from './restart-drill.ts';

const hasRealPostgres = process.platform === 'linux' && process.arch === 'x64';
const { OUTAGE_ROUNDS, RESTART_ROUNDS, FULL_STORE_ROUNDS } = process.env;
const outages = Number(OUTAGE_ROUNDS ?? 3);
const restarts = Number(RESTART_ROUNDS ?? 3);
const fullStores = Number(FULL_STORE_ROUNDS ?? 3);
/** The promise: what happened during an outage is known this long after the database answers again. */
const consistentWithinMs = 2_000;
const seed = Number(process.env.LOST_DATABASE_SEED ?? 20_260_101);

describe.runIf(hasRealPostgres)('when PostgreSQL goes away under running jobs', () => {
  let server: PostgresSupabaseServer;
  beforeAll(async () => {
    server = await startPostgresSupabase();
  });
  afterAll(() => server?.stop());

  it(`no step waits for it, and all is known soon after it is back, ${outages} times`, {
    timeout: 120_000 + outages * 240_000,
  }, async () => {
    const longestSeconds = OUTAGE_ROUNDS === undefined ? 5 : 60;
    const slowMs = consistentWithinMs;
    const folder = temporaryFolder();
    const report = await outageDrill({ server, folder, rounds: outages, seed, longestSeconds, slowMs });
    const { violations, ...figures } = report;
    console.log(`outages: ${outages}, seed ${seed}, ${JSON.stringify(figures)}, ${violations.length} violations`);
    expect(violations).toEqual([]);
    expect(report.consistentAfterMs).toHaveLength(outages);
    // A time is asserted only where the drill is run for itself: beside other tests it says more of the machine than of the robot.
    if (OUTAGE_ROUNDS !== undefined)
      expect(report.consistentAfterMs.filter((ms) => ms > consistentWithinMs)).toEqual([]);
    // The first look that finds the database back is enough, with an attempt that comes at the same moment, and the
    // breaker's trial calls.
    for (const looks of report.looksAtReturn) expect(looks).toBeLessThanOrEqual(4);
    expect(report.restarts).toBe(Math.floor(outages / 2));
  });

  it(`each job completes once, through ${restarts} restarts of it`, {
    timeout: 120_000 + restarts * 60_000,
  }, async () => {
    const report = await restartDrill({ server, folder: temporaryFolder(), rounds: restarts, seed });
    const { violations, ...figures } = report;
    console.log(`restarts: ${restarts}, seed ${seed}, ${JSON.stringify(figures)}, ${violations.length} violations`);
    expect(violations).toEqual([]);
  });

  it(`a store that is full meanwhile saves the ends of jobs, and goes on once there is room, ${fullStores} times`, {
    timeout: 120_000 + fullStores * 120_000,
  }, async () => {
    const report = await fullStoreDrill({ server, folder: temporaryFolder(), rounds: fullStores });
    const { violations, ...figures } = report;
    console.log(`full stores: ${fullStores}, ${JSON.stringify(figures)}, ${violations.length} violations`);
    expect(violations).toEqual([]);
  });
});
