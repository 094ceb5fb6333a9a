/** Listeners that cannot alter what they listen to: whatever they throw or reject with is logged, and that is all. */
import type { Logger } from './ports.ts';

/** Calls `listener`, keeping its failures, synchronous or later, away from the caller. */
export function notify<E>(listener: ((event: E) => unknown) | undefined, event: E, what: string, logger: Logger): void {
  const report = (error: unknown): void => {
    const reason = error instanceof Error ? error.message : String(error);
    logger.log('error', `the ${what} listener failed: ${reason}`);
  };
  try {
    const outcome = listener?.(event);
    if (outcome instanceof Promise) outcome.catch(report);
  } catch (error) {
    report(error);
  }
}
