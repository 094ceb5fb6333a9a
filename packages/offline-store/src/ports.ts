/** What this package needs from outside, as small structural interfaces. */
import type { JsonObject } from './json.ts';

/** Time as the store sees it; inject a manual one in tests. */
export interface Clock {
  /** Wall-clock time in ms since the epoch: for stamps, never for durations. */
  now(): number;
  /** Ms since an arbitrary origin that never steps back. */
  monotonic(): number;
  /** Resolves after `delayMs`; rejects with `signal.reason` as soon as the signal aborts. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>;
}

export type LogLevel = 'debug' | 'info' | 'warning' | 'error' | 'critical';

export interface Logger {
  log(level: LogLevel, message: string, fields?: JsonObject): void;
}
