/** Waits for a condition instead of a time. */

export interface EventuallyOptions {
  /** Give up after this many ms of real time. Default 30,000. */
  readonly timeoutMs?: number;
  /**
   * Ms between two looks. Default: 20; with a `probe` that answers later, 100 after a second, since a look at a database
   * takes its CPU from the robot.
   */
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
  const timeoutMs = options.timeoutMs ?? 30_000;
  const begun = performance.now();
  const deadline = begun + timeoutMs;
  let lastError: unknown;
  let answersLater = false;
  for (;;) {
    try {
      const answer = probe();
      answersLater ||= answer instanceof Promise;
      const value = await answer;
      if (value) return value as NonNullable<T>;
      lastError = undefined;
    } catch (error) {
      lastError = error;
    }
    if (performance.now() >= deadline) {
      throw new Error(`not within ${timeoutMs} ms: ${what}`, { cause: lastError });
    }
    const usualMs = answersLater ? Math.min(20 + (performance.now() - begun) / 12, 100) : 20;
    const intervalMs = options.intervalMs ?? usualMs;
    await new Promise((resolve) => setTimeout(resolve, intervalMs));
  }
}
