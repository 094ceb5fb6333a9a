export { ArgumentError } from '../argument-error.ts';
export { ConnectionError, type ConnectionErrorDetails } from '../errors.ts';
export {
  type HttpAnswer,
  type ReadAnswerOptions,
  type ReadOptions,
  readAnswer,
  readBytes,
} from '../http/read-answer.ts';
export type { Clock, Random } from '../ports.ts';
export { systemClock } from '../system-clock.ts';
export { type BackoffConfig, backoffDelayMs, type Jitter } from './backoff.ts';
export { retry, retryAsync } from './retry.ts';
export { RetryBudget, type RetryBudgetOptions, type RetryBudgetStatus } from './retry-budget.ts';
export {
  DEFAULT_RETRY,
  type RetryAttempt,
  type RetryConfig,
  type RetryEvent,
  type RetryOptions,
} from './retry-config.ts';
