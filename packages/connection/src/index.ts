/** All of it. What needs no connection is also to be had alone: `/breaker`, `/retry`, `/classification`,
 * `/wake-ups`. */
export type { AuthStatus } from './auth/authorizer.ts';
export type { AccessToken, Credentials, TokenProvider } from './auth/credentials.ts';
export { tokenFile } from './auth/token-file.ts';
export * from './breaker/index.ts';
export * from './classification/index.ts';
export { type ConnectionConfig, DEFAULT_CONNECTION_CONFIG } from './manager/connection-config.ts';
export {
  type AnswerData,
  ConnectionManager,
  type ConnectionManagerOptions,
  type ExecuteOptions,
  type SupabaseAnswer,
} from './manager/connection-manager.ts';
export type { ConnectionState, ConnectionStatus, LastError } from './manager/connection-status.ts';
export type { Operation } from './manager/session.ts';
export type { ConnectionListeners, ConnectionStateChange } from './manager/supervisor.ts';
export type { Fetch } from './ports.ts';
export * from './retry/index.ts';
export * from './wake-ups/index.ts';
