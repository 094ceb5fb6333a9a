/**
 * The decisions of a circuit breaker, as pure functions of state, event and time.
 *
 *   closed ──(failures in a row ≥ failureThreshold)──▶ open ──(timeoutMs over, or a trial allowed)──▶ half-open
 *   half-open ──(successThreshold successes)──▶ closed      half-open ──(a failure, or a hung probe)──▶ open
 *   any ──(forceOpen)──▶ forced-open ──(reset)──▶ closed
 *
 * Promises kept here:
 * B1 every state that is entered has a new generation, and a call settles only the generation that admitted it;
 * B2 a half-open circuit never has more than `halfOpenMaxProbes` calls under way;
 * B3 an ignored outcome frees its probe and changes nothing else;
 * B4 a probe that hangs longer than `probeTimeoutMs` counts as a failure as soon as it is in the way.
 */
export interface BreakerRules {
  /** Failures in a row that open the circuit. */
  readonly failureThreshold: number;
  /** Successes that close a half-open circuit. */
  readonly successThreshold: number;
  /** How long the circuit stays open, in ms. */
  readonly timeoutMs: number;
  /** Calls let through at a time while half open. */
  readonly halfOpenMaxProbes: number;
  /** How long a half-open call may hold its place, in ms. */
  readonly probeTimeoutMs: number;
}

interface Probe {
  readonly id: number;
  readonly startedAt: number;
}

export type BreakerState =
  | { readonly kind: 'closed'; readonly generation: number; readonly failures: number }
  | { readonly kind: 'open'; readonly generation: number; readonly until: number }
  | {
      readonly kind: 'half-open';
      readonly generation: number;
      readonly successes: number;
      readonly admitted: number;
      readonly probes: readonly Probe[];
    }
  | { readonly kind: 'forced-open'; readonly generation: number };

/** The right to make one call, and later to say how it ended. */
export interface Permit {
  readonly generation: number;
  /** Which probe of a half-open circuit; 0 in a closed one. */
  readonly probe: number;
}

export type Admission =
  | { readonly admitted: true; readonly state: BreakerState; readonly permit: Permit }
  | { readonly admitted: false; readonly state: BreakerState; readonly remainingMs: number };

/** `ignored`: it says nothing about the service, such as the caller's own abort or a permanent refusal. */
export type CallOutcome = 'success' | 'failure' | 'ignored';

export function initialState(): BreakerState {
  return closed(0);
}

/** Whether a call may go ahead at `now` (monotonic ms). */
export function admit(state: BreakerState, now: number, rules: BreakerRules): Admission {
  switch (state.kind) {
    case 'closed':
      return { admitted: true, state, permit: { generation: state.generation, probe: 0 } };
    case 'forced-open':
      return { admitted: false, state, remainingMs: Number.POSITIVE_INFINITY };
    case 'open':
      if (now < state.until) return { admitted: false, state, remainingMs: state.until - now };
      return admit(halfOpen(state), now, rules);
    case 'half-open': {
      const [oldest] = state.probes;
      if (oldest === undefined || state.probes.length < rules.halfOpenMaxProbes) {
        const probe = { id: state.admitted + 1, startedAt: now };
        return {
          admitted: true,
          state: { ...state, admitted: probe.id, probes: [...state.probes, probe] },
          permit: { generation: state.generation, probe: probe.id },
        };
      }
      const hangsUntil = oldest.startedAt + rules.probeTimeoutMs;
      if (now < hangsUntil) return { admitted: false, state, remainingMs: hangsUntil - now };
      return { admitted: false, state: open(state, now, rules), remainingMs: rules.timeoutMs };
    }
  }
}

/** The state after a call that was admitted by `permit` ended. */
export function settle(
  state: BreakerState,
  permit: Permit,
  outcome: CallOutcome,
  now: number,
  rules: BreakerRules,
): BreakerState {
  if (permit.generation !== state.generation) return state;
  switch (state.kind) {
    case 'closed':
      if (outcome === 'ignored') return state;
      if (outcome === 'success') return state.failures === 0 ? state : { ...state, failures: 0 };
      if (state.failures + 1 >= rules.failureThreshold) return open(state, now, rules);
      return { ...state, failures: state.failures + 1 };
    case 'half-open': {
      const probes = state.probes.filter(({ id }) => id !== permit.probe);
      if (outcome === 'failure') return open(state, now, rules);
      if (outcome === 'ignored') return { ...state, probes };
      const successes = state.successes + 1;
      return successes >= rules.successThreshold ? closed(state.generation + 1) : { ...state, successes, probes };
    }
    default:
      return state;
  }
}

/** An open circuit becomes half open before its time, because there is reason to believe that the service is back. */
export function allowTrial(state: BreakerState): BreakerState {
  return state.kind === 'open' ? halfOpen(state) : state;
}

export function reset(state: BreakerState): BreakerState {
  return closed(state.generation + 1);
}

export function forceOpen(state: BreakerState): BreakerState {
  return state.kind === 'forced-open' ? state : { kind: 'forced-open', generation: state.generation + 1 };
}

/** Ms until a call may be let through; null when one may go now. */
export function remainingMs(state: BreakerState, now: number, rules: BreakerRules): number | null {
  const answer = admit(state, now, rules);
  return answer.admitted ? null : answer.remainingMs;
}

function closed(generation: number): BreakerState {
  return { kind: 'closed', generation, failures: 0 };
}

function open(from: BreakerState, now: number, rules: BreakerRules): BreakerState {
  return { kind: 'open', generation: from.generation + 1, until: now + rules.timeoutMs };
}

function halfOpen(from: BreakerState): BreakerState {
  return { kind: 'half-open', generation: from.generation + 1, successes: 0, admitted: 0, probes: [] };
}
