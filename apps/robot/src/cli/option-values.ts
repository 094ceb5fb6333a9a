/** What the values of options mean. */
import { InvalidArgumentError, Option } from 'commander';

export function variableOption(): Option {
  return new Option('--var <name=json>', 'a variable, its value as JSON: --var count=3 --var \'name="Ann"\'')
    .argParser((pair: string, former: readonly string[]) => [...former, pair])
    .default([], 'none');
}

export function wholeNumber(text: string): number {
  if (!/^-?\d+$/.test(text)) throw new InvalidArgumentError('It must be a whole number.');
  return Number(text);
}

export function positiveNumber(text: string): number {
  const number = wholeNumber(text);
  if (number < 1) throw new InvalidArgumentError('It must be at least 1.');
  return number;
}

export function notNegative(text: string): number {
  const number = wholeNumber(text);
  if (number < 0) throw new InvalidArgumentError('It must not be negative.');
  return number;
}

/** What the database's column holds. */
export function priority(text: string): number {
  const number = wholeNumber(text);
  if (Math.abs(number) > 2_147_483_647) throw new InvalidArgumentError('It must be from -2147483647 to 2147483647.');
  return number;
}

/** As many attempts as the database takes. */
export function attemptCount(text: string): number {
  const count = positiveNumber(text);
  if (count > 1_000) throw new InvalidArgumentError('It must be at most 1000.');
  return count;
}

export function portNumber(text: string): number {
  const port = wholeNumber(text);
  if (port < 0 || port > 65_535) throw new InvalidArgumentError('It must be a port number from 0 to 65535.');
  return port;
}

/** A date or time in ISO 8601 (UTC where no zone is given), or how long ago: `2h`, `3d`; as wall-clock ms. */
export function pointInTime(text: string): number {
  if (/^\d{4}-\d{2}-\d{2}/.test(text)) {
    const hasZone = /(?:Z|[+-]\d{2}:?\d{2})$/.test(text) || !text.includes('T');
    const at = Date.parse(hasZone ? text : `${text}Z`);
    if (!Number.isNaN(at)) return at;
  } else if (/^[\d.smhd]+$/.test(text)) return Date.now() - duration(text);
  throw new InvalidArgumentError(
    'It must be a time such as 2026-01-31, 2026-01-31T12:00:00Z, or 2h for two hours ago.',
  );
}

/** Takes an option several times, each time one of `allowed`, or several with commas. */
export function oneOrMore<T extends string>(
  allowed: readonly T[],
): (text: string, former?: readonly T[]) => readonly T[] {
  return (text, former = []) => {
    const given = text.split(',');
    const wrong = given.find((each) => !(allowed as readonly string[]).includes(each));
    if (wrong === undefined) return [...former, ...(given as T[])];
    throw new InvalidArgumentError(`Allowed are ${[...allowed].sort().join(', ')}.`);
  };
}

const unitsMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `90s`, `10m`, `1h30m`; in ms. */
export function duration(text: string): number {
  const parts = [...text.matchAll(/(\d+)(ms|s|m|h|d)/g)];
  const total = parts.reduce((sum, [, count, unit]) => sum + Number(count) * (unitsMs[unit ?? ''] ?? 0), 0);
  if (parts.map(([part]) => part).join('') !== text || total === 0 || !Number.isSafeInteger(total)) {
    throw new InvalidArgumentError('It must be a duration such as 90s, 10m, 2h or 1h30m.');
  }
  return total;
}
