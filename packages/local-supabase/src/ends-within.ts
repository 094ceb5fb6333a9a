import type { Clock } from './ports.ts';

/** Whether `promise` settles within `delayMs`. */
export async function endsWithin(promise: Promise<unknown>, delayMs: number, clock: Clock): Promise<boolean> {
  const settled = new AbortController();
  const timeUp = clock.sleep(delayMs, settled.signal).then(
    () => false,
    () => true,
  );
  const ended = promise.then(
    () => true,
    () => true,
  );
  const answer = await Promise.race([ended, timeUp]);
  settled.abort();
  return answer;
}
