/** The values that every workflow can refer to: `$currentDate`, `$currentTime`, `$currentDateTime`, `$timestamp`. */
import type { Clock } from '../ports.ts';
import { type Lookup, NOT_FOUND, type ReferenceScope } from './reference-path.ts';

export const SYSTEM_VALUES = ['$currentDate', '$currentTime', '$currentDateTime', '$timestamp'] as const;

/**
 * A system value at the time `nowMs` (ms since the epoch), in local time: `$currentDate` `2025-03-09`,
 * `$currentTime` `08:05:00`, `$currentDateTime` `2025-03-09T08:05:00.250`, `$timestamp` whole seconds.
 */
export function systemValue(name: string, nowMs: number): Lookup {
  const now = new Date(nowMs);
  const date = [now.getFullYear(), padded(now.getMonth() + 1), padded(now.getDate())].join('-');
  const time = [now.getHours(), now.getMinutes(), now.getSeconds()].map((part) => padded(part)).join(':');
  const fraction = now.getMilliseconds() === 0 ? '' : `.${padded(now.getMilliseconds(), 3)}`;
  if (name === '$currentDate') return { found: true, value: date };
  if (name === '$currentTime') return { found: true, value: time };
  if (name === '$currentDateTime') return { found: true, value: `${date}T${time}${fraction}` };
  if (name === '$timestamp') return { found: true, value: Math.floor(nowMs / 1000) };
  return NOT_FOUND;
}

/** A scope that also knows the system values. */
export function withSystemValues(scope: ReferenceScope, clock: Pick<Clock, 'now'>): ReferenceScope {
  return {
    lookup(name) {
      const system = name.startsWith('$') ? systemValue(name, clock.now()) : NOT_FOUND;
      return system.found ? system : scope.lookup(name);
    },
    refuse: (reference) => scope.refuse?.(reference),
  };
}

function padded(part: number, width = 2): string {
  return String(part).padStart(width, '0');
}
