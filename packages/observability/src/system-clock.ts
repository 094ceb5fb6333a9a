/** The real clock. Its sleeps do not keep the process alive: what waits here only watches. */
import type { Clock } from './ports.ts';

export const systemClock: Clock = {
  now: () => Date.now(),
  // Counts from the start of the machine where the platform allows, so that stamps of two processes compare.
  monotonic: () => Number(process.hrtime.bigint()) / 1e6,
  sleep: (delayMs, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted === true) {
        reject(signal.reason);
        return;
      }
      const onAbort = (): void => {
        clearTimeout(timer);
        reject(signal?.reason);
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      }, delayMs);
      timer.unref();
      signal?.addEventListener('abort', onAbort, { once: true });
    }),
};
