/**
 * Whether a connection that stands still stands: looks once more after a failed call, and now and then while nobody
 * calls. Decides nothing; the supervisor does.
 */
import { ConnectionError } from '../errors.ts';
import type { Clock } from '../ports.ts';
import type { ConnectionConfig } from './connection-config.ts';

export interface LivenessOptions {
  readonly clock: Clock;
  readonly config: Pick<ConnectionConfig, 'healthProbeIntervalMs' | 'initialDelayMs' | 'idleProbeIntervalMs'>;
}

/** One cheap request; rejects with a ConnectionError. */
type Look = () => Promise<void>;

export class Liveness {
  readonly #options: LivenessOptions;
  #isLooking = false;
  #nextLookAt = 0;
  /** Monotonic. */
  #lastSignAt = 0;

  constructor(options: LivenessOptions) {
    this.#options = options;
  }

  get isLooking(): boolean {
    return this.#isLooking;
  }

  /** The service proved that it is there. */
  sign(): void {
    this.#lastSignAt = this.#options.clock.monotonic();
  }

  /** Looks once, not more often than about every second; resolves with what that failed with. */
  async lookAgain(look: Look, signal: AbortSignal): Promise<ConnectionError | undefined> {
    const { clock, config } = this.#options;
    this.#isLooking = true;
    try {
      await clock.sleep(Math.max(0, this.#nextLookAt - clock.monotonic()), signal);
      this.#nextLookAt = clock.monotonic() + (config.healthProbeIntervalMs ?? config.initialDelayMs);
      await look();
      return undefined;
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof ConnectionError)) throw error;
      return error;
    } finally {
      this.#isLooking = false;
    }
  }

  /** Until the signal aborts: a look whenever there was no sign for `idleProbeIntervalMs`. */
  async watch(look: Look, onFailure: (error: ConnectionError) => void, signal: AbortSignal): Promise<void> {
    const { clock, config } = this.#options;
    const { idleProbeIntervalMs: intervalMs } = config;
    if (intervalMs === null) return;
    try {
      for (;;) {
        const idleMs = clock.monotonic() - this.#lastSignAt;
        await clock.sleep(Math.max(intervalMs - idleMs, intervalMs / 10), signal);
        if (clock.monotonic() - this.#lastSignAt < intervalMs) continue;
        await look().catch(onFailure);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }
}
