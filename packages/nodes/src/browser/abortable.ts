/** Waiting for something no longer than a signal, or a time, allows. */
import type { Clock } from './ports.ts';

/** Settles as the promise does; rejects with the signal's reason as soon as it aborts. */
export function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

/** True when the promise settled, in whatever way, within that time. */
export async function settlesWithin(limitMs: number, clock: Clock, promise: Promise<unknown>): Promise<boolean> {
  const settled = new AbortController();
  const inTime = promise.then(
    () => true,
    () => true,
  );
  const tooLate = clock.sleep(limitMs, settled.signal).then(
    () => false,
    () => true,
  );
  const answer = await Promise.race([inTime, tooLate]);
  settled.abort();
  return answer;
}
