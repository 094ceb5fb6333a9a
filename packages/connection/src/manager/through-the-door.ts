/** Leads an open breaker out by its own door, for one who knows that the service answers again. */
import type { CircuitBreaker } from '../breaker/circuit-breaker.ts';
import { CircuitBreakerOpenError, type ConnectionError } from '../errors.ts';

/**
 * Half-open trials until the breaker is closed.
 *
 * @returns the failure of a trial, if one failed
 */
export async function throughTheDoor(
  breaker: CircuitBreaker,
  trial: () => Promise<void>,
  signal: AbortSignal,
): Promise<ConnectionError | undefined> {
  breaker.allowTrial();
  while (breaker.getStatus().state === 'HALF_OPEN') {
    try {
      await breaker.call(trial);
    } catch (error) {
      signal.throwIfAborted();
      // Other callers hold all its places; they will settle it. The service is back all the same.
      if (error instanceof CircuitBreakerOpenError) return undefined;
      return error as ConnectionError;
    }
  }
  return undefined;
}
