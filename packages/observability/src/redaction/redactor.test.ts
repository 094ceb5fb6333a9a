import { describe, expect, it } from 'vitest';
import { Redactor } from './redactor.ts';

describe('a secret value', () => {
  const secret = 'pa$$ "w/rd" (1)';
  const redactor = new Redactor({ values: [secret, '4711'] });

  it.each([
    ['as it is', `login with ${secret} failed`],
    ['in a URL', `https://example.org/?key=${encodeURIComponent(secret)}`],
    ['in the query of a URL as a browser writes it', new URL(`https://example.org/?key=${secret}`).href],
    ['in the path of a URL as a browser writes it', new URL(`https://example.org/${secret}/x`).href],
    ['in a form', new URLSearchParams({ key: secret }).toString()],
    ['inside JSON text', JSON.stringify({ body: secret })],
    ['more than once', `${secret}${secret} ${secret}`],
  ])('is taken out %s', (_how, text) => {
    const shown = redactor.text(text);
    expect(shown).toContain('[redacted]');
    expect(shown).not.toMatch(/w\/rd|w%2Frd|pa\$\$/);
  });

  it('is taken out of nested values, keys and numbers', () => {
    const shown = redactor.json({ list: [{ deep: `x${secret}` }], [secret]: 1, pin: 4711, error: new Error(secret) });
    expect(JSON.stringify(shown)).not.toMatch(/w\/rd|4711/);
    expect(shown).toMatchObject({ list: [{ deep: 'x[redacted]' }], '[redacted]': 1, pin: '[redacted]' });
  });

  it('leaves nothing of a longer secret that contains a shorter one', () => {
    const two = new Redactor({ values: ['abc', 'abcdef'] });
    expect(two.text('-abcdef-abc-')).toBe('-[redacted]-[redacted]-');
  });

  it('can be made known later; an empty one is ignored', () => {
    const later = new Redactor({ values: [''] });
    expect(later.text('a b')).toBe('a b');
    later.addValue('b');
    expect(later.text('a b')).toBe('a [redacted]');
  });
});

describe('a key that tells of a secret', () => {
  it('loses its value, however it is written', () => {
    const redactor = new Redactor({ keys: ['pin_code'] });
    const shown = redactor.json({
      Password: 1,
      'api-key': 'a',
      lease_token: 'b',
      Authorization: ['c'],
      pinCode: 'd',
      outer: { setCookie: { e: 1 } },
      note: 'stays',
    });
    expect(shown).toEqual({
      Password: '[redacted]',
      'api-key': '[redacted]',
      lease_token: '[redacted]',
      Authorization: '[redacted]',
      pinCode: '[redacted]',
      outer: { setCookie: '[redacted]' },
      note: 'stays',
    });
  });
});

describe('plain JSON', () => {
  const redactor = new Redactor();

  it('is made of anything without throwing', () => {
    const cycle: Record<string, unknown> = { name: 'cycle' };
    cycle.self = cycle;
    const hostile = {
      get boom(): never {
        throw new Error('getter');
      },
    };
    const shared = { x: 1 };
    const shown = redactor.json({
      cycle,
      hostile,
      big: 12n,
      nan: Number.NaN,
      when: new Date(0),
      broken: new Date(Number.NaN),
      bytes: Buffer.from('abc'),
      map: new Map([['a', 1]]),
      set: new Set([1]),
      run: () => 1,
      nothing: undefined,
      twice: [shared, shared],
      error: Object.assign(new TypeError('bad'), { code: 'E_BAD', cause: new Error('why') }),
      proxy: new Proxy(
        {},
        {
          ownKeys() {
            throw new Error('proxy');
          },
        },
      ),
    });
    expect(JSON.parse(JSON.stringify(shown))).toEqual(shown);
    expect(shown).toMatchObject({
      cycle: { name: 'cycle', self: '[circular]' },
      hostile: '[unreadable: getter]',
      big: '12',
      nan: 'NaN',
      when: '1970-01-01T00:00:00.000Z',
      broken: 'Invalid Date',
      bytes: '[3 bytes]',
      map: { a: 1 },
      set: [1],
      run: '[function]',
      twice: [{ x: 1 }, { x: 1 }],
      error: { name: 'TypeError', message: 'bad', code: 'E_BAD', cause: { message: 'why' } },
      proxy: '[unreadable: proxy]',
    });
  });

  it('is bounded in width and depth', () => {
    let deep: unknown = 'bottom';
    for (let level = 0; level < 1_000; level += 1) deep = { deep };
    expect(JSON.stringify(redactor.json(deep))).toContain('[too deep]');
    expect(redactor.json(Array.from({ length: 1_000 }, () => 0))).toHaveLength(201);
  });
});
