/** What a breaker shows of itself: its states, events and figures. */
import type { BreakerState } from './breaker-core.ts';

export type CircuitState = 'CLOSED' | 'OPEN' | 'HALF_OPEN';

export interface CircuitStateChange {
  readonly name: string;
  readonly from: CircuitState;
  readonly to: CircuitState;
  /** True when the new state was forced and stays until `reset()`. */
  readonly forced: boolean;
}

/** The events of a breaker and what their listeners get. */
export interface CircuitEvents {
  readonly stateChange: CircuitStateChange;
  readonly success: { readonly name: string };
  /** A call that counts against the service; `error` is undefined when it resolved, but `outcomeOfValue` said failure. */
  readonly failure: { readonly name: string; readonly error: unknown };
  /** A call that says nothing about the service. */
  readonly ignored: { readonly name: string; readonly error: unknown };
  /** A call that was not made. */
  readonly rejected: { readonly name: string; readonly remainingMs: number };
}

export interface CircuitBreakerStatus {
  readonly name: string;
  readonly state: CircuitState;
  /** True while forced open or forced closed. */
  readonly forced: boolean;
  /** Failures that the trip rule looks at: in a row, or in its window. */
  readonly consecutiveFailures: number;
  /** Calls that the trip rule looks at. */
  readonly countedCalls: number;
  /** Successes so far while half open. */
  readonly halfOpenSuccesses: number;
  readonly probesInFlight: number;
  /** Ms until a call may be let through; null when one may go now, or while forced open. */
  readonly remainingMs: number | null;
  /** Openings up to now without a recovery between them. */
  readonly openings: number;
  /** Since the breaker was made. */
  readonly totals: CircuitBreakerTotals;
}

export interface CircuitBreakerTotals {
  readonly successes: number;
  readonly failures: number;
  readonly ignored: number;
  /** Calls refused without being tried. */
  readonly rejected: number;
  /** How often the circuit opened by itself. */
  readonly opened: number;
  /** How often a listener failed. */
  readonly listenerFaults: number;
}

export const PUBLIC_STATE: { readonly [kind in BreakerState['kind']]: CircuitState } = {
  closed: 'CLOSED',
  open: 'OPEN',
  'half-open': 'HALF_OPEN',
  'forced-open': 'OPEN',
  'forced-closed': 'CLOSED',
};

export function isForced(state: BreakerState): boolean {
  return state.kind === 'forced-open' || state.kind === 'forced-closed';
}
