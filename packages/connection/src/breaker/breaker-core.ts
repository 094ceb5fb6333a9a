/**
 * The states of a circuit breaker and the ways between them, as pure functions of state and time (monotonic ms). When a
 * closed circuit has had enough is the trip rule's affair (`trip-rule.ts`); who calls and counts is `circuit-breaker.ts`.
 *
 *   closed ──(the trip rule says so)──▶ open ──(open time over, or a trial allowed)──▶ half-open
 *   half-open ──(successThreshold successes)──▶ closed      half-open ──(a failure, or a hung probe)──▶ open
 *   any ──(forceOpen)──▶ forced-open ──(reset)──▶ closed      any ──(forceClosed)──▶ forced-closed ──(reset)──▶ closed
 *
 * Promises kept here:
 * B1 every state that is entered has a new generation, and a call settles only the generation that admitted it;
 * B2 a half-open circuit never has more than `halfOpenMaxProbes` calls under way;
 * B3 an ignored outcome frees its probe and changes nothing else;
 * B4 a probe that hangs longer than `probeTimeoutMs` counts as a failure of that moment, whenever it is noticed;
 * B5 the open time grows with every opening that no proven recovery lies before, and never past its cap.
 */
import { grownMs } from '../growth.ts';
import type { Random } from '../ports.ts';

export interface BreakerRules {
  /** Successes that close a half-open circuit. */
  readonly successThreshold: number;
  /** Calls let through at a time while half open. */
  readonly halfOpenMaxProbes: number;
  /** How long a half-open call may hold its place, in ms. */
  readonly probeTimeoutMs: number;
  /** How long the circuit stays open the first time, in ms. */
  readonly timeoutMs: number;
  /** Each further opening lasts this many times as long. */
  readonly timeoutMultiplier: number;
  /** No opening lasts longer, in ms. */
  readonly maxTimeoutMs: number;
  /** Share of the open time that chance may take away, 0 to 1. */
  readonly timeoutJitter: number;
  /** A circuit that stayed closed so long has recovered: its next opening is a first one, in ms. */
  readonly recoveryMs: number;
}

interface Probe {
  readonly id: number;
  readonly startedAt: number;
  /** Its caller has given up; what it comes to says nothing any more. */
  readonly abandoned: boolean;
}

interface Entered {
  /** Grows with every state entered. */
  readonly generation: number;
  /** Openings up to now without a proven recovery between them. */
  readonly openings: number;
}

export interface HalfOpen extends Entered {
  readonly kind: 'half-open';
  readonly successes: number;
  readonly admitted: number;
  /** Oldest first. */
  readonly probes: readonly Probe[];
}

export type BreakerState =
  | (Entered & { readonly kind: 'closed'; readonly since: number })
  | (Entered & { readonly kind: 'open'; readonly until: number })
  | HalfOpen
  | (Entered & { readonly kind: 'forced-open' })
  | (Entered & { readonly kind: 'forced-closed' });

/** The right to make one call of a half-open circuit, and later to say how it ended. */
export interface ProbePermit {
  readonly generation: number;
  readonly probe: number;
}

export type Admission =
  | { readonly kind: 'free'; readonly state: BreakerState }
  | { readonly kind: 'probe'; readonly state: HalfOpen; readonly permit: ProbePermit }
  | { readonly kind: 'refused'; readonly state: BreakerState; readonly remainingMs: number };

/** `ignored`: it says nothing about the service, such as the caller's own abort or a permanent refusal. */
export type CallOutcome = 'success' | 'failure' | 'ignored';

/** What decides besides the state: the settings, and chance. */
export interface BreakerContext {
  readonly rules: BreakerRules;
  readonly random: Random;
}

export function closed(now: number, from?: BreakerState): BreakerState {
  return { kind: 'closed', ...next(from), since: now };
}

/**
 * The next state that was due by `now`: an open time is over, a probe has hung, a recovery is proven. Asked again
 * until it answers the state it was given: several may have been due one after the other.
 */
export function caughtUp(state: BreakerState, now: number, context: BreakerContext): BreakerState {
  if (state.kind === 'closed' && state.openings > 0) {
    return now - state.since < context.rules.recoveryMs ? state : { ...state, openings: 0 };
  }
  if (state.kind === 'open') return now < state.until ? state : halfOpen(state);
  if (state.kind !== 'half-open') return state;
  const deadline = now - context.rules.probeTimeoutMs;
  const [hung] = state.probes.filter(({ startedAt, abandoned }) => !abandoned && startedAt <= deadline);
  if (hung !== undefined) return opened(state, hung.startedAt + context.rules.probeTimeoutMs, context);
  const probes = state.probes.filter(({ startedAt }) => startedAt > deadline);
  return probes.length === state.probes.length ? state : { ...state, probes };
}

/** Whether a call may go ahead. `state` is caught up with `now`. */
export function admit(state: BreakerState, now: number, rules: BreakerRules): Admission {
  switch (state.kind) {
    case 'closed':
    case 'forced-closed':
      return { kind: 'free', state };
    case 'forced-open':
      return { kind: 'refused', state, remainingMs: Number.POSITIVE_INFINITY };
    case 'open':
      return { kind: 'refused', state, remainingMs: state.until - now };
    case 'half-open': {
      const [oldest] = state.probes;
      if (oldest !== undefined && state.probes.length >= rules.halfOpenMaxProbes) {
        return { kind: 'refused', state, remainingMs: oldest.startedAt + rules.probeTimeoutMs - now };
      }
      const probe = { id: state.admitted + 1, startedAt: now, abandoned: false };
      return {
        kind: 'probe',
        state: { ...state, admitted: probe.id, probes: [...state.probes, probe] },
        permit: { generation: state.generation, probe: probe.id },
      };
    }
  }
}

/** The state after a probe ended. */
export function settled(
  state: BreakerState,
  permit: ProbePermit,
  outcome: CallOutcome,
  now: number,
  context: BreakerContext,
): BreakerState {
  if (state.kind !== 'half-open' || permit.generation !== state.generation) return state;
  if (outcome === 'failure') return opened(state, now, context);
  const successes = state.successes + (outcome === 'success' ? 1 : 0);
  if (successes >= context.rules.successThreshold) return closed(now, state);
  return { ...state, successes, probes: state.probes.filter(({ id }) => id !== permit.probe) };
}

/** A probe's caller has given up. The probe keeps its place until it ends, or would have hung. */
export function abandoned(state: BreakerState, permit: ProbePermit): BreakerState {
  if (state.kind !== 'half-open' || permit.generation !== state.generation) return state;
  const probes = state.probes.map((probe) => (probe.id === permit.probe ? { ...probe, abandoned: true } : probe));
  return { ...state, probes };
}

/** An open circuit becomes half open before its time, because there is reason to believe that the service is back. */
export function trialAllowed(state: BreakerState): BreakerState {
  return state.kind === 'open' ? halfOpen(state) : state;
}

/** Closed, and nothing is held against the service any more. */
export function reset(state: BreakerState, now: number): BreakerState {
  return { ...closed(now, state), openings: 0 };
}

export function forced(state: BreakerState, kind: 'forced-open' | 'forced-closed'): BreakerState {
  return state.kind === kind ? state : { kind, ...next(state) };
}

function halfOpen(from: BreakerState): BreakerState {
  return { kind: 'half-open', ...next(from), successes: 0, admitted: 0, probes: [] };
}

/** The trip rule has had enough of a closed circuit, or a probe failed. */
export function opened(from: BreakerState, now: number, { rules, random }: BreakerContext): BreakerState {
  const fullMs = grownMs(rules.timeoutMs, rules.timeoutMultiplier, from.openings, rules.maxTimeoutMs);
  const openMs = rules.timeoutJitter === 0 ? fullMs : fullMs * (1 - rules.timeoutJitter * random());
  return { kind: 'open', generation: from.generation + 1, openings: from.openings + 1, until: now + openMs };
}

function next(from: BreakerState | undefined): Entered {
  return from === undefined
    ? { generation: 0, openings: 0 }
    : { generation: from.generation + 1, openings: from.openings };
}
