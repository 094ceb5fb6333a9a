/** Listeners that cannot alter what they listen to: whatever they throw or reject with is logged, and that is all. */
import type { Logger } from './ports.ts';
import { messageOf, readField } from './safe-read.ts';

/** Calls `listener`, keeping its failures, synchronous or later, away from the caller. */
export function notify<E>(
  listener: ((event: E) => unknown) | undefined,
  event: E,
  what: string,
  logger: Logger,
  onFault: () => void = () => undefined,
): void {
  if (listener === undefined) return;
  const report = (error: unknown): void => {
    onFault();
    logSafely(logger, `the ${what} listener failed: ${messageOf(error)}`);
  };
  try {
    const outcome = listener(event);
    if (typeof readField(outcome, 'then') === 'function') Promise.resolve(outcome).then(undefined, report);
  } catch (error) {
    report(error);
  }
}

/** The same logger, but one whose faults stay its own: whatever it throws, the work goes on. */
export function harmless(logger: Logger): Logger {
  return {
    log(level, message, fields) {
      try {
        logger.log(level, message, fields);
      } catch {
        // A logger that throws has nobody left to tell.
      }
    },
  };
}

/** Says that something is wrong, and leaves it at that if even the logger fails. */
export function logSafely(logger: Logger, message: string): void {
  harmless(logger).log('error', message);
}
