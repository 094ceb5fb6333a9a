/**
 * Reads a `Retry-After` header: seconds, or an HTTP date. A date is measured against the answer's own
 * `Date` header where there is one, so that a wrong clock on this machine changes nothing.
 *
 * @param value the header's value
 * @param nowMs wall-clock time in ms, used when `dateHeader` is missing or broken
 * @param dateHeader the same answer's `Date` header
 * @returns ms to wait, never negative; undefined when the header says nothing understandable
 *
 * @example
 * parseRetryAfter('120', Date.now()); // 120000
 * parseRetryAfter('Thu, 01 Jan 2026 00:00:30 GMT', Date.UTC(2026, 0, 1)); // 30000
 */
export function parseRetryAfter(
  value: string | null | undefined,
  nowMs: number,
  dateHeader?: string | null,
): number | undefined {
  const text = typeof value === 'string' ? value.trim() : '';
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000;
  const dateMs = parseHttpDate(text);
  if (dateMs === undefined) return undefined;
  return Math.max(0, dateMs - (parseHttpDate(typeof dateHeader === 'string' ? dateHeader : '') ?? nowMs));
}

/** The three forms of an HTTP date begin with a weekday; `Date.parse` alone would take "1" or "-5" for a year. */
function parseHttpDate(text: string): number | undefined {
  if (!/^[A-Z][a-z]{2}/.test(text)) return undefined;
  const utc = /(GMT|UTC|Z)$/.test(text) ? text : `${text} GMT`;
  const parsed = Date.parse(utc);
  return Number.isNaN(parsed) ? undefined : parsed;
}
