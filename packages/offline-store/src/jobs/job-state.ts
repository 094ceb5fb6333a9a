/**
 * The local life of one claim of a job, as pure decisions:
 *
 *     cached -> in_progress <-> in_doubt -> completed | failed | cancelled
 *                    any unfinished state -> released   (handed back, or claimed again under a new token)
 *
 * Final is final (I5): the first end stays, the same end again is fine, a different one is refused.
 */
import type { JsonValue, Storable } from '../json.ts';

/** A node that was interrupted and whose effect may or may not have happened. */
export interface InDoubtNode {
  readonly node_id: string;
  readonly reason: string;
}

export type JobState =
  | { readonly status: 'cached' }
  | { readonly status: 'in_progress'; readonly startedAtMs: number }
  | {
      readonly status: 'in_doubt';
      readonly startedAtMs: number;
      readonly nodes: readonly InDoubtNode[];
      /** Set when the store lost part of the job's record: the job as a whole is in doubt, and why. */
      readonly whole?: string;
    }
  | FinalState
  | {
      readonly status: 'released';
      readonly startedAtMs: number | null;
      readonly endedAtMs: number;
      readonly reason: string | null;
      /** The token that took the job over, if one did. */
      readonly supersededBy: string | null;
    };

export interface FinalState {
  readonly status: FinalStatus;
  readonly startedAtMs: number | null;
  readonly endedAtMs: number;
  readonly result: JsonValue;
  readonly error: JsonValue;
}

export type FinalStatus = 'completed' | 'failed' | 'cancelled';
export type JobStatus = JobState['status'];

/** What a commit may do to its job's status. */
export type StatusChange =
  | { readonly status: 'in_progress' }
  | { readonly status: 'in_doubt'; readonly nodes: readonly InDoubtNode[] }
  | { readonly status: FinalStatus; readonly result?: Storable; readonly error?: Storable }
  | { readonly status: 'released'; readonly reason?: string; readonly supersededBy?: string };

export type Transition =
  | { readonly kind: 'changed'; readonly state: JobState }
  /** Already so; nothing to write. */
  | { readonly kind: 'same' }
  | { readonly kind: 'refused' };

export function isFinalStatus(status: JobStatus): status is FinalStatus {
  return status === 'completed' || status === 'failed' || status === 'cancelled';
}

export function isFinal(state: JobState): state is FinalState {
  return isFinalStatus(state.status);
}

/** Why the job as a whole is in doubt; null when it is not. Such a job may only end or be handed back. */
export function wholeDoubtOf(state: JobState): string | null {
  return state.status === 'in_doubt' ? (state.whole ?? null) : null;
}

/** The state of a job whose record the store lost in part; what has ended stays as it is known (I5). */
export function doubtAsWhole(state: JobState, reason: string, nowMs: number): JobState {
  if (isOver(state)) return state;
  const nodes = state.status === 'in_doubt' ? state.nodes : [];
  return { status: 'in_doubt', startedAtMs: startOf(state) ?? nowMs, nodes, whole: reason };
}

/** True once nothing more may be recorded for this claim. */
export function isOver(state: JobState): boolean {
  return isFinal(state) || state.status === 'released';
}

export function changeState(state: JobState, change: StatusChange, nowMs: number): Transition {
  if (isOver(state)) return saysTheSame(state, change) ? { kind: 'same' } : { kind: 'refused' };
  const whole = wholeDoubtOf(state);
  if (whole !== null && (change.status === 'in_progress' || change.status === 'in_doubt')) return { kind: 'refused' };
  switch (change.status) {
    case 'in_progress':
      if (state.status === 'in_progress') return { kind: 'same' };
      return changed({ status: 'in_progress', startedAtMs: startOf(state) ?? nowMs });
    case 'in_doubt':
      return changed({ status: 'in_doubt', startedAtMs: startOf(state) ?? nowMs, nodes: change.nodes });
    case 'released':
      return changed({
        status: 'released',
        startedAtMs: startOf(state),
        endedAtMs: nowMs,
        reason: change.reason ?? null,
        supersededBy: change.supersededBy ?? null,
      });
    default:
      return changed({
        status: change.status,
        startedAtMs: startOf(state),
        endedAtMs: nowMs,
        result: toJson(change.result),
        error: toJson(change.error),
      });
  }
}

/** When it started to run; null when it never did. */
export function startOf(state: JobState): number | null {
  return state.status === 'cached' ? null : state.startedAtMs;
}

/** When it was over; null while it is not. */
export function endOf(state: JobState): number | null {
  return isFinal(state) || state.status === 'released' ? state.endedAtMs : null;
}

function changed(state: JobState): Transition {
  return { kind: 'changed', state };
}

function saysTheSame(state: JobState, change: StatusChange): boolean {
  if (state.status !== change.status) return false;
  if (!isFinal(state)) return true;
  const { result, error } = change as { result?: Storable; error?: Storable };
  return sameJson(state.result, toJson(result)) && sameJson(state.error, toJson(error));
}

/** Has been checked to be JSON by the time it gets here. */
function toJson(value: Storable | undefined): JsonValue {
  return (value ?? null) as JsonValue;
}

/** Equal as JSON, whatever the order of keys. */
function sameJson(left: JsonValue, right: JsonValue): boolean {
  return JSON.stringify(sorted(left)) === JSON.stringify(sorted(right));
}

function sorted(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, item]) => [key, sorted(item)]));
}
