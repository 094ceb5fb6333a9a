import { describe, expect, it } from 'vitest';
import { Speller } from './nearest.ts';

describe('Speller', () => {
  it('finds the name that was meant, whatever the case', () => {
    expect(new Speller().nearest('MESAGE', ['level', 'message', 'data'])).toBe('message');
  });

  it('takes two letters that have changed places for one slip', () => {
    expect(new Speller().nearest('lgo', ['log', 'map'], 0.4)).toBe('log');
    expect(new Speller().nearest('lxyo', ['loxy'], 0.25)).toBeNull();
  });

  it('finds none when nothing is near, or the name is empty or endless', () => {
    const speller = new Speller();
    expect(speller.nearest('xyz', ['message'])).toBeNull();
    expect(speller.nearest('', ['a'])).toBeNull();
    expect(speller.nearest('a'.repeat(100_000), ['a'.repeat(100_000)])).toBeNull();
  });

  it('stops when its budget is spent', () => {
    const speller = new Speller(3);
    const names = ['aaab', 'aaac', 'aaad'];
    expect(speller.nearest('aaaa', names)).toBe('aaab');
    expect(speller.nearest('aaaa', names)).toBeNull();
  });
});
