import { ArgumentError, requireObject } from '../argument-error.ts';
import type { Clock } from '../ports.ts';
import { requireAtLeast } from '../require-at-least.ts';
import { ConsecutiveRule } from './consecutive-rule.ts';
import { CountWindowRule, LARGEST_WINDOW } from './count-window-rule.ts';
import { TimeWindowRule } from './time-window-rule.ts';
import type { TripConfig, TripRule } from './trip-rule.ts';

/** @throws ArgumentError when a number is out of range or the kind is unknown */
export function createTripRule(config: TripConfig, clock: Pick<Clock, 'monotonic'>): TripRule {
  requireObject('trip', config);
  switch (config.kind) {
    case 'consecutive':
      requireAtLeast(1, { 'trip.failures': config.failures }, { whole: true });
      return new ConsecutiveRule(config.failures);
    case 'count-window': {
      const { size, failureRate, minimumCalls = size } = config;
      requireAtLeast(1, { 'trip.size': size, 'trip.minimumCalls': minimumCalls }, { whole: true });
      if (size > LARGEST_WINDOW) throw new ArgumentError('trip.size', `at most ${LARGEST_WINDOW}`, size);
      if (minimumCalls > size) throw new ArgumentError('trip.minimumCalls', 'at most trip.size', minimumCalls);
      requireShare(failureRate);
      return new CountWindowRule({ size, failureRate, minimumCalls });
    }
    case 'time-window': {
      const { windowMs, failureRate, minimumCalls } = config;
      requireAtLeast(1, { 'trip.minimumCalls': minimumCalls }, { whole: true });
      requireAtLeast(1, { 'trip.windowMs': windowMs });
      if (!Number.isFinite(windowMs)) throw new ArgumentError('trip.windowMs', 'finite', windowMs);
      requireShare(failureRate);
      return new TimeWindowRule({ windowMs, failureRate, minimumCalls }, clock);
    }
    default:
      throw new ArgumentError('trip.kind', 'consecutive, count-window or time-window', (config as TripConfig).kind);
  }
}

function requireShare(failureRate: number): void {
  if (!(typeof failureRate === 'number' && failureRate > 0 && failureRate <= 1))
    throw new ArgumentError('trip.failureRate', 'above 0 and at most 1', failureRate);
}
