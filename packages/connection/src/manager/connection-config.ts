/** The manager's settings with their defaults. */
import { requireOptions, requireText } from '../argument-error.ts';
import { requireAtLeast, withDefaults } from '../require-at-least.ts';
import { type BackoffConfig, checkBackoff } from '../retry/backoff.ts';

export interface ConnectionConfig extends BackoffConfig {
  /** Deadline of one request, connecting, headers and body together, in ms. Default 30,000. */
  readonly connectionTimeoutMs: number;
  /** Deadline of one `execute`, all attempts and waits together, in ms. Default 60,000. */
  readonly operationTimeoutMs: number;
  /**
   * How often to look whether the service is back while disconnected, in ms; null: only by backoff. A fleet that is known
   * to be small looks every 20 ms times its size, but not more often than every 350 ms. Default 1,000.
   */
  readonly healthProbeIntervalMs: number | null;
  /** Deadline of one such look, in ms. Default 5,000. */
  readonly healthProbeTimeoutMs: number;
  /** How long an idle connection may be silent before it is looked at, in ms; null: it is not. Default 30,000. */
  readonly idleProbeIntervalMs: number | null;
  /** Deadline of one sign-in or refresh of a token, in ms. Default 10,000. */
  readonly authTimeoutMs: number;
  /** How often to try again while the credentials are refused, in ms. Default 30,000. */
  readonly authRetryIntervalMs: number;
  /**
   * After an outage of more than 10 s, the clients that noticed its end come back spread over 0.4 times what it lasted
   * beyond that, but over no more than this, in ms, nor than 20 ms for each client of a fleet whose size is known;
   * 0: all at once. Default 20,000, reached by an outage of a minute.
   */
  readonly maxReconnectSpreadMs: number;
  /** Attempts after which the manager gives up (`FAILED`); null: never. Default null. */
  readonly maxReconnectAttempts: number | null;
  /** Calls that may wait for the connection at a time; more fail at once. Default 1,000. */
  readonly maxWaitingCalls: number;
  /** Longest answer that is read, in bytes. Default 64 MiB. */
  readonly maxResponseBytes: number;
  /** The exposed database schema. Default `public`. */
  readonly schema: string;
}

/** Backoff: 1 s, doubled up to 5 minutes, with full jitter. */
export const DEFAULT_CONNECTION_CONFIG: ConnectionConfig = {
  initialDelayMs: 1_000,
  maxDelayMs: 300_000,
  backoffMultiplier: 2,
  jitter: true,
  connectionTimeoutMs: 30_000,
  operationTimeoutMs: 60_000,
  healthProbeIntervalMs: 1_000,
  healthProbeTimeoutMs: 5_000,
  idleProbeIntervalMs: 30_000,
  authTimeoutMs: 10_000,
  authRetryIntervalMs: 30_000,
  maxReconnectSpreadMs: 20_000,
  maxReconnectAttempts: null,
  maxWaitingCalls: 1_000,
  maxResponseBytes: 64 * 1024 * 1024,
  schema: 'public',
};

/** @throws ArgumentError naming the first setting that is out of range */
export function connectionConfig(given: Partial<ConnectionConfig> = {}): ConnectionConfig {
  requireOptions('config', given, new Set(Object.keys(DEFAULT_CONNECTION_CONFIG)));
  const config = withDefaults(DEFAULT_CONNECTION_CONFIG, given);
  requireText('schema', config.schema);
  checkBackoff(config);
  const { connectionTimeoutMs, operationTimeoutMs, healthProbeTimeoutMs, authTimeoutMs, maxResponseBytes } = config;
  requireAtLeast(1, { connectionTimeoutMs, operationTimeoutMs, healthProbeTimeoutMs, authTimeoutMs, maxResponseBytes });
  const { healthProbeIntervalMs, idleProbeIntervalMs, authRetryIntervalMs } = config;
  requireAtLeast(10, {
    healthProbeIntervalMs: healthProbeIntervalMs ?? 10,
    idleProbeIntervalMs: idleProbeIntervalMs ?? 10,
    authRetryIntervalMs,
  });
  requireAtLeast(1, { maxReconnectAttempts: config.maxReconnectAttempts ?? 1 }, { whole: true });
  requireAtLeast(0, { maxReconnectSpreadMs: config.maxReconnectSpreadMs });
  requireAtLeast(0, { maxWaitingCalls: config.maxWaitingCalls }, { whole: true });
  return config;
}
