/** What can be seen of a connection from outside, and the book in which it is kept. */
import type { AuthStatus } from '../auth/authorizer.ts';
import type { CircuitBreakerStatus } from '../breaker/circuit-events.ts';
import { type ErrorCategory, type ErrorClass, speaksAgainstService } from '../classification/verdict.ts';
import type { ConnectionError } from '../errors.ts';

/**
 * - `DISCONNECTED`: `connect` was not called, was refused, or `disconnect` was called.
 * - `CONNECTING`: trying, and not connected yet.
 * - `CONNECTED`: the service answered.
 * - `RECONNECTING`: the connection was lost; trying.
 * - `AUTH_FAILED`: the service answers and refuses the credentials; trying again slowly, calls fail at once.
 * - `FAILED`: `maxReconnectAttempts` are used up. `connect()` starts anew.
 */
export type ConnectionState = 'DISCONNECTED' | 'CONNECTING' | 'CONNECTED' | 'RECONNECTING' | 'AUTH_FAILED' | 'FAILED';

export interface ConnectionStatus {
  readonly state: ConnectionState;
  readonly isConnected: boolean;
  /** Calls and attempts in a row that failed in a way that speaks against the service (class S or A). */
  readonly consecutiveFailures: number;
  /** The same, since the manager was made. */
  readonly totalFailures: number;
  /** Wall-clock ms; null: never. */
  readonly lastSuccessAt: number | null;
  /** The last failure of any kind but an abort; stays after a success, see `at` and `lastSuccessAt`. */
  readonly lastError: LastError | null;
  /** Ms until the next attempt by backoff; null when none is planned. Looks about every second go on besides. */
  readonly nextAttemptInMs: number | null;
  readonly breaker: CircuitBreakerStatus;
  /** In whose name requests go out; null while there is no session. */
  readonly auth: AuthStatus | null;
}

export interface LastError {
  readonly code: string;
  readonly class: ErrorClass;
  readonly category: ErrorCategory;
  readonly message: string;
  /** What a person can do about it; null when nothing is known. */
  readonly remedy: string | null;
  /** Wall-clock ms. */
  readonly at: number;
}

/** Counts successes and failures. */
export class StatusBook {
  consecutiveFailures = 0;
  totalFailures = 0;
  lastSuccessAt: number | null = null;
  lastError: LastError | null = null;

  success(at: number): void {
    this.consecutiveFailures = 0;
    this.lastSuccessAt = at;
  }

  failure(error: ConnectionError, at: number): void {
    if (error.class === 'C') return;
    const { code, class: letter, category, message, remedy } = error;
    this.lastError = { code, class: letter, category, message, remedy: remedy ?? null, at };
    if (!speaksAgainstService(error)) return;
    this.consecutiveFailures += 1;
    this.totalFailures += 1;
  }
}
