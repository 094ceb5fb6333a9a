import type { Clock } from '../ports.ts';

/** Does `turn`, which must not reject, again and again, `intervalMs` apart, until the signal aborts. */
export async function repeat(
  turn: () => Promise<void>,
  options: { readonly intervalMs: number; readonly clock: Clock; readonly signal: AbortSignal },
): Promise<void> {
  const { intervalMs, clock, signal } = options;
  while (!signal.aborted) {
    await turn();
    try {
      await clock.sleep(intervalMs, signal);
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }
}
