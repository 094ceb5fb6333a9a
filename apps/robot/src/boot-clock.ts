/**
 * Ms on a clock that counts the time the machine was suspended, for leases (I2). Linux has one since boot.
 * Elsewhere the larger of monotonic and wall-clock time passes: after a suspend the wall clock is ahead,
 * so that a lease counts as over until the server says otherwise; a clock set back changes nothing.
 */
import { uptime } from 'node:os';

export function createBootClock(platform: NodeJS.Platform = process.platform): () => number {
  if (platform === 'linux') return () => uptime() * 1_000;
  const wallStart = Date.now();
  const start = performance.now();
  let latest = 0;
  return () => {
    latest = Math.max(latest, performance.now() - start, Date.now() - wallStart);
    return uptimeAtStart + latest;
  };
}

const uptimeAtStart = uptime() * 1_000;
