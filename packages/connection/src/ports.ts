/** What this package needs from outside, as small structural interfaces; any object of the shape will do. */

/** Time as the package sees it; inject a manual one in tests. */
export interface Clock {
  /** Wall-clock time in ms since the epoch: for stamps and HTTP dates, never for durations. */
  now(): number;
  /** Ms since an arbitrary origin that never steps back: for durations and deadlines. */
  monotonic(): number;
  /** Resolves after `delayMs`; rejects with `signal.reason` as soon as the signal aborts. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>;
}

/** A number in [0, 1), as `Math.random` gives it. */
export type Random = () => number;

export type LogLevel = 'debug' | 'info' | 'warning' | 'error' | 'critical';

export interface Logger {
  log(level: LogLevel, message: string, fields?: { readonly [field: string]: string | number | boolean | null }): void;
}

/** How requests leave the process: the standard `fetch`, or anything that behaves like it. */
export type Fetch = (input: string, init: RequestInit) => Promise<Response>;
