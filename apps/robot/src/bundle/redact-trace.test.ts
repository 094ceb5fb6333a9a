import { strFromU8, strToU8, unzipSync, zipSync } from 'fflate';
import { expect, it } from 'vitest';
import { redactTrace } from './redact-trace.ts';

function traced(lines: readonly string[]): readonly string[] {
  const zip = zipSync({ 'test.network': strToU8(lines.join('\n')) });
  const clean = redactTrace(zip, (text) => text.replaceAll('hush', '[redacted]'), 10_000_000);
  return strFromU8(unzipSync(clean ?? new Uint8Array())['test.network'] ?? new Uint8Array()).split('\n');
}

it('takes known secrets, headers and cookies out of a trace, and nothing else', () => {
  const headers = ['Authorization', 'Proxy-Auth', 'x.api.key', 'x-jwt', 'author'].map((name) => ({ name, value: 'v' }));
  const [line, broken] = traced([JSON.stringify({ url: '/?k=hush', headers, cookies: [{ a: 1 }] }), '{"k":"hush"']);
  expect(JSON.parse(line ?? '')).toEqual({
    url: '/?k=[redacted]',
    headers: headers.map(({ name }) => ({ name, value: name === 'author' ? 'v' : '[redacted]' })),
    cookies: [],
  });
  expect(broken).toBe('{"k":"[redacted]"');
});

it('leaves out what is too deep to be looked through', () => {
  const deep = `${'{"a":'.repeat(100_000)}{"cookies":["session"]}${'}'.repeat(100_000)}`;
  expect(traced([deep, '{"b":1}'])).toEqual(['{}', '{"b":1}']);
});
