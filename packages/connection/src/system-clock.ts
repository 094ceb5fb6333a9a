/** The machine's own time, chance and warnings: the defaults, and the only place that touches them. */
import type { Clock, Logger, Random } from './ports.ts';

/** `setTimeout` fires at once for anything longer. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  async sleep(delayMs, signal) {
    let leftMs = Math.max(0, delayMs);
    do {
      const sliceMs = Math.min(leftMs, LONGEST_TIMER_MS);
      await sleepOnce(sliceMs, signal);
      leftMs -= sliceMs;
    } while (leftMs > 0);
  },
};

export const systemRandom: Random = () => Math.random();

/** Used where no logger is given: says nothing but errors, as process warnings. */
export const warningLogger: Logger = {
  log(level, message) {
    if (level === 'error' || level === 'critical') process.emitWarning(message, { type: 'CasareConnectionWarning' });
  },
};

function sleepOnce(delayMs: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
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
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}
