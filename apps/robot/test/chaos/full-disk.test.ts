/** Only `pnpm chaos full-disk`: it takes a file system of its own, and minutes. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type PooledSupabase, pooledSupabase } from '../support/pooled-supabase.ts';
import { temporaryFolder } from '../support/robot-home.ts';
import { fullDiskDrill, whyNoOwnDisk } from './full-disk-drill.ts';

const rounds = Number(process.env.FULL_DISK_ROUNDS ?? 0);
/** Said in the robot's README. */
const notReadyWithinMs = 10_000;

describe.runIf(rounds > 0)('a disk that is full', () => {
  const whyNot = rounds > 0 ? whyNoOwnDisk() : null;
  let server: PooledSupabase;
  beforeAll(async () => {
    if (whyNot === null) server = await pooledSupabase();
    else console.log(`full disks: skipped, ${whyNot}`);
  });
  afterAll(() => server?.stop());

  it.skipIf(whyNot !== null)(
    `stops no robot, and its jobs go on once there is room, ${rounds} times`,
    {
      timeout: 120_000 + rounds * 600_000,
    },
    async () => {
      const report = await fullDiskDrill({ server, folder: temporaryFolder(), rounds });
      const { violations, ...figures } = report;
      console.log(`full disks: ${rounds}, ${JSON.stringify(figures)}, ${violations.length} violations`);
      expect(violations).toEqual([]);
      expect(report.readyAfterMs).toHaveLength(rounds);
      for (const ms of report.notReadyAfterMs) expect(ms).toBeLessThanOrEqual(notReadyWithinMs);
    },
  );
});
