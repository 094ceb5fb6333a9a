/**
 * Repeats what failed, when repeating can help and cannot do harm.
 *
 * Promises kept here and in `retry-run.ts`:
 * R1 what may have been executed (class A) is repeated only when the caller says that it is idempotent;
 * R2 one deadline bounds all attempts and waits; no wait is begun that could not end before it;
 * R3 an abort settles the call at once, in an attempt or in a wait, and leaves no timer and no listener.
 */
import { ArgumentError, requireList } from '../argument-error.ts';
import type { RetryAttempt, RetryOptions } from './retry-config.ts';
import { RetryRun } from './retry-run.ts';

/**
 * Runs `operation` until it succeeds, its failure is not worth repeating, or attempts, time or budget are used up.
 * Rejects with the last failure as it was thrown.
 *
 * @throws ArgumentError when a setting is out of range
 * @throws ConnectionError `DEADLINE_EXCEEDED` (class A) when the deadline strikes during an attempt
 * @throws the signal's reason when it aborts
 *
 * @example
 * const answer = await retry(({ signal }) => fetch('http://127.0.0.1:54321/health', { signal }), {
 *   idempotent: true,
 *   timeoutMs: 10_000,
 * });
 */
export function retry<T>(
  operation: (attempt: RetryAttempt) => PromiseLike<T> | T,
  options: RetryOptions = {},
): Promise<T> {
  return new Promise((resolve, reject) => {
    if (typeof operation !== 'function')
      throw new ArgumentError('operation', 'a function: retry(() => ask(), { maxAttempts: 5 })', operation);
    if (typeof options !== 'object' || options === null) throw new ArgumentError('options', 'an object', options);
    if (options.signal?.aborted === true) reject(options.signal.reason);
    else new RetryRun(operation, options, resolve, reject).start();
  });
}

/**
 * `retry` for a function that knows nothing of attempts: called with `args` each time.
 *
 * @throws as `retry`
 *
 * @example
 * const order = await retryAsync(loadOrder, [42], { maxAttempts: 5, idempotent: true });
 */
export function retryAsync<A extends readonly unknown[], T>(
  operation: (...args: A) => PromiseLike<T> | T,
  args: A,
  options?: RetryOptions,
): Promise<T> {
  return retry(() => {
    if (typeof operation !== 'function') throw new ArgumentError('operation', 'a function', operation);
    requireList('args', args);
    return operation(...args);
  }, options);
}
