/** A breaker's settings with their defaults. */
import { ArgumentError, requireFunctions, requireMethods, requireOptions } from '../argument-error.ts';
import { classifyError } from '../classification/classify-error.ts';
import { speaksAgainstService } from '../classification/verdict.ts';
import type { Clock, Logger, Random } from '../ports.ts';
import { requireAtLeast } from '../require-at-least.ts';
import type { BreakerRules, CallOutcome } from './breaker-core.ts';
import type { CircuitStateChange } from './circuit-events.ts';
import type { TripConfig, TripRuleFactory } from './trip-rule.ts';

export interface CircuitBreakerConfig {
  /** Failures in a row that open the circuit, where `trip` does not say otherwise. Default 5. */
  readonly failureThreshold: number;
  /** When the circuit opens. Default: after `failureThreshold` failures in a row. */
  readonly trip?: TripConfig | TripRuleFactory;
  /** Successes that close a half-open circuit. Default 2. */
  readonly successThreshold: number;
  /** How long the circuit stays open before it lets a call through again, in ms. Default 60,000. */
  readonly timeoutMs: number;
  /** Each further opening without a recovery lasts this many times as long. Default 1: always the same. */
  readonly timeoutMultiplier: number;
  /** No opening lasts longer, in ms. Default 10 times `timeoutMs`. */
  readonly maxTimeoutMs: number;
  /** Share of the open time that chance may take away, 0 to 1, so that many breakers do not try together. Default 0. */
  readonly timeoutJitter: number;
  /** A circuit that stayed closed so long has recovered: the growth of its open time begins anew, in ms. Default `timeoutMs`. */
  readonly recoveryMs: number;
  /** Calls let through at a time while half open; more fail fast. Default 1. */
  readonly halfOpenMaxProbes: number;
  /** A half-open call that takes longer no longer blocks the others and counts as a failure, in ms. Default 60,000. */
  readonly probeTimeoutMs: number;
  /**
   * What a failed call says about the service. Default: by `classifyError`; classes S and A are failures, all
   * others (throttled, refused, permanent, aborted) are ignored.
   */
  readonly outcomeOf: (error: unknown) => CallOutcome;
  /** What a call that resolved says about the service. Default: always a success. */
  readonly outcomeOfValue?: (value: unknown) => CallOutcome;
  /** Told of every change of state; the same as `on('stateChange', ...)`. */
  readonly onStateChange?: (change: CircuitStateChange) => void;
  /** Default: the machine's. Only `monotonic()` is used: the wall clock changes nothing. */
  readonly clock: Pick<Clock, 'monotonic'>;
  /** Used for `timeoutJitter`. Default: the machine's. */
  readonly random: Random;
  /** Gets the errors of listeners and judges. Default: process warnings. */
  readonly logger: Logger;
}

const configNames: ReadonlySet<keyof CircuitBreakerConfig> = new Set([
  'failureThreshold',
  'trip',
  'successThreshold',
  'timeoutMs',
  'timeoutMultiplier',
  'maxTimeoutMs',
  'timeoutJitter',
  'recoveryMs',
  'halfOpenMaxProbes',
  'probeTimeoutMs',
  'outcomeOf',
  'outcomeOfValue',
  'onStateChange',
  'clock',
  'random',
  'logger',
] as const);

const DEFAULT_TIMEOUT_MS = 60_000;

/** @throws ArgumentError naming the first setting that is out of range */
export function breakerRules(config: Partial<CircuitBreakerConfig>): BreakerRules {
  requireOptions('config', config, configNames);
  const { outcomeOf, outcomeOfValue, onStateChange, random, clock, logger } = config;
  requireFunctions({ outcomeOf, outcomeOfValue, onStateChange, random });
  requireMethods('clock', clock, ['monotonic']);
  requireMethods('logger', logger, ['log']);
  const timeoutMs = config.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  requireAtLeast(0, { timeoutMs });
  const rules: BreakerRules = {
    timeoutMs,
    successThreshold: config.successThreshold ?? 2,
    halfOpenMaxProbes: config.halfOpenMaxProbes ?? 1,
    probeTimeoutMs: config.probeTimeoutMs ?? 60_000,
    timeoutMultiplier: config.timeoutMultiplier ?? 1,
    maxTimeoutMs: config.maxTimeoutMs ?? 10 * timeoutMs,
    timeoutJitter: config.timeoutJitter ?? 0,
    recoveryMs: config.recoveryMs ?? timeoutMs,
  };
  const { successThreshold, halfOpenMaxProbes, timeoutMultiplier, maxTimeoutMs, timeoutJitter, ...times } = rules;
  requireAtLeast(1, { successThreshold, halfOpenMaxProbes }, { whole: true });
  requireAtLeast(0, { ...times, timeoutJitter });
  requireAtLeast(1, { timeoutMultiplier });
  requireAtLeast(timeoutMs, { maxTimeoutMs });
  if (timeoutJitter > 1) throw new ArgumentError('timeoutJitter', 'at most 1', timeoutJitter);
  return rules;
}

/** The trip rule as configured: `trip`, or so many failures in a row. */
export function tripConfig(config: Partial<CircuitBreakerConfig>): TripConfig | TripRuleFactory {
  const failures = config.failureThreshold ?? 5;
  requireAtLeast(1, { failureThreshold: failures }, { whole: true });
  return config.trip ?? { kind: 'consecutive', failures };
}

export function defaultOutcomeOf(error: unknown): CallOutcome {
  return speaksAgainstService(classifyError(error)) ? 'failure' : 'ignored';
}
