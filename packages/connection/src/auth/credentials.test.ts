import { expect, test } from 'vitest';
import { checkCredentials } from './credentials.ts';
import { providedTokens } from './token-source.ts';

test.each([
  ['an unknown kind', { kind: 'magic' }],
  ['a sign-in without anything', { kind: 'password' }],
  ['a sign-in with an empty password', { kind: 'password', email: 'a@example.com', password: '' }],
  ['a token that is missing', { kind: 'jwt' }],
  ['a token with a line break', { kind: 'jwt', token: 'a\nb' }],
])('%s is refused at once', (_name, credentials) => {
  expect(() => checkCredentials(credentials as never)).toThrow(
    expect.objectContaining({ code: 'INVALID_CREDENTIALS' }),
  );
});

test.each([
  ['nothing', undefined],
  ['null', null],
  ['a number', 5],
  ['an empty object', {}],
  ['a life that is no number', { token: 'abcdef', expiresInMs: Number.NaN }],
  ['a life that is a text', { token: 'abcdef', expiresInMs: '3600' }],
  ['a life below zero', { token: 'abcdef', expiresInMs: -1 }],
])('a provider that brings %s is told so', async (_name, given) => {
  const source = providedTokens(async () => given as never, { now: () => 0 });
  await expect(source.obtain(new AbortController().signal)).rejects.toMatchObject({ code: 'INVALID_CREDENTIALS' });
});
