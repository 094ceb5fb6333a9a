/** Sleeps of any length: timers of the platform end at about 24.8 days, and fire at once beyond. */
import type { Clock } from '../ports.ts';

const LONGEST_TIMER_MS = 2_000_000_000;

export async function longSleep(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  let leftMs = delayMs;
  for (; leftMs > LONGEST_TIMER_MS; leftMs -= LONGEST_TIMER_MS) await clock.sleep(LONGEST_TIMER_MS, signal);
  await clock.sleep(leftMs, signal);
}
