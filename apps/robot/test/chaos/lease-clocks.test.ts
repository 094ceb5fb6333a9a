/** More: `pnpm chaos lease-clocks --count 2000 --seed 1`. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../support/robot-home.ts';
import { LeaseWorld, type LeaseWorldOptions, lockTimeoutMs } from './lease-world.ts';

const rounds = Number(process.env.LEASE_CLOCK_ROUNDS ?? 8);
const seed = Number(process.env.LEASE_CLOCK_SEED ?? 20_260_101);

const hour = 3_600_000;
const minute = 60_000;

function worldWith(options: Partial<LeaseWorldOptions> = {}): Promise<LeaseWorld> {
  return LeaseWorld.begin({ folder: temporaryFolder(), onLost: 'restart', hasRival: true, ...options });
}

/** How many nodes have begun since. */
async function beginsDuring(world: LeaseWorld, act: () => Promise<void>): Promise<number> {
  const before = world.effects.length;
  await act();
  return world.effects.length - before;
}

const longestPause = (times: readonly number[]): number =>
  Math.max(...times.map((time, index) => time - (times[index - 1] ?? time)));

describe.each<[string, number]>([
  ['an hour forward', hour],
  ['an hour back', -hour],
])('a wall clock that is set %s', (_how, step) => {
  it.each(['restart', 'hold'] as const)('changes nothing for a job under %s', async (onLost) => {
    const world = await worldWith({ onLost });
    await world.run(3_500);
    world.clock.stepWall(step);
    expect(await beginsDuring(world, () => world.run(10_000))).toBe(10);
    await world.settle();
    expect(world.violations).toEqual([]);
    expect(world.rivalSince).toBeNull();
    expect(longestPause(world.renewals)).toBe(2_000);
    expect(world.effects).toHaveLength(20);
  });

  it('moves no deadline while the server is away', async () => {
    const world = await worldWith({ steps: 40 });
    await world.run(3_500);
    world.isServerUp = false;
    world.clock.stepWall(step);
    // The lease was renewed last at 2 s: no node begins from 22 s on.
    expect(await beginsDuring(world, () => world.run(minute))).toBe(18);
    await world.settle();
    expect(world.violations).toEqual([]);
    expect(world.rivalSince).toBe(2_000 + lockTimeoutMs);
  });

  it('makes a robot without a clock that counts suspends ask first, and loses it nothing', async () => {
    const world = await worldWith({ platform: 'darwin' });
    await world.run(3_500);
    world.clock.stepWall(step);
    await world.settle();
    expect(world.violations).toEqual([]);
    expect(world.rivalSince).toBeNull();
  });
});

describe('a machine that was suspended', () => {
  it('goes on where it was when the lease still stands', async () => {
    const world = await worldWith();
    await world.run(3_500);
    await world.suspend(lockTimeoutMs / 2);
    expect(await beginsDuring(world, () => world.run(5_000))).toBe(5);
    await world.settle();
    expect([world.violations, world.rivalSince]).toEqual([[], null]);
  });

  it.each(['linux', 'darwin'] as const)(
    'begins nothing after the lease is over, and gives the job up (%s)',
    async (platform) => {
      const world = await worldWith({ platform });
      await world.run(3_500);
      world.isServerUp = false;
      // What was under way when the lid was closed cannot be helped; it is the rival's that must not begin.
      await world.run(400);
      const before = world.effects.length;
      await world.suspend(hour);
      await world.run(minute);
      expect(world.effects.length).toBe(before);
      expect(world.rivalSince).not.toBeNull();
      await world.settle();
      expect(world.effects.length).toBe(before);
    },
  );

  it.each([
    ['long after the lease was over', hour],
    ['shortly before it is', lockTimeoutMs - 5_000],
  ])('between the intent of a node and the node does not begin it when it wakes %s', async (_when, ms) => {
    const world = await worldWith();
    await world.run(3_500);
    world.isServerUp = false;
    await world.suspendBehindIntent(ms);
    const before = world.effects.length;
    await world.run(4_000);
    expect(world.effects.length).toBe(before);
    await world.settle();
    expect(world.violations).toEqual([]);
  });

  it('goes on when nobody took the job meanwhile, once the server has said so', async () => {
    const world = await worldWith({ hasRival: false });
    await world.run(3_500);
    world.isServerUp = false;
    await world.suspend(hour);
    expect(await beginsDuring(world, () => world.run(minute))).toBe(0);
    await world.settle();
    expect(world.violations).toEqual([]);
  });

  it('goes on at once under hold, with the server away', async () => {
    const world = await worldWith({ onLost: 'hold' });
    await world.run(3_500);
    world.isServerUp = false;
    await world.suspend(hour);
    expect(await beginsDuring(world, () => world.run(5_000))).toBe(5);
    await world.settle();
    expect(world.violations).toEqual([]);
  });
});

describe('a robot that is killed and started again with the server away', () => {
  it('goes on under restart while the lease it noted stands, and stops before its end', async () => {
    const world = await worldWith();
    await world.run(10_500);
    world.isServerUp = false;
    await world.restartRobot();
    expect(await beginsDuring(world, () => world.run(3_000))).toBeGreaterThanOrEqual(3);
    await world.run(minute);
    await world.settle();
    expect(world.violations).toEqual([]);
  });

  it('asks the server first under restart where it cannot tell how long it was away', async () => {
    const world = await worldWith({ platform: 'darwin' });
    world.isServerUp = false;
    await world.run(500);
    await world.suspend(minute);
    const act = async (): Promise<void> => {
      await world.restartRobot();
      await world.run(1_000);
    };
    expect(await beginsDuring(world, act)).toBe(0);
    await world.settle();
    expect(world.violations).toEqual([]);
  });

  it('after a reboot waits for the server under restart, and goes on at once under hold', async () => {
    for (const [onLost, begins] of [
      ['restart', 0],
      ['hold', 5],
    ] as const) {
      const world = await worldWith({ onLost, hasRival: false });
      await world.run(3_500);
      world.isServerUp = false;
      const act = async (): Promise<void> => {
        await world.reboot(5_000);
        await world.run(4_500);
      };
      expect(await beginsDuring(world, act)).toBe(begins);
      await world.settle();
      expect(world.violations).toEqual([]);
    }
  });

  it('after a reboot gives up what another robot has begun anew', async () => {
    const world = await worldWith();
    await world.run(3_500);
    await world.reboot(hour);
    const before = world.effects.length;
    await world.settle();
    expect([world.violations, world.effects.length]).toEqual([[], before]);
    expect(world.rivalSince).not.toBeNull();
  });
});

type Act =
  | { readonly kind: 'run' | 'suspend' | 'reboot'; readonly ms: number }
  | { readonly kind: 'wall'; readonly ms: number }
  | { readonly kind: 'server'; readonly isUp: boolean }
  | { readonly kind: 'restart' };

const someTime = fc.oneof(fc.integer({ min: 0, max: 5_000 }), fc.integer({ min: 0, max: 2 * lockTimeoutMs }));
const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 5, arbitrary: someTime.map((ms) => ({ kind: 'run' as const, ms })) },
  { weight: 2, arbitrary: someTime.map((ms) => ({ kind: 'suspend' as const, ms })) },
  { weight: 1, arbitrary: someTime.map((ms) => ({ kind: 'reboot' as const, ms })) },
  { weight: 2, arbitrary: fc.integer({ min: -hour, max: hour }).map((ms) => ({ kind: 'wall' as const, ms })) },
  { weight: 3, arbitrary: fc.boolean().map((isUp) => ({ kind: 'server' as const, isUp })) },
  { weight: 1, arbitrary: fc.constant({ kind: 'restart' as const }) },
);

async function violationsOf(acts: readonly Act[], options: Partial<LeaseWorldOptions>): Promise<readonly string[]> {
  const world = await worldWith(options);
  for (const each of acts) {
    switch (each.kind) {
      case 'run':
        await world.run(each.ms);
        break;
      case 'suspend':
        await world.suspend(each.ms);
        break;
      case 'reboot':
        await world.reboot(each.ms);
        break;
      case 'wall':
        world.clock.stepWall(each.ms);
        break;
      case 'server':
        world.isServerUp = each.isUp;
        break;
      case 'restart':
        await world.restartRobot();
        break;
    }
  }
  await world.settle();
  return world.violations;
}

it(`whatever happens to clocks, machine, robot and server, nobody acts past a deadline and no step is lost (${rounds} histories)`, {
  timeout: 60_000 + rounds * 2_000,
}, async () => {
  const history = fc.record({
    acts: fc.array(act, { minLength: 1, maxLength: 12 }),
    onLost: fc.constantFrom('restart' as const, 'hold' as const),
    hasRival: fc.boolean(),
    stepMs: fc.constantFrom(1_000, 700),
    platform: fc.constantFrom('linux' as const, 'darwin' as const),
  });
  await fc.assert(
    fc.asyncProperty(history, async ({ acts, ...options }) => {
      expect(await violationsOf(acts, options)).toEqual([]);
    }),
    { numRuns: rounds, seed, endOnFailure: true },
  );
  console.log(`lease clocks: ${rounds} histories, seed ${seed}, no violation`);
});

describe('a robot that is wrong about time or its deadline is noticed', () => {
  it('begins-without-a-last-look', async () => {
    const world = await worldWith({ defect: 'begins-without-a-last-look' });
    await world.run(3_500);
    await world.suspendBehindIntent(hour);
    await world.settle();
    expect(world.violations.join('\n')).toMatch(/begins .* after the deadline/);
  });

  const away: Act = { kind: 'server', isUp: false };
  it.each<[NonNullable<LeaseWorldOptions['defect']>, readonly Act[]]>([
    [
      'clock-stands-in-suspend',
      [{ kind: 'run', ms: 1_500 }, away, { kind: 'suspend', ms: 28_000 }, { kind: 'run', ms: 5_000 }],
    ],
    ['clock-is-the-wall', [{ kind: 'run', ms: 1_500 }, away, { kind: 'wall', ms: -hour }, { kind: 'run', ms: minute }]],
    [
      'boot-is-never-new',
      [{ kind: 'run', ms: 1_500 }, away, { kind: 'reboot', ms: hour }, { kind: 'run', ms: minute }],
    ],
    [
      'begins-without-asking',
      // The node that was under way ends after the wake-up, and before the deadlines are looked at again.
      [{ kind: 'run', ms: 1_200 }, away, { kind: 'suspend', ms: 28_000 }, { kind: 'run', ms: 5_000 }],
    ],
    ['deadline-is-ignored', [{ kind: 'run', ms: 1_500 }, away, { kind: 'run', ms: minute }]],
  ])('%s', async (defect, acts) => {
    const stepMs = defect === 'begins-without-asking' ? 700 : 1_000;
    expect((await violationsOf(acts, { defect, steps: 40, stepMs })).join('\n')).toMatch(
      /begins .* after the deadline|begins the job/,
    );
  });
});
