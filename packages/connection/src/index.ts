export type { AuthStatus } from './auth/authorizer.ts';
export type { AccessToken, Credentials, TokenProvider } from './auth/credentials.ts';
export { tokenFile } from './auth/token-file.ts';
export type { CircuitBreakerConfig } from './breaker/breaker-config.ts';
export type { CallOutcome } from './breaker/breaker-core.ts';
export type { CircuitBreakerRecord } from './breaker/breaker-record.ts';
export { CircuitBreaker, type CircuitCallOptions } from './breaker/circuit-breaker.ts';
export { CircuitBreakerRegistry, type CircuitBreakerRegistryOptions } from './breaker/circuit-breaker-registry.ts';
export type {
  CircuitBreakerStatus,
  CircuitBreakerTotals,
  CircuitEvents,
  CircuitState,
  CircuitStateChange,
} from './breaker/circuit-events.ts';
export type { TripConfig, TripCounts, TripRecord, TripRule, TripRuleFactory } from './breaker/trip-rule.ts';
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
export {
  type HttpAnswer,
  type ReadAnswerOptions,
  type ReadOptions,
  readAnswer,
  readBytes,
} from './http/read-answer.ts';
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
export { type BackoffConfig, backoffDelayMs, type Jitter } from './retry/backoff.ts';
export { retry, retryAsync } from './retry/retry.ts';
export { RetryBudget, type RetryBudgetOptions, type RetryBudgetStatus } from './retry/retry-budget.ts';
export {
  DEFAULT_RETRY,
  type RetryAttempt,
  type RetryConfig,
  type RetryEvent,
  type RetryOptions,
} from './retry/retry-config.ts';
export { systemClock } from './system-clock.ts';
