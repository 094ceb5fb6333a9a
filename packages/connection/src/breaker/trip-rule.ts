/**
 * When a closed circuit opens: a strategy of its own, so that counting and the circuit's states do not know each
 * other. A rule sees only successes and failures of the present closed period; ignored outcomes never reach it.
 */
import type { Clock } from '../ports.ts';

export interface TripRule {
  success(): void;
  /** True when the circuit is to open. */
  failure(): boolean;
  /** Forgets what was counted: a closed period begins. */
  clear(): void;
  readonly counts: TripCounts;
  /** What was counted, as JSON; the opposite of `restore`. Without it the counts do not survive an export. */
  save?(): TripRecord;
  /** @throws TypeError when `record` was not written by `save` of the same kind of rule */
  restore?(record: TripRecord): void;
}

/** What a rule has counted. */
export interface TripCounts {
  /** Failures that the rule looks at now: in a row, or within its window. */
  readonly failures: number;
  /** Calls that the rule looks at now. */
  readonly calls: number;
}

/** Plain numbers under names: what a rule keeps over an export. */
export interface TripRecord {
  readonly kind: string;
  readonly [field: string]: string | number | readonly number[];
}

/**
 * - `consecutive`: so many failures in a row; a success begins anew.
 * - `count-window`: a share of failures among the last `size` calls.
 * - `time-window`: a share of failures among the calls that ended within the last `windowMs` ms.
 *
 * A window opens the circuit on a failure only, and not before `minimumCalls` calls.
 */
export type TripConfig =
  | { readonly kind: 'consecutive'; readonly failures: number }
  | {
      readonly kind: 'count-window';
      /** Calls that are looked back on. */
      readonly size: number;
      /** Above 0, up to 1. */
      readonly failureRate: number;
      /** Default: `size`. */
      readonly minimumCalls?: number;
    }
  | {
      readonly kind: 'time-window';
      /** In ms; kept in tenths, so that up to a tenth less is looked back on. */
      readonly windowMs: number;
      /** Above 0, up to 1. */
      readonly failureRate: number;
      readonly minimumCalls: number;
    };

/** Makes a rule of one's own; called once per breaker. */
export type TripRuleFactory = (clock: Pick<Clock, 'monotonic'>) => TripRule;
