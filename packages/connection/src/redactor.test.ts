import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { Redactor } from './redactor.ts';

const redactor = new Redactor(['s3cr/t']);

test('a secret is masked in a text, also as it stands in a URL, and long texts are cut', () => {
  expect(redactor.text('key=s3cr/t&again=s3cr%2Ft')).toBe('key=[redacted]&again=[redacted]');
  expect(redactor.text('x'.repeat(10_000))).toHaveLength(503);
});

test('an error without a secret is handed on as it is', () => {
  const error = new Error('plain', { cause: new Error('deep') });
  expect(redactor.cause(error)).toBe(error);
});

test('an error with a secret anywhere becomes a clean copy that keeps names and codes', () => {
  const deep = Object.assign(new Error('Bearer s3cr/t refused'), { code: 'EPROTO', headers: { apikey: 's3cr/t' } });
  const copy = redactor.cause(new TypeError('fetch failed', { cause: deep }));
  expect(copy).toMatchObject({
    name: 'TypeError',
    message: 'fetch failed',
    cause: { code: 'EPROTO', message: 'Bearer [redacted] refused' },
  });
  expect(inspect(copy, { depth: 9, showHidden: true })).not.toContain('s3cr/t');
});
