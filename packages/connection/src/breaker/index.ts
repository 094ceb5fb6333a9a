export { ArgumentError } from '../argument-error.ts';
export { CircuitBreakerOpenError, ConnectionError, type ConnectionErrorDetails } from '../errors.ts';
export type { Clock, Logger, LogLevel, Random } from '../ports.ts';
export { systemClock } from '../system-clock.ts';
export type { CircuitBreakerConfig } from './breaker-config.ts';
export type { CallOutcome } from './breaker-core.ts';
export type { CircuitBreakerRecord } from './breaker-record.ts';
export { CircuitBreaker, type CircuitCallOptions } from './circuit-breaker.ts';
export { CircuitBreakerRegistry, type CircuitBreakerRegistryOptions } from './circuit-breaker-registry.ts';
export type {
  CircuitBreakerStatus,
  CircuitBreakerTotals,
  CircuitEvents,
  CircuitState,
  CircuitStateChange,
} from './circuit-events.ts';
export type { TripConfig, TripCounts, TripRecord, TripRule, TripRuleFactory } from './trip-rule.ts';
