import { describe, expect, it } from 'vitest';
import { normalizeSelector } from './selector.ts';

describe('a selector', () => {
  it.each([
    ['  #login > button ', '#login > button'],
    ['//button', 'xpath=//button'],
    ['(//button)[2]', 'xpath=(//button)[2]'],
    ['/html/body/p', 'xpath=/html/body/p'],
    ['./p', 'xpath=./p'],
    ['xpath=//p', 'xpath=//p'],
    ['text=Sign in', 'text=Sign in'],
    ['css=.a', 'css=.a'],
  ])('%s becomes %s', (given, expected) => {
    expect(normalizeSelector(given)).toBe(expected);
  });

  it('that is empty, or made for desktop windows, is refused', () => {
    expect(() => normalizeSelector('  ')).toThrow(/empty/);
    expect(() => normalizeSelector("<html app='chrome.exe' /><webctrl id='a' />")).toThrow(/XML selector/);
  });
});
