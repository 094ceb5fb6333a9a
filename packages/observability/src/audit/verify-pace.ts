/** How much of its time a look at the log takes, so that it can go on beside other work. */
import type { Clock } from '../ports.ts';

export interface VerifyPace {
  /** Part of one core that it may take on average, above 0 and at most 1. */
  readonly share: number;
  readonly clock: Pick<Clock, 'monotonic' | 'sleep'>;
}

/** Waits so long that the time that was busy is its share of both; no longer than the signal lets it. */
export async function rest({ share, clock }: VerifyPace, busyMs: number, signal?: AbortSignal): Promise<void> {
  await clock.sleep(busyMs * (1 / share - 1), signal).catch(() => undefined);
}
