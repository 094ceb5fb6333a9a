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

test('a secret is masked as it stands in JSON and in a query, too', () => {
  const secret = `p"a\\ss (w)`;
  const strict = new Redactor([secret]);
  expect(strict.text(JSON.stringify({ secret }))).toBe('{"secret":"[redacted]"}');
  expect(strict.text(String(new URLSearchParams({ secret })))).toBe('secret=[redacted]');
  expect(() => new Redactor(['\ud800'])).not.toThrow();
});

test('an error that cannot be looked at is replaced by what can be read of it', () => {
  const refuse = () => {
    throw new Error('s3cr/t');
  };
  const odd = Object.defineProperties(Object.assign(new Error('odd'), { [inspect.custom]: refuse }), {
    cause: { get: refuse },
    name: { get: refuse },
  });
  expect(redactor.cause(odd)).toMatchObject({ name: 'Error', message: 'odd' });
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  expect(() => redactor.cause(proxy)).not.toThrow();
});
