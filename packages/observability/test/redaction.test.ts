/** Each form in which a secret may be written, in each place that a text can get to; and values made to break the walk. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { AuditEventType, AuditLogger, createLogger, type LogRecord, Redactor } from '../src/index.ts';

const secret = 'pä$$/w"rd & <1> 100%2f';
const bytes = Buffer.from(secret);
const inJson = (text: string): string => JSON.stringify(text).slice(1, -1);
const inAscii = (text: string): string =>
  text.replaceAll(/[^\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
const inHtml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
const lowerCase = (text: string): string => text.replaceAll(/%[\dA-F]{2}/g, (code) => code.toLowerCase());

const encodings: Readonly<Record<string, string>> = {
  'as it is': secret,
  'decomposed (NFD)': secret.normalize('NFD'),
  'in a URL': encodeURIComponent(secret),
  'in a URL, in small letters': lowerCase(encodeURIComponent(secret)),
  'in a URL, twice': encodeURIComponent(encodeURIComponent(secret)),
  'in a URL, each byte of it': bytes.toString('hex').replaceAll(/../g, '%$&'),
  'in a form': new URLSearchParams([['', secret]]).toString().slice(1),
  'by encodeURI': encodeURI(secret),
  'by escape()': `p%E4${encodeURIComponent(secret.slice(2))}`,
  'by escape() of Unicode': `p%u00e4${encodeURIComponent(secret.slice(2))}`,
  'in JSON': inJson(secret),
  'in JSON of ASCII': inAscii(inJson(secret)),
  'in JSON with escaped slashes': inJson(secret).replaceAll('/', '\\/'),
  'in JSON in JSON': inJson(inJson(secret)),
  'in JSON in JSON in JSON': inJson(inJson(inJson(secret))),
  'in JavaScript': inJson(secret).replace('ä', '\\xe4'),
  'in a URL in JSON in HTML': inHtml(inJson(encodeURIComponent(secret))),
  'in HTML in JSON': inJson(inHtml(secret)),
  'in HTML': inHtml(secret),
  'in HTML by numbers': secret.replaceAll(/[^a-z0-9]/g, (unit) => `&#${unit.charCodeAt(0)};`),
  'in HTML by hexadecimal numbers': secret.replaceAll(/[^a-z0-9]/g, (unit) => `&#x${unit.charCodeAt(0).toString(16)};`),
  'in hexadecimal digits': bytes.toString('hex'),
  'in hexadecimal capitals': bytes.toString('hex').toUpperCase(),
  'as a list of bytes': bytes.join(','),
};
/** Beginning and end share a character with what stands beside them, which stays. */
const parts: Readonly<Record<string, string>> = {
  'in Base64': bytes.toString('base64'),
  'in Base64 for URLs': bytes.toString('base64url'),
  'in the header of a sign-in': Buffer.from(`ann:${secret}`).toString('base64'),
  'in the header of a sign-in of somebody else': Buffer.from(`anna:${secret}`).toString('base64'),
  'in Base64 within JSON in a URL': encodeURIComponent(Buffer.from(`ann1:${secret}`).toString('base64')),
};

const folder = mkdtempSync(join(tmpdir(), 'casare-redaction-'));
const redactor = new Redactor({ values: [secret] });
const lines: LogRecord[] = [];
const logger = createLogger({ stream: null, redact: redactor, onLine: (line) => lines.push(line) });
const audit = new AuditLogger({ robotId: 'r', logDir: folder, redact: redactor });
afterAll(() => {
  audit.close();
  rmSync(folder, { recursive: true, force: true });
});

const lastLine = (): string => JSON.stringify(lines.pop());
const lastEntry = (): string => {
  const name = readdirSync(folder).find((file) => /^audit-.*\.jsonl$/.test(file)) ?? '';
  return readFileSync(join(folder, name), 'utf8').trimEnd().split('\n').at(-1) ?? '';
};
const sinks: Readonly<Record<string, (text: string) => string>> = {
  'a text': (text) => redactor.text(text),
  'a value': (text) => JSON.stringify(redactor.json({ list: [{ text }] })),
  'a key': (text) => JSON.stringify(redactor.json({ [text]: 1 })),
  'a text in a box': (text) => JSON.stringify(redactor.json([new String(text)])),
  'the cause of an error': (text) => JSON.stringify(redactor.json(new Error('x', { cause: new Error(text) }))),
  'what a getter throws': (text) =>
    JSON.stringify(
      redactor.json({
        get it(): never {
          throw new Error(text);
        },
      }),
    ),
  'a line of the log': (text) => {
    logger.log('info', text);
    return lastLine();
  },
  'a field of the log': (text) => {
    logger.log('info', 'm', { text });
    return lastLine();
  },
  'an entry of the audit log': (text) => {
    audit.log(AuditEventType.ERROR_TRANSIENT, text);
    return lastEntry();
  },
  'details of the audit log': (text) => {
    audit.log(AuditEventType.ERROR_TRANSIENT, 'm', { details: { deep: [text] } });
    return lastEntry();
  },
  'the actor in the audit log': (text) => {
    audit.log(AuditEventType.ERROR_TRANSIENT, 'm', { actor: text });
    return lastEntry();
  },
};

describe.each(Object.entries(sinks))('%s', (_sink, shown) => {
  it.each(Object.entries(encodings))('loses a secret that is written %s, and nothing else', (_how, written) => {
    expect(shown(`<${written}>`)).toContain('<[redacted]>');
  });

  it.each(Object.entries(parts))('loses a secret that is written %s', (_how, written) => {
    const text = shown(written);
    const left = text.replace('[redacted]', '');
    expect(text).toContain('[redacted]');
    for (let at = 8; at + 8 < written.length - 8; at += 1) expect(left).not.toContain(written.slice(at, at + 8));
  });
});

describe('plain JSON', () => {
  it('loses a secret that is written in bytes or in digits', () => {
    const bound = new Redactor({ values: [secret, '4711471147114711'] });
    expect(bound.json({ big: 4711471147114711n, list: [...bytes], buffer: bytes.toJSON(), view: bytes })).toEqual({
      big: '[redacted]',
      list: '[redacted]',
      buffer: `[${bytes.length} bytes]`,
      view: `[${bytes.length} bytes]`,
    });
  });

  it('leaves no beginning of a secret where it cuts a long text', () => {
    for (let before = 16_384 - secret.length; before <= 16_384; before += 1) {
      const shown = redactor.json(`${'-'.repeat(before)}${secret}${'-'.repeat(5_000)}`);
      expect(shown).not.toContain('pä');
      expect(shown).toMatch(/\[\d+ more characters\]$/);
    }
  });

  it('does not grow with every way to what is shared, says what it cut, and keeps what stands behind it', () => {
    let shared: unknown = { end: 'x'.repeat(100) };
    for (let level = 0; level < 7; level += 1) shared = Array.from({ length: 15 }, () => shared);
    const text = JSON.stringify(redactor.json({ shared, code: 'E_LAST' }));
    expect(text.length).toBeLessThan(300_000);
    expect(text).toMatch(/\[\d+ more\]/);
    expect(text).toContain('"code":"E_LAST"');
    const long = redactor.json(Array.from({ length: 200 }, () => 'y'.repeat(100_000)));
    expect(JSON.stringify(long).length).toBeLessThan(300_000);
  });

  it('names what it leaves out of many keys', () => {
    const keys = Object.fromEntries(Array.from({ length: 50_000 }, (_, at) => [`k${at}`, at]));
    expect(redactor.json(keys)).toMatchObject({ k0: 0, k199: 199, '...': '[49800 more]' });
    expect(redactor.json(new Set(Object.keys(keys)))).toHaveLength(201);
  });

  it('is made of what fights back: nothing is thrown by the redactor, the log or the audit log', () => {
    const revoked = Proxy.revocable({}, {});
    revoked.revoke();
    const thrower = (thrown: unknown): object => ({
      get it(): never {
        throw thrown;
      },
    });
    const traps = new Proxy(class {}, {
      get: (_target, name): never => {
        throw Object.assign(new Error('x'), { message: Symbol(String(name)) });
      },
      getPrototypeOf: () => {
        throw revoked.proxy;
      },
    });
    const endless: object = { toJSON: () => ({ ...endless }) };
    const hostile: readonly unknown[] = [
      ...[revoked.proxy, traps, new Proxy([], { get: () => Symbol('length') }), endless, Object.create(null)],
      ...[thrower(revoked.proxy), thrower(Symbol('s')), thrower(Object.assign(new Error('x'), { message: Symbol() }))],
      ...[thrower(null), thrower(traps), new Proxy(new Map(), {}), new Proxy(new Date(), {}), new Date(Number.NaN)],
      ...[
        Object.defineProperty(new Map([[{}, 1]]), 'size', { value: -1 }),
        Object.assign(new Error('x'), { name: traps, cause: traps }),
      ],
      ...[
        {
          toJSON: () => {
            throw traps;
          },
        },
        {
          [Symbol.toPrimitive]: () => {
            throw traps;
          },
        },
      ],
      ...[
        new Map([
          [
            {
              toString: () => {
                throw traps;
              },
            },
            1,
          ],
        ]),
        2n ** 5_000_000n,
        'x'.repeat(5_000_000),
      ],
      ...[
        new Array(2 ** 32 - 1),
        new Float64Array(5),
        new ArrayBuffer(5),
        new WeakMap(),
        Promise.resolve(),
        Symbol('s'),
      ],
      ...[{ type: 'Buffer', data: { length: 'x' } }, { name: { name: 1 }, value: traps }, [['token', traps]]],
    ];
    for (const value of hostile) {
      expect(() => {
        redactor.json(value);
        redactor.json({ rawHeaders: value, deep: [value] });
        logger.log('info', value as string, { value });
        audit.log(AuditEventType.ERROR_TRANSIENT, 'm', { details: { value } });
      }).not.toThrow();
    }
    const anything = fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withSet: true,
      withTypedArray: true,
      withSparseArray: true,
      withBoxedValues: true,
      withNullPrototype: true,
      withObjectString: true,
    });
    expect(Object.is(redactor.json(new Number(-0)), 0)).toBe(true);
    fc.assert(
      fc.property(anything, (value) => {
        const shown = redactor.json(value);
        expect(JSON.parse(JSON.stringify(shown))).toEqual(shown);
      }),
      { numRuns: 200 },
    );
  });
});

describe('what a key tells', () => {
  const hides = (key: string): boolean => (redactor.json({ [key]: 'v' }) as Record<string, unknown>)[key] !== 'v';

  it.each([
    'api.key',
    'x:api-key',
    'X-Api-Key',
    'pwd',
    'dbPwd',
    'auth',
    'proxy_auth',
    'authHeader',
    'jwt',
    'id-jwt',
    'authorization',
    'oauth',
    'SMTP_PASS',
    'user.pass',
    'set-cookie',
    'tokenCount',
  ])('%s hides its value', (key) => expect(hides(key)).toBe(true));

  it.each([
    'author',
    'authors',
    'authority',
    'auth_required',
    'authTimeoutMs',
    'compass',
    'pass',
    'bypassed',
    'keyboard',
    'name',
  ])('%s does not', (key) => expect(hides(key)).toBe(false));

  it('counts where it stands beside its value, too', () => {
    expect(
      redactor.json({
        headers: [
          ['Authorization', 'a'],
          ['accept', 'b'],
        ],
        list: [
          { name: 'Authorization', value: 'c' },
          { name: 'accept', value: 'd' },
        ],
        rawHeaders: ['X-Api-Key', 'e', 'accept', 'f'],
        fields: [{ type: 'password', name: 'p', value: 'g' }],
        map: new Map([['jwt', 'h']]),
      }),
    ).toEqual({
      headers: [
        ['Authorization', '[redacted]'],
        ['accept', 'b'],
      ],
      list: [
        { name: 'Authorization', value: '[redacted]' },
        { name: 'accept', value: 'd' },
      ],
      rawHeaders: ['X-Api-Key', '[redacted]', 'accept', 'f'],
      fields: [{ type: 'password', name: 'p', value: '[redacted]' }],
      map: { jwt: '[redacted]' },
    });
  });
});

it('takes as many secrets as there are, however they begin, and none of them is a word of its own', () => {
  const many = new Redactor();
  for (let index = 0; index < 1_000; index += 1) {
    many.addValue(`secret-value-${index}-end`);
    many.text('x');
  }
  expect(many.text('a secret-value-999-end, secret-value-17-end and secret-value-1000-end')).toBe(
    'a [redacted], [redacted] and secret-value-1000-end',
  );
});
