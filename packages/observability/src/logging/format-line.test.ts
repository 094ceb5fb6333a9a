import { describe, expect, it } from 'vitest';
import { formatLine, type LogRecord } from './format-line.ts';

const record: LogRecord = {
  at: '2026-01-01T00:00:00.000Z',
  level: 'warning',
  message: 'slow node',
  fields: { job_id: 'job-1', note: 'two words', tries: 2 },
};

describe('a log line', () => {
  it('reads well for people', () => {
    expect(formatLine(record, 'human')).toBe(
      '2026-01-01T00:00:00.000Z WARNING  slow node job_id=job-1 note="two words" tries=2',
    );
  });

  it('is the record itself for programs', () => {
    expect(JSON.parse(formatLine(record, 'json'))).toEqual(record);
  });

  it('cannot be used to forge a line or to drive the terminal', () => {
    const line = formatLine(
      { ...record, message: 'a\nb\r\u001b[31m\u009b2J\u2028c\u007f', fields: { x: 'd\ne' } },
      'human',
    );
    expect(line).toContain('a\\nb\\r\\u001b[31m\\u009b2J\\u2028c\\u007f x="d\\ne"');
    expect(line).not.toMatch(/[\p{Cc}\u2028]/u);
  });

  it('cannot hide what it says: characters that turn the writing around or are not seen are escaped', () => {
    const sneaky = { ...record, message: 'pay \u202eeciovni\u2066 \u200b\ufeff\u061c\u009b\u{e0041}', fields: {} };
    expect(formatLine(sneaky, 'human')).toMatch(
      /pay \\u202eeciovni\\u2066 \\u200b\\ufeff\\u061c\\u009b\\udb40\\udc41$/,
    );
    const json = formatLine(sneaky, 'json');
    expect(json).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    expect(JSON.parse(json)).toEqual(sneaky);
  });
});
