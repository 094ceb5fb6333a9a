/** The order of levels, by winston's convention: the less, the graver. */
import type { LogLevel } from '../ports.ts';

export const logLevels: Readonly<Record<LogLevel, number>> = { critical: 0, error: 1, warning: 2, info: 3, debug: 4 };

/** The greater, the graver; less than any level for a text that is none. */
export function levelRank(level: LogLevel): number {
  return -(logLevels[level] ?? 9);
}
