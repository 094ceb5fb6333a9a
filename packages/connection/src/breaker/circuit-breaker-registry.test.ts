import { ManualClock } from '@casare/testing';
import { describe, expect, it } from 'vitest';
import { verdict } from '../classification/verdict.ts';
import { ConnectionError } from '../errors.ts';
import { CircuitBreakerRegistry } from './circuit-breaker-registry.ts';

const down = () => Promise.reject(new ConnectionError('down', verdict('S', 'ECONNREFUSED')));

function make(maxBreakers = 3) {
  const clock = new ManualClock();
  const breakers = new CircuitBreakerRegistry({
    defaults: { failureThreshold: 1, timeoutMs: 1000, clock },
    maxBreakers,
  });
  return { clock, breakers };
}

describe('a registry of breakers', () => {
  it('makes a breaker once, with the shared settings and its own', async () => {
    const { breakers } = make();
    const first = breakers.get('a', { failureThreshold: 2 });
    expect(breakers.get('a')).toBe(first);
    await first.call(down).catch(() => undefined);
    await breakers
      .get('b')
      .call(down)
      .catch(() => undefined);
    expect(breakers.statuses().map(({ name, state }) => `${name} ${state}`)).toEqual(['a CLOSED', 'b OPEN']);
    expect(breakers.delete('a')).toBe(true);
    expect(breakers.has('a')).toBe(false);
    expect(breakers.size).toBe(1);
  });

  it('forgets the longest unused breaker that has nothing to remember, and no other', async () => {
    const { breakers } = make();
    await breakers
      .get('open')
      .call(down)
      .catch(() => undefined);
    breakers.get('old');
    breakers.get('used');
    breakers.get('old');
    breakers.get('new');
    expect(breakers.statuses().map(({ name }) => name)).toEqual(['open', 'old', 'new']);
    expect(breakers.forgotten).toBe(1);
  });

  it('refuses one more when all have something to remember, and remembers less once they have recovered', async () => {
    const { clock, breakers } = make(2);
    for (const name of ['a', 'b'])
      await breakers
        .get(name)
        .call(down)
        .catch(() => undefined);
    expect(() => breakers.get('c')).toThrow(expect.objectContaining({ code: 'TOO_MANY_BREAKERS' }));
    await clock.advance(1000);
    for (let n = 0; n < 2; n += 1) await breakers.get('a').call(async () => 1);
    expect(() => breakers.get('c')).toThrow(/2 circuit breakers/);
    await clock.advance(1000);
    expect(breakers.get('c').name).toBe('c');
    expect(breakers.has('a')).toBe(false);
  });

  it('goes on where another one stopped', async () => {
    const { breakers } = make();
    await breakers
      .get('a')
      .call(down)
      .catch(() => undefined);
    breakers.get('b').forceOpen();
    const states: unknown = JSON.parse(JSON.stringify(breakers.exportStates()));
    const other = make().breakers;
    other.get('a');
    other.restore(states as [string, unknown][]);
    expect(other.statuses()).toMatchObject([
      { name: 'a', state: 'OPEN', forced: false },
      { name: 'b', state: 'OPEN', forced: true },
    ]);
    expect(() =>
      other.restore([
        ['c', {}],
        ['d', null],
      ]),
    ).toThrow(/circuit "c"/);
    expect(other.size).toBe(2);
  });

  it('refuses a limit that means nothing', () => {
    expect(() => make(0)).toThrow(/maxBreakers/);
  });
});
