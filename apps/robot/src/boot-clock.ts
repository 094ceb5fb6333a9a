/**
 * Ms on a clock that counts the time the machine was suspended, for leases (I2). Linux has one since boot. Elsewhere
 * what the system calls its uptime may count it or not, so that time passes as fast as the fastest of monotonic time,
 * uptime, and jumps of the wall clock: a lease counts as over until the server says otherwise. A wall clock that was set
 * back may hide a suspend of any length, and counts as the longest.
 */
import { randomUUID } from 'node:crypto';
import { uptime } from 'node:os';

/** What the machine says about time, in ms. */
export interface MachineTime {
  /** Since boot, with the time of suspends where the platform counts it. */
  uptimeMs(): number;
  /** Since the epoch; can be set. */
  wallMs(): number;
  /** Never steps; may stand while the machine is suspended. */
  monotonicMs(): number;
}

const machineTime: MachineTime = {
  uptimeMs: () => uptime() * 1_000,
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
};

export function createBootClock(
  platform: NodeJS.Platform = process.platform,
  time: MachineTime = machineTime,
): () => number {
  if (platform === 'linux') return () => time.uptimeMs();
  const uptimeAtStart = time.uptimeMs();
  let passed = 0;
  let monotonic = time.monotonicMs();
  let wall = time.wallMs();
  return () => {
    const step = { monotonic: time.monotonicMs() - monotonic, wall: time.wallMs() - wall };
    monotonic += step.monotonic;
    wall += step.wall;
    passed += passedIn(step);
    return uptimeAtStart + Math.max(passed, time.uptimeMs() - uptimeAtStart);
  };
}

/**
 * Within what readings of the boot clock may be compared: on Linux one boot of the machine. Elsewhere one life of the
 * process: what went by between two of them cannot be told, since uptime may stand while the machine is suspended.
 */
export function bootClockEra(bootId: string, platform: NodeJS.Platform = process.platform): string {
  return platform === 'linux' ? bootId : `${bootId} ${randomUUID()}`;
}

/** What two clocks that are read one after the other, in ms, may differ by without one of them having been set. */
const readingErrorMs = 500;
/** Longer than any lease. */
const longestSuspendMs = 7 * 86_400_000;

/** How long it may have been between two looks at the clocks. */
function passedIn({ monotonic, wall }: { readonly monotonic: number; readonly wall: number }): number {
  if (wall > monotonic + readingErrorMs) return wall;
  return wall < monotonic - readingErrorMs ? longestSuspendMs : monotonic;
}
