/** A loop that does one thing again and again until it is stopped; a failing turn is told and not the end. */
import type { Clock } from '@casare/execution';

export interface Periodic {
  /** Cuts the current wait short. Several kicks during a turn lead to one more turn. */
  kick(): void;
  /** Ends the loop; resolves when its last turn is over. */
  stop(): Promise<void>;
}

export interface PeriodicOptions {
  readonly name: string;
  /** Asked anew before each wait. */
  readonly intervalMs: number | (() => number);
  readonly clock: Clock;
  readonly turn: (signal: AbortSignal) => Promise<void>;
  readonly onError: (name: string, error: unknown) => void;
}

export function startPeriodic(options: PeriodicOptions): Periodic {
  const { clock, name, intervalMs, turn, onError } = options;
  const stopped = new AbortController();
  let kicked = false;
  let waiting: AbortController | null = null;
  const done = (async (): Promise<void> => {
    while (!stopped.signal.aborted) {
      kicked = false;
      try {
        await turn(stopped.signal);
      } catch (error) {
        if (!stopped.signal.aborted) onError(name, error);
      }
      if (stopped.signal.aborted) return;
      if (kicked) continue;
      waiting = new AbortController();
      try {
        await clock.sleep(typeof intervalMs === 'number' ? intervalMs : intervalMs(), waiting.signal);
      } catch (error) {
        if (!waiting.signal.aborted) throw error;
      } finally {
        waiting = null;
      }
    }
  })();
  return {
    kick: () => {
      kicked = true;
      waiting?.abort();
    },
    stop: async () => {
      stopped.abort();
      waiting?.abort();
      await done;
    },
  };
}
