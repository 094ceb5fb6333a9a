import { expect, test } from 'vitest';
import { parseRetryAfter } from './retry-after.ts';

const now = Date.UTC(2026, 0, 1, 12);

test.each([
  ['seconds', '120', undefined, 120_000],
  ['no wait', '0', undefined, 0],
  ['a date', 'Thu, 01 Jan 2026 12:00:30 GMT', undefined, 30_000],
  ['a date in an old form', 'Thursday, 01-Jan-26 12:00:30 GMT', undefined, 30_000],
  ['a date that is over', 'Thu, 01 Jan 2026 11:00:00 GMT', undefined, 0],
  ["a date by the server's own clock", 'Thu, 01 Jan 2026 09:00:10 GMT', 'Thu, 01 Jan 2026 09:00:00 GMT', 10_000],
  ['a negative number', '-5', undefined, undefined],
  ['nonsense', 'soon', undefined, undefined],
  ['nothing', null, undefined, undefined],
])('Retry-After: %s', (_name, value, date, expected) => {
  expect(parseRetryAfter(value, now, date)).toBe(expected);
});
