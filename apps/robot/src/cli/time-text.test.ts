import { expect, it } from 'vitest';
import { isoTime, timeText, withIsoTimes } from './time-text.ts';

it('times have one form for people and one for programs, however the database writes them', () => {
  for (const [given, text, iso] of [
    ['2026-11-26T11:16:02.04+00:00', '2026-11-26 11:16:02 UTC', '2026-11-26T11:16:02.040Z'],
    ['2026-11-26T12:16:02.123456+01:00', '2026-11-26 11:16:02 UTC', '2026-11-26T11:16:02.123Z'],
    ['2026-11-26T11:16:02Z', '2026-11-26 11:16:02 UTC', '2026-11-26T11:16:02.000Z'],
    ['soon', '', null],
    [null, '', null],
  ] as const) {
    expect([timeText(given), isoTime(given)], String(given)).toEqual([text, iso]);
  }
});

it('a job for programs keeps what its workflow made as it is', () => {
  const odd = '2026-11-26T11:16:02.04+00:00';
  const iso = '2026-11-26T11:16:02.040Z';
  const job = {
    ...{ created_at: odd, completed_at: null, name: odd, variables: { paid_at: odd }, result: { at: odd } },
    ...{ attempts: [{ claimed_at: odd, error: { at: odd } }], past_answers: [{ at: odd }], answers: null },
  };
  expect(withIsoTimes(job)).toEqual({
    ...{ ...job, created_at: iso, past_answers: [{ at: iso }] },
    attempts: [{ claimed_at: iso, error: { at: odd } }],
  });
});
