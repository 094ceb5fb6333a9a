import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { HIDDEN } from './secret-path.ts';
import { SecretTexts } from './secret-texts.ts';

function redacting(...secrets: readonly string[]): (text: string) => string {
  const texts = new SecretTexts();
  for (const secret of secrets) texts.learn(secret);
  return (text) => texts.redact(text);
}

const json = (text: string): string => JSON.stringify(text).slice(1, -1);
const html = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;').replaceAll("'", '&#39;');
const lowerCodes = (text: string): string => text.replace(/%../g, (code) => code.toLowerCase());

const shapes: Readonly<Record<string, (secret: string) => string>> = {
  'as it is': (secret) => secret,
  'in a part of a URL': encodeURIComponent,
  'in a part of a URL, with small letters': (secret) => lowerCodes(encodeURIComponent(secret)),
  'as user and password of a URL': (secret) =>
    Object.assign(new URL('http://host'), { username: 'u', password: secret }).href,
  'in a query': (secret) => new URL(`http://host/?key=${encodeURIComponent(secret)}`).href,
  'in a form': (secret) => new URLSearchParams({ secret }).toString(),
  'in JSON': (secret) => JSON.stringify({ secret }),
  'in JSON in JSON': (secret) => JSON.stringify(JSON.stringify({ secret })),
  'in JSON in JSON in JSON': (secret) => json(json(json(secret))),
  'in HTML': html,
  'in small letters': (secret) => secret.toLowerCase(),
  'in capital letters': (secret) => secret.toUpperCase(),
  'in Base64': (secret) => Buffer.from(secret).toString('base64'),
  'in URL-safe Base64, with something before it': (secret) => Buffer.from(`u:${secret}`).toString('base64url'),
  'as a buffer in JSON': (secret) => JSON.stringify(Buffer.from(secret)),
  'as a buffer that Node.js prints': (secret) => inspect(Buffer.from(secret)),
  'in hexadecimal digits': (secret) => Buffer.from(secret).toString('hex'),
};

/** Whatever has to be told apart by the eye: none of it may be left. */
const planted: Readonly<Record<string, string>> = {
  'of four characters': 'Zq7!',
  'of 4 KB': Array.from({ length: 512 }, (_item, index) => `${index * 7919}q/`).join(''),
  'that means something to a pattern': '^aq.*(bw)[cz]\\d+$|x{2}',
  'with quotes': 'he "said" \'it\' `now` zq',
  'with lines': 'first-line-q\nsecond-line-q\r\nthird-line-q',
  'of other scripts': 'пароль-日本語-ß-ÿ',
  'with emoji': '🔑q🗝️secret👍',
  'that means something to a URL': 'aq/b?c=d&e#f%20@:;+ z',
  'that means something to JSON': '{"kq":"v\\n\\"w"}',
  'that means something to HTML': '<bq>&amp;"z\'',
};

describe.each(Object.entries(planted))('a secret %s', (_kind, secret) => {
  it.each(Object.entries(shapes))('is taken out of a text that has it %s', (_shape, write) => {
    const written = write(secret);
    const shown = redacting(secret)(`before ${written} behind`);
    expect(shown).toContain(HIDDEN);
    expect(shown).toMatch(/^before .* behind$/s);
    // Base64 and JSON have signs of their own around it.
    expect(shown.replaceAll(HIDDEN, '').length).toBeLessThan(50);
    expect(shown).not.toContain(written);
  });
});

describe('a part of a secret', () => {
  const long = planted['of 4 KB'] ?? '';
  const token = 'tok-9f8e7d6c5b4a';

  it('is taken out where a text ends in it, or is cut by an ellipsis', () => {
    const redact = redacting(token, long);
    const text = 'the server that was asked did not take the key ';
    for (const secret of [token, long]) {
      for (const end of ['', '…', '...', '..." is no number', '... (cut)']) {
        expect(redact(`${text}${secret.slice(0, 12)}${end}`)).toBe(`${text}${HIDDEN}${end}`);
      }
    }
    expect(redact(`${text}${json(long).slice(0, 900)}`)).toBe(`${text}${HIDDEN}`);
  });

  it('is taken out wherever it was cut out of a long one', () => {
    const redact = redacting(long);
    for (const [from, to] of [
      [0, 60],
      [100, 160],
      [1_003, 3_000],
      [2_000, 4_000],
    ] as const) {
      expect(redact(`before ${long.slice(from, to)} behind`)).toBe(`before ${HIDDEN} behind`);
    }
    const base64 = Buffer.from(long).toString('base64');
    expect(redact(`before ${base64.slice(500, 600)} behind`)).toBe(`before ${HIDDEN} behind`);
  });

  it('is each of its lines', () => {
    const redact = redacting(planted['with lines'] ?? '');
    expect(redact('job: first-line-q')).toBe(`job: ${HIDDEN}`);
    expect(redact('job: third-line-q')).toBe(`job: ${HIDDEN}`);
    expect(redact('http://first-line-qsecond-line-qthird-line-q/')).toBe(`http://${HIDDEN}/`);
  });

  it('leaves other texts as they are', () => {
    const redact = redacting(token, long);
    const text = 'tok-1 was used, tok-9f8e was not... and a text that is long enough to be cut goes on tok-9f8e7d';
    expect(redact(text)).toBe(text.replace('tok-9f8e7d', HIDDEN));
    expect(redact('')).toBe('');
  });

  it('is looked for in little time, whatever the text', () => {
    const hostile = redacting('a'.repeat(5_000), `${'ab'.repeat(3_000)}c`);
    const text = `${'ab'.repeat(200_000)}${'...'.repeat(10_000)}${'a'.repeat(4_999)}`;
    expect(hostile(text).length).toBeLessThan(text.length);
  });
});
