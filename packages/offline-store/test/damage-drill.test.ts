/** More rounds: `DAMAGE_ROUNDS=5000 DAMAGE_SEED=1 vitest run test/damage-drill.test.ts`. */
import { expect, it } from 'vitest';
import { damageDrill } from './drills/damage-drill.ts';
import { temporaryFolder } from './support/temporary-folder.ts';

const rounds = Number(process.env.DAMAGE_ROUNDS ?? 200);
const seed = Number(process.env.DAMAGE_SEED ?? 20_260_101);

it(`${rounds} stores that were damaged at random places open, and hand out nothing wrong`, {
  timeout: 60_000 + rounds * 2_000,
}, async () => {
  const report = await damageDrill({ folder: temporaryFolder(), seed, rounds });
  const { violations, ...counts } = report;
  console.log(`damage: seed ${seed}, ${JSON.stringify(counts)}, ${violations.length} violations`);
  expect(violations).toEqual([]);
  expect(report.setAside).toBeGreaterThan(rounds / 50);
  expect(report.reported).toBeGreaterThan(rounds / 10);
});
