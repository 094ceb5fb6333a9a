/** What this package needs from outside, as small structural interfaces. */

/** Time as the package sees it; inject a manual one in tests. */
export interface Clock {
  /** Wall-clock time in ms since the epoch: for stamps, never for durations. */
  now(): number;
  /** Ms since an arbitrary origin that never steps back: for durations and deadlines. */
  monotonic(): number;
  /** Resolves after `delayMs`; rejects with `signal.reason` as soon as the signal aborts. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>;
}

export type LogLevel = 'debug' | 'info' | 'warning' | 'error' | 'critical';

/** Anything that takes log lines; what `createLogger` returns is one. */
export interface Logger {
  log(level: LogLevel, message: string, fields?: Readonly<Record<string, unknown>>): void;
}
