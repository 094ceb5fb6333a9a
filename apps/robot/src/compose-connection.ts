/** The connection to Supabase as the robot's settings describe it. */
import { type ConnectionSettings, type RobotConfig, requireConnection, type Settings } from '@casare/config';
import { type ConnectionError, ConnectionManager, type Credentials, tokenFile } from '@casare/connection';
import type { Logger } from '@casare/execution';

export interface ConnectionEvents {
  readonly logger?: Logger;
  readonly onConnected?: () => void;
  /** With the failure that ended the connection; null when the robot did. */
  readonly onDisconnected?: (error: ConnectionError | null) => void;
  readonly fleetSize?: () => number;
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * How often at least a robot that is cut off looks whether the server is back: with what follows (the breaker's door, the
 * outbox of an outage), all is told within two seconds of its return. In a fleet of up to 17 robots it looks twice as
 * often, which leaves that much more of the two seconds for the outbox.
 */
const lookIntervalMs = 700;

/** Who the robot is to the server: whatever sign-in it was given, else the key itself. */
export function credentialsOf({ email, password, jwt, jwtFile }: ConnectionSettings): Credentials {
  if (email !== null && password !== null) return { kind: 'password', email, password };
  if (jwt !== null) return { kind: 'jwt', token: jwt };
  if (jwtFile !== null) return { kind: 'jwt', token: tokenFile(jwtFile) };
  return { kind: 'key' };
}

/** What must not be shown of the settings. */
export function secretsOf({
  connection,
  observability,
}: Pick<Settings, 'connection' | 'observability'>): readonly string[] {
  const { key, password, jwt } = connection;
  return [key, password, jwt, observability.statusToken].filter((secret) => secret !== null);
}

/** @throws ConfigError when URL or key is missing */
export function openConnection(config: RobotConfig, events: ConnectionEvents = {}): ConnectionManager {
  const { url, key } = requireConnection(config);
  const { initialDelayMs, maxDelayMs, backoffMultiplier, connectionTimeoutMs, maxReconnectAttempts } =
    config.connection;
  const { authRetryIntervalMs, idleProbeIntervalMs } = config.connection;
  return new ConnectionManager({
    url,
    key,
    auth: credentialsOf(config.connection),
    config: {
      initialDelayMs,
      maxDelayMs,
      backoffMultiplier,
      connectionTimeoutMs,
      maxReconnectAttempts,
      authRetryIntervalMs,
      idleProbeIntervalMs,
      healthProbeIntervalMs: lookIntervalMs,
    },
    breaker: { ...config.circuitBreaker },
    ...events,
  });
}
