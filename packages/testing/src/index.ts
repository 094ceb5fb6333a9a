export { type EventuallyOptions, eventually } from './eventually.ts';
export { armKill, dieIfDue, type KillPoint, killsLeft, type Victim } from './kill-points.ts';
export { ManualClock, type ManualClockOptions } from './manual-clock.ts';
export { type SeededRandom, seededRandom } from './seeded-random.ts';
