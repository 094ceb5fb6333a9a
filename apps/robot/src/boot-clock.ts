/**
 * Ms on a clock that counts the time the machine was suspended, for leases (I2). Linux has one since boot.
 * Elsewhere the larger of monotonic and wall-clock time passes: after a suspend the wall clock is ahead,
 * so that a lease counts as over until the server says otherwise; a clock set back changes nothing.
 */
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
  const wallAtStart = time.wallMs();
  const start = time.monotonicMs();
  let latest = 0;
  return () => {
    latest = Math.max(latest, time.monotonicMs() - start, time.wallMs() - wallAtStart);
    return uptimeAtStart + latest;
  };
}
