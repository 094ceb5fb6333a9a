/** Waits for a condition instead of a time. */

export interface EventuallyOptions {
  /** Give up after this many ms of real time. Default 10,000. */
  readonly timeoutMs?: number;
  /** Ms between two looks. Default 20. */
  readonly intervalMs?: number;
}

/**
 * Resolves with the first truthy value of `probe`; rejects with its last error, or a time-out, otherwise.
 *
 * @param what names the condition in the time-out's message
 */
export async function eventually<T>(
  what: string,
  probe: () => T | Promise<T>,
  options: EventuallyOptions = {},
): Promise<NonNullable<T>> {
  const timeoutMs = options.timeoutMs ?? 10_000;
  const deadline = performance.now() + timeoutMs;
  let lastError: unknown;
  for (;;) {
    try {
      const value = await probe();
      if (value) return value as NonNullable<T>;
      lastError = undefined;
    } catch (error) {
      lastError = error;
    }
    if (performance.now() >= deadline) {
      throw new Error(`not within ${timeoutMs} ms: ${what}`, { cause: lastError });
    }
    await new Promise((resolve) => setTimeout(resolve, options.intervalMs ?? 20));
  }
}
