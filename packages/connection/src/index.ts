export type { AuthStatus } from './auth/authorizer.ts';
export type { AccessToken, Credentials, TokenProvider } from './auth/credentials.ts';
export { tokenFile } from './auth/token-file.ts';
export type { CallOutcome } from './breaker/breaker-core.ts';
export {
  CircuitBreaker,
  type CircuitBreakerConfig,
  type CircuitBreakerStatus,
  type CircuitBreakerTotals,
  type CircuitCallOptions,
  type CircuitState,
  type CircuitStateChange,
} from './breaker/circuit-breaker.ts';
export {
  type ClassifyContext,
  type ClassifyError,
  classifyError,
  createClassifier,
} from './classification/classify-error.ts';
export type { ClassifyRule, ErrorLink } from './classification/error-link.ts';
export { parseRetryAfter } from './classification/retry-after.ts';
export {
  type ErrorCategory,
  type ErrorClass,
  type ErrorVerdict,
  type VerdictExtras,
  verdict,
} from './classification/verdict.ts';
export { CircuitBreakerOpenError, ConnectionError, type ConnectionErrorDetails } from './errors.ts';
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
export type { Clock, Fetch, Logger, LogLevel, Random } from './ports.ts';
export type { BackoffConfig } from './retry/backoff.ts';
export { backoffDelayMs } from './retry/backoff.ts';
export { DEFAULT_RETRY, type RetryAttempt, type RetryConfig, type RetryOptions, retry } from './retry/retry.ts';
export { systemClock } from './system-clock.ts';
