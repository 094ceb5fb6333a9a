/**
 * A breaker's state as plain JSON, and back. It holds durations that were left, never points in time: it means the
 * same on another machine, after a restart, and under a wrong clock. What is read may have been damaged meanwhile.
 */
import { verdict } from '../classification/verdict.ts';
import { ConnectionError } from '../errors.ts';
import { messageOf, readField } from '../safe-read.ts';
import type { BreakerRules, BreakerState } from './breaker-core.ts';
import { savedCount } from './trip-record.ts';
import type { TripRecord, TripRule } from './trip-rule.ts';

export interface CircuitBreakerRecord {
  readonly version: 1;
  readonly state: BreakerState['kind'];
  readonly openings: number;
  /** While open: what is left of it, in ms; null: until it is reset. */
  readonly remainingMs?: number | null;
  /** While closed: for how long, in ms. */
  readonly closedForMs?: number;
  /** While half open. */
  readonly successes?: number;
  /** While closed: what the trip rule has counted. */
  readonly counts?: TripRecord;
}

export function savedState(state: BreakerState, now: number, trip: TripRule): CircuitBreakerRecord {
  const common = { version: 1, state: state.kind, openings: state.openings } as const;
  switch (state.kind) {
    case 'closed': {
      const counts = trip.save?.();
      return { ...common, closedForMs: now - state.since, ...(counts === undefined ? {} : { counts }) };
    }
    case 'open': {
      const remainingMs = state.until - now;
      return { ...common, remainingMs: Number.isFinite(remainingMs) ? remainingMs : null };
    }
    case 'half-open':
      return { ...common, successes: state.successes };
    default:
      return common;
  }
}

export interface Restoring {
  readonly name: string;
  readonly now: number;
  readonly rules: BreakerRules;
  readonly trip: TripRule;
}

/**
 * The state to go on with. Probes that were under way are gone; an open time is never longer than the rules allow now.
 *
 * @throws ConnectionError `INVALID_BREAKER_STATE`
 */
export function restoredState(record: unknown, restoring: Restoring): BreakerState {
  try {
    return readState(record, restoring);
  } catch (fault) {
    const judged = verdict('P', 'INVALID_BREAKER_STATE', { remedy: 'make the breaker without it: it starts closed' });
    throw new ConnectionError(`the state of circuit "${restoring.name}" cannot be used: ${messageOf(fault)}`, judged);
  }
}

function readState(record: unknown, { now, rules, trip }: Restoring): BreakerState {
  if (typeof record !== 'object' || record === null) throw new TypeError('it is not an object');
  const fields: { readonly [field: string]: unknown } = { ...record };
  const { version, state: kind } = fields;
  if (version !== 1) {
    const newer = typeof version === 'number' && version > 1;
    throw new TypeError(newer ? `version ${version} is newer than 1, which this library reads` : 'version must be 1');
  }
  const entered = { generation: 1, openings: savedCount(fields, 'openings') };
  switch (kind) {
    case 'closed':
      restoreCounts(fields.counts, trip);
      return { kind, ...entered, since: now - savedMs(fields, 'closedForMs') };
    case 'open': {
      const remainingMs = fields.remainingMs === null ? Number.POSITIVE_INFINITY : savedMs(fields, 'remainingMs');
      return { kind, ...entered, until: now + Math.min(remainingMs, rules.maxTimeoutMs) };
    }
    case 'half-open': {
      const successes = Math.min(savedCount(fields, 'successes'), rules.successThreshold - 1);
      return { kind, ...entered, successes, admitted: 0, probes: [] };
    }
    case 'forced-open':
    case 'forced-closed':
      return { kind, ...entered };
    default:
      throw new TypeError('state must be closed, open, half-open, forced-open or forced-closed');
  }
}

/** Counts of another kind of rule, or none, mean that counting begins anew. */
function restoreCounts(counts: unknown, trip: TripRule): void {
  if (counts === undefined) return;
  const kind = readField(counts, 'kind');
  if (typeof kind !== 'string') throw new TypeError('counts.kind must be a text');
  if (kind === trip.save?.().kind) trip.restore?.(counts as TripRecord);
}

function savedMs(fields: { readonly [field: string]: unknown }, field: string): number {
  const value = fields[field];
  if (typeof value !== 'number' || !Number.isFinite(value) || value < 0) {
    throw new TypeError(`${field} must be a number of ms from 0 on`);
  }
  return value;
}
