export { type EventuallyOptions, eventually } from './eventually.ts';
export { ManualClock, type ManualClockOptions } from './manual-clock.ts';
