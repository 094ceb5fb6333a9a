/** The connection to Supabase as the robot's settings describe it. */
import { type RobotConfig, requireConnection } from '@casare/config';
import { ConnectionManager } from '@casare/connection';
import type { Logger } from '@casare/execution';

export interface ConnectionEvents {
  readonly logger?: Logger;
  readonly onConnected?: () => void;
  readonly onDisconnected?: () => void;
}

/** @throws ConfigError when URL or key is missing */
export function openConnection(config: RobotConfig, events: ConnectionEvents = {}): ConnectionManager {
  const { url, key } = requireConnection(config);
  const { initialDelayMs, maxDelayMs, backoffMultiplier, connectionTimeoutMs, maxReconnectAttempts } =
    config.connection;
  return new ConnectionManager({
    url,
    key,
    config: { initialDelayMs, maxDelayMs, backoffMultiplier, connectionTimeoutMs, maxReconnectAttempts },
    breaker: { ...config.circuitBreaker },
    ...events,
  });
}
