/** The settings of wake-ups with their defaults. Durations in ms. */
import { requireOptions } from '../argument-error.ts';
import { requireAtLeast, withDefaults } from '../require-at-least.ts';
import { type BackoffConfig, checkBackoff } from '../retry/backoff.ts';

export interface WakeUpConfig extends BackoffConfig {
  /** Deadline of connecting, and of joining. Default 10,000. */
  readonly connectTimeoutMs: number;
  /** Deadline for whoever provides the token. Default 10,000. */
  readonly tokenTimeoutMs: number;
  /** Between two heartbeats. With the next one it bounds how late a dead socket is noticed. Default 5,000. */
  readonly heartbeatIntervalMs: number;
  /** Deadline of a heartbeat's answer. Default 5,000. */
  readonly heartbeatTimeoutMs: number;
  /** Between two round trips through the database that prove that push works. Default 60,000. */
  readonly echoIntervalMs: number;
  /** Deadline of one such round trip. Default 5,000. */
  readonly echoTimeoutMs: number;
  /** How often to try again what was refused. Default 60,000. */
  readonly refusedRetryMs: number;
  /** Only a link that was alive for so long makes the backoff begin anew. Default 30,000. */
  readonly stableAfterMs: number;
  /** A longer frame ends the link. Default 256 KiB. */
  readonly maxFrameBytes: number;
}

/** Backoff between links: 1 s, doubled up to 30 s, with full jitter. */
export const DEFAULT_WAKE_UP_CONFIG: WakeUpConfig = {
  initialDelayMs: 1_000,
  maxDelayMs: 30_000,
  backoffMultiplier: 2,
  jitter: true,
  connectTimeoutMs: 10_000,
  tokenTimeoutMs: 10_000,
  heartbeatIntervalMs: 5_000,
  heartbeatTimeoutMs: 5_000,
  echoIntervalMs: 60_000,
  echoTimeoutMs: 5_000,
  refusedRetryMs: 60_000,
  stableAfterMs: 30_000,
  maxFrameBytes: 256 * 1024,
};

/** @throws ArgumentError naming the first setting that is out of range */
export function wakeUpConfig(given: Partial<WakeUpConfig> = {}): WakeUpConfig {
  requireOptions('config', given, new Set(Object.keys(DEFAULT_WAKE_UP_CONFIG)));
  const config = withDefaults(DEFAULT_WAKE_UP_CONFIG, given);
  checkBackoff(config);
  const { jitter: _jitter, stableAfterMs, initialDelayMs: _initialDelayMs, ...positive } = config;
  requireAtLeast(0, { stableAfterMs });
  requireAtLeast(1, positive);
  return config;
}
